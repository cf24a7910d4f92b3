"""Reads the ASCII armor of an OpenPGP signature strictly: the text must be the one that its bytes give.

Source: RFC 4880 section 6, RFC 9580 section 6. Libraries skip text around the armor, unknown headers, and whatever
follows the checksum; there a signature can carry any file along. Here the armor is written again from the bytes that
were read, and must come out the same.
"""

from __future__ import annotations

import base64
import binascii
import re

from bundler.formats.parse_error import ParseError, looks_like_a_page

BEGIN = b"-----BEGIN PGP SIGNATURE-----"
END = b"-----END PGP SIGNATURE-----"

_SHAPE = re.compile(
    rb"-----BEGIN PGP SIGNATURE-----(?P<newline>\r?\n)"
    rb"(?:Version: (?P<version>[ -~]{1,64})(?P=newline))?(?P=newline)"
    rb"(?P<body>[A-Za-z0-9+/][A-Za-z0-9+/\r\n]*?={0,2})(?:(?P=newline)=(?P<checksum>[A-Za-z0-9+/]{4}))?(?P=newline)"
    rb"-----END PGP SIGNATURE-----(?P<end>(?P=newline)?)"
)
_NARROWEST, _WIDEST = 64, 76
_CRC_START, _CRC_POLYNOMIAL = 0xB704CE, 0x1864CFB


def dearmor(block: bytes) -> bytes:
    """The packets in ``block``, which must be one armored signature and nothing else.

    Its only header may be ``Version`` with at most 64 printable characters. The checksum may be absent (RFC 9580
    section 6.1); a present one must be right. Lines end all in LF, or all in CR LF.

    Raises:
        ParseError: ``armor-data``, ``truncated``, ``malformed``.
    """
    match = _SHAPE.fullmatch(block)
    if match is None:
        raise _misshapen(block)
    body = match["body"].split(match["newline"])
    width = len(body[0])
    try:
        packets = base64.b64decode(b"".join(body), validate=True)
    except binascii.Error:
        raise ParseError("the signature's armor is not valid base64") from None
    encoded = base64.b64encode(packets)
    lines = [encoded[start : start + width] for start in range(0, len(encoded), width)]
    if width > _WIDEST or (width < _NARROWEST and len(body) > 1) or lines != body:
        raise ParseError("the lines of the signature's armor are not those that its bytes give", reason="armor-data")
    if match["checksum"] not in {None, base64.b64encode(crc24(packets).to_bytes(3, "big"))}:
        raise ParseError("the checksum of the signature's armor does not match")
    return packets


def _misshapen(block: bytes) -> ParseError:
    """What is wrong with a block that is not of the form."""
    if looks_like_a_page(block[:64]):
        return ParseError("it is an HTML page, not a signature", reason="html")
    begin, end = block.find(BEGIN), block.find(END)
    if begin < 0:
        return ParseError("there is something other than a signature in place of the signature")
    if end < 0:
        return ParseError("the signature's armor has no end", reason="truncated")
    if begin > 0 or block[end + len(END) :].strip():
        return ParseError("there is text around the signature's armor", reason="armor-data")
    return ParseError("the signature's armor holds more than a version, its lines and a checksum", reason="armor-data")


def crc24(content: bytes) -> int:
    """The checksum of RFC 4880 section 6.1."""
    crc = _CRC_START
    for byte in content:
        crc ^= byte << 16
        for _ in range(8):
            crc = (crc << 1) ^ (_CRC_POLYNOMIAL if crc & 0x800000 else 0)
    return crc & 0xFFFFFF
