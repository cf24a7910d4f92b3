"""Verifies a raw signature with the public key of a certificate (RSA PKCS #1 v1.5, ECDSA)."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bundler.model.seal import Algorithm


def digest_of(algorithm: Algorithm) -> hashes.SHA256 | hashes.SHA384:
    """The hash function that belongs to ``algorithm``."""
    return hashes.SHA384() if algorithm == "ecdsa-sha384" else hashes.SHA256()


def verifies(certificate: x509.Certificate, algorithm: Algorithm, signature: bytes, content: bytes) -> bool:
    """Whether the key of ``certificate`` made ``signature`` over ``content`` with this ``algorithm``.

    RSA: PKCS #1 v1.5 (RFC 8017 section 8.2). ECDSA: DER of Ecdsa-Sig-Value (RFC 3279 section 2.2.3).
    """
    digest = digest_of(algorithm)
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and algorithm == "rsa-sha256":
            key.verify(signature, content, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm != "rsa-sha256":
            key.verify(signature, content, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):  # also for a key that cannot sign
        return False
    return True
