"""Signs content as CMS: a seal's detached signature, or a message that holds what it signs."""

from __future__ import annotations

from bundler.errors import SigningError
from bundler.formats import cms
from bundler.signing.signing_key import SigningKey


def sign_detached(content: bytes, key: SigningKey) -> bytes:
    """Sign ``content`` as a seal: RFC 5652 SignedData that does not hold it (section 5.2).

    Scripts on the server recognise a seal by its length and its first bytes (:func:`bundler.formats.cms.forms`), so a
    seal of any other length would be refused there. It is refused here, before it leaves.

    Returns:
        DER, with all certificates of the key.

    Raises:
        SigningError: as the key raises it, or if the seal has a length that no form has.
    """
    seal = cms.encode(key.certificates, key.algorithm, key.sign(content))
    sizes = [form.size for form in cms.forms(key.certificates, key.algorithm)]
    if len(seal) > cms.LARGEST or len(seal) not in sizes:
        raise SigningError(
            f"the seal would have {len(seal)} bytes; no seal of this key has that length",
            do="sign again; if it happens again, give fewer certificates with the key",
        )
    return seal


def sign_attached(content: bytes, key: SigningKey) -> bytes:
    """Sign ``content`` as a message that holds it (RFC 5652 section 5.2, ``eContent``): what an envelope encrypts.

    Returns:
        DER, with the signer's certificate alone: the server knows the sealer by its fingerprint.

    Raises:
        SigningError: as the key raises it.
    """
    return cms.encode(key.certificates[:1], key.algorithm, key.sign(content), content=content)
