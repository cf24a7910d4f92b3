"""Signs a statement as a DSSE envelope, with the key that seals the bundle."""

from __future__ import annotations

from bundler.formats import dsse
from bundler.formats.certificate import fingerprint
from bundler.signing.signing_key import SigningKey


def sign(payload: bytes, payload_type: str, key: SigningKey) -> bytes:
    """Sign ``payload`` as ``payload_type``.

    Returns:
        The envelope: JSON as :func:`bundler.formats.dsse.read` accepts it.

    Raises:
        SigningError: as the key raises it.
    """
    signature = key.sign(dsse.pae(payload_type, payload))
    return dsse.Envelope(payload, payload_type, fingerprint(key.certificates[0]), signature).encode()
