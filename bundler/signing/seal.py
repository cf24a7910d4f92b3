"""Seals a bundle: describes the seal for the manifest, then makes its signatures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bundler.formats.armor import dearmor
from bundler.integrity import sums
from bundler.model.seal import Seal
from bundler.signing.cms_writer import sign_detached
from bundler.signing.signing_key import Sealer, SigningKey
from bundler.trust import signer_identity
from bundler.trust.certificate_policy import require_usable
from bundler.trust.signer_identity import signer


def require_ready(key: SigningKey, at: datetime) -> None:
    """Require a key that may seal ``at`` that time. Raises :class:`SigningError`."""
    require_usable(key.certificates[0], key.certificates[1:], at)


def describe(sealer: Sealer) -> Seal:
    """Describe the seal for the manifest, which is sealed afterwards."""
    openpgp = sealer.openpgp.fingerprint if sealer.openpgp else ""
    own, *above = sealer.key.certificates
    return Seal(signer=signer(own), issuers=signer_identity.fingerprints(above), openpgp=openpgp)


def keyring(sealer: Sealer) -> dict[str, bytes]:
    """The public OpenPGP key by its path in the bundle; empty if there is none."""
    return {sums.OPENPGP_KEY: dearmor(sealer.openpgp.certificate)} if sealer.openpgp else {}


def seals(documents: Mapping[str, bytes], sealer: Sealer) -> dict[str, bytes]:
    """Make every seal of a bundle.

    The same documents and key give the same seals, unless the key's algorithm or its token is randomized.

    Args:
        documents: the sums and the manifest, by path.
        sealer: the keys.

    Returns:
        The seals, by path.

    Raises:
        SigningError: as a key raises it.
    """
    made: dict[str, bytes] = {}
    for path in (sums.SUMS, sums.MANIFEST):
        signed = {path: documents[path]}
        if sealer.openpgp:
            signed[path + sums.OPENPGP] = sealer.openpgp.sign(documents[path])
        made |= {name + sums.CMS: sign_detached(content, sealer.key) for name, content in signed.items()}
        made |= {name: content for name, content in signed.items() if name != path}
    return made
