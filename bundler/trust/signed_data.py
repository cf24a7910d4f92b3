"""Verifies one SignedData by itself: one signer, its certificate, and the signature by its key.

RFC 5652, 5.4 to 5.6. Whether the certificate is trusted is for :mod:`bundler.trust.certificate_path`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bundler.errors import VerificationError
from bundler.formats import authenticode as der
from bundler.formats import authenticode_values, certificate
from bundler.formats.authenticode import Signature, Signer
from bundler.formats.parse_error import ParseError
from bundler.trust import certificate_path
from bundler.trust.certificate_path import STRONG

HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
"""By hashlib's name. SHA-1 only names certificates, and is in signatures that are not relied on."""


def only_signer(signature: Signature) -> Signer:
    """The one signer. Raises ``several-signers``."""
    if len(signature.signers) != 1:
        raise VerificationError(f"the signature has {len(signature.signers)} signers", reason="several-signers")
    return signature.signers[0]


def certificates(signature: Signature) -> tuple[x509.Certificate, ...]:
    """The readable certificates in a signature; :mod:`.carried` refuses whatever else is in their place.

    Raises:
        VerificationError: ``malformed`` for one with a number that no authority gives (RFC 5280, 4.1.2.2).
    """
    found = []
    for document in signature.certificates:
        with suppress(ParseError):
            found.append(certificate.loaded(document))
    if not all(map(certificate.has_number, found)):
        raise VerificationError(
            "the signature is malformed: a certificate in it has an invalid serial number", reason="malformed"
        )
    return tuple(found)


def signing_certificate(signer: Signer, pool: tuple[x509.Certificate, ...]) -> x509.Certificate:
    """The certificate that the signer names. Raises ``malformed`` where the signature does not carry it."""
    for each in pool:
        if each.serial_number == signer.serial and each.issuer.public_bytes() == signer.issuer:
            return each
    raise VerificationError("the signature does not carry its signer's certificate", reason="malformed")


def check_signature(
    signer: Signer,
    leaf: x509.Certificate,
    content_type: str,
    content: bytes,
    *,
    digests: Collection[str] = STRONG,
) -> None:
    """RFC 5652, 5.4 and 5.6: the signed attributes hold type and digest of the content, and the key signed them.

    Args:
        signer: of the signature.
        leaf: its certificate.
        content_type: dotted.
        content: the bytes that the message digest covers.
        digests: the accepted ones, as hashlib names them.

    Raises:
        VerificationError: ``weak-digest``, ``malformed``, ``bad-signature``, ``weak-key`` or ``unknown-algorithm``.
    """
    if signer.digest_algorithm not in digests:
        raise VerificationError("the signature uses a digest weaker than SHA-256", reason="weak-digest")
    named, digest = signer.attribute(der.CONTENT_TYPE), signer.attribute(der.MESSAGE_DIGEST)
    if named is None or digest is None:
        raise VerificationError("the signature does not name what it signs", reason="malformed")
    actual = hashlib.new(signer.digest_algorithm, content).digest()
    if authenticode_values.read_object_identifier(named) != content_type or not hmac.compare_digest(
        authenticode_values.read_octets(digest), actual
    ):
        raise VerificationError("the signed attributes do not match the content", reason="bad-signature")
    certificate_path.check_key(leaf)
    key, algorithm = leaf.public_key(), HASHES[signer.digest_algorithm]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer.signature_algorithm == "rsassa_pkcs1v15":
            key.verify(signer.signature, signer.signed_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.signature_algorithm == "ecdsa":
            key.verify(signer.signature, signer.signed_bytes, ec.ECDSA(algorithm))
        else:
            raise VerificationError("the signature has an unknown algorithm", reason="unknown-algorithm")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise VerificationError("the signature was not made by its signer's key", reason="bad-signature") from None
