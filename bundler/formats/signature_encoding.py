"""Decodes a signature as programs and tokens print it: raw, hex, base64, DER or the two numbers of ECDSA."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

_HEX = re.compile(rb"(?:[0-9a-fA-F]{2})+")


def encodings(printed: bytes, certificate: x509.Certificate) -> Iterator[bytes]:
    """Decode printed bytes in each encoding that gives a signature of the certificate's kind of key.

    More than one can: 256 hex digits are also valid base64. The caller verifies each.

    Args:
        printed: bytes, hex, base64 or base64url (RFC 4648), the latter three with white space anywhere. ECDSA as DER,
            or as its two numbers side by side, as key services print it.
        certificate: of the key.

    Yields:
        Signatures in the form of a seal: RSA as long as the modulus, ECDSA as DER.
    """
    for candidate in dict.fromkeys((printed, *_decoded(b"".join(printed.split())))):
        signature = _shaped(candidate, certificate.public_key())
        if signature:
            yield signature


def _decoded(text: bytes) -> Iterator[bytes]:
    if _HEX.fullmatch(text):
        yield bytes.fromhex(text.decode())
    padded = text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4)
    for alphabet in (b"+/", b"-_"):
        with suppress(binascii.Error):
            yield base64.b64decode(padded, altchars=alphabet, validate=True)


def _shaped(candidate: bytes, key: object) -> bytes:
    """``candidate`` in the form of a seal; empty if it cannot be a signature of this kind of key."""
    if isinstance(key, rsa.RSAPublicKey):
        return candidate if len(candidate) == (key.key_size + 7) // 8 else b""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    half = (key.key_size + 7) // 8
    if len(candidate) == 2 * half:
        return from_numbers(candidate)
    try:
        return encode_dss_signature(*decode_dss_signature(candidate))
    except ValueError:
        return b""


def from_numbers(signature: bytes) -> bytes:
    """DER of an ECDSA signature that is given as two numbers of equal length side by side (IEEE P1363)."""
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
