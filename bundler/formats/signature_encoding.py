"""In which ways do programs and tokens write a signature, and which one is meant?"""

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
    """Read what was printed as a signature by the key of ``certificate``, in each way that gives one's form.

    As bytes, hex, base64 or base64url (RFC 4648), the latter three with white space anywhere. An ECDSA signature may
    be DER, or the two numbers side by side, as key services print it.
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
    """``candidate`` as a signature in the form that is sealed; empty if it has no signature's form."""
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
    """DER of an ECDSA signature given as its two numbers side by side, equally long (IEEE P1363)."""
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
