"""Encodes and decodes OpenPGP's ASCII armor (RFC 9580 section 6), without its optional checksum."""

from __future__ import annotations

import base64
import binascii

from bundler.formats.parse_error import ParseError

LARGEST = 1 << 20
"""Bytes of an armored key."""
_WIDTH = 64
"""Characters of a line; the section allows 76."""


def armor(packets: bytes, label: str) -> str:
    """``packets`` as text under ``label`` (``PGP PUBLIC KEY BLOCK``)."""
    text = base64.b64encode(packets).decode()
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return "\n".join((f"-----BEGIN {label}-----", "", *lines, f"-----END {label}-----", ""))


def dearmor(document: bytes) -> bytes:
    """The packets in the one armored block of ``document``. Raises ParseError."""
    if len(document) > LARGEST:
        raise ParseError(f"is larger than {LARGEST} bytes", reason="too-big")
    _, found, body = document.replace(b"\r\n", b"\n").partition(b"\n\n")
    body, ended, _ = body.partition(b"\n-----END ")
    if not (found and ended and document.startswith(b"-----BEGIN PGP ")):
        raise ParseError("is not an armored OpenPGP block")
    try:
        return base64.b64decode(body.partition(b"\n=")[0].translate(None, b" \t\r\n"), validate=True)
    except binascii.Error:
        raise ParseError("is armored, but not valid base64") from None
