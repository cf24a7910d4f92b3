"""Puts foreign bytes into every place of a genuine package or signature that no signature covers.

A signed package stays as it was signed: each function here changes what the signature does not cover, so that nothing
but a strict reader notices.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping

from bundler.formats.signature_armor import crc24

Change = Callable[[bytes, bytes], bytes]
"""From a signature packet and foreign bytes, to what stands in place of the signature."""


def frame(tag: int, body: bytes) -> bytes:
    """A packet in the new format, with a length of five bytes (RFC 9580 section 4.2.1)."""
    return bytes([0xC0 | tag, 0xFF]) + struct.pack(">I", len(body)) + body


def subpacket(kind: int, content: bytes) -> bytes:
    return b"\xff" + struct.pack(">I", len(content) + 1) + bytes([kind]) + content


def armored(packets: bytes, header: str = "", width: int = 64, checksum: bool = True) -> bytes:
    text = base64.b64encode(packets).decode()
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    lines += ["=" + base64.b64encode(crc24(packets).to_bytes(3, "big")).decode()] if checksum else []
    begin, end = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
    return "\n".join([begin, *([header] if header else []), "", *lines, end, ""]).encode()


def _body(packet: bytes) -> bytes:
    """Of a packet as the lab writes it: an old header with a length of two bytes."""
    return packet[3:]


def _split(packet: bytes) -> tuple[bytes, bytes, bytes]:
    """Up to the hashed area's end; the unhashed area; what follows."""
    body = _body(packet)
    hashed = 6 + int.from_bytes(body[4:6], "big")
    unhashed = hashed + 2 + int.from_bytes(body[hashed : hashed + 2], "big")
    return body[:hashed], body[hashed + 2 : unhashed], body[unhashed:]


def with_unhashed(packet: bytes, area: bytes) -> bytes:
    before, _, after = _split(packet)
    return frame(2, before + struct.pack(">H", len(area)) + area + after)


def more_unhashed(packet: bytes, more: bytes) -> bytes:
    return with_unhashed(packet, _split(packet)[1] + more)


def _hashed(packet: bytes, more: bytes) -> bytes:
    """A signature that never verifies, with more in its hashed area, and of another key."""
    before, _, after = _split(packet)
    area = bytearray(before[6:])
    issuer = area.index(b"\x21\x04") + 2
    area[issuer : issuer + 20] = bytes(20)
    area += more
    return frame(2, before[:4] + struct.pack(">H", len(area)) + bytes(area) + struct.pack(">H", 0) + after)


def _number(packet: bytes, foreign: bytes) -> bytes:
    """The signature's number, longer than it is: only zeros fit before it."""
    before, area, after = _split(packet)
    foreign = foreign[:7000]  # a number has at most 65535 bits
    bits = int.from_bytes(after[2:4], "big") + 8 * len(foreign)
    number = bytes(len(foreign)) + after[4:]
    return frame(2, before + struct.pack(">H", len(area)) + area + after[:2] + struct.pack(">H", bits) + number)


PACKETS: Mapping[str, tuple[Change, str]] = {
    "an unknown field": (lambda p, f: more_unhashed(p, subpacket(101, f)), "unhashed-area"),
    "a critical field": (lambda p, f: more_unhashed(p, subpacket(101 | 0x80, f)), "unhashed-area"),
    "a notation": (
        lambda p, f: more_unhashed(p, subpacket(20, bytes(4) + struct.pack(">HH", 1, len(f)) + b"n" + f)),
        "unhashed-area",
    ),
    "an embedded signature": (lambda p, f: more_unhashed(p, subpacket(32, f)), "unhashed-area"),
    "a policy's address": (lambda p, f: more_unhashed(p, subpacket(26, f)), "unhashed-area"),
    "a long key id": (lambda p, f: with_unhashed(p, subpacket(16, f)), "unhashed-area"),
    "a long fingerprint": (lambda p, f: more_unhashed(p, subpacket(33, b"\x04" + f)), "unhashed-area"),
    "key ids": (lambda p, f: more_unhashed(p, _split(p)[1] * (len(f) // 10 + 1)), "unhashed-area"),
    "bytes behind the number": (lambda p, f: frame(2, _body(p) + f), "signature-tail"),
    "a marker": (lambda p, f: p + frame(10, f), "other-packets"),
    "a padding before it": (lambda p, f: frame(21, f) + p, "other-packets"),
    "a trust packet": (lambda p, f: p + frame(12, f), "other-packets"),
    "a user id": (lambda p, f: p + frame(13, f), "other-packets"),
    "a user attribute": (lambda p, f: p + frame(17, f), "other-packets"),
    "an unknown packet": (lambda p, f: p + frame(60, f), "other-packets"),
    "a literal behind it": (lambda p, f: p + frame(11, f), "other-packets"),
    "bytes that are no packet": (lambda p, f: p + b"\0" + f, "other-packets"),
    "zeros before the number": (_number, "malformed"),
}
"""By place: what is changed in packets, armored or not, and the reason of the refusal."""

FURTHER: Mapping[str, Change] = {
    "in its hashed area": lambda p, f: _hashed(p, subpacket(101, f)) + p,
    "in its number": lambda p, f: _strangers_number(p, f) + p,
}
"""A further signature, by another key."""


def _strangers_number(packet: bytes, foreign: bytes) -> bytes:
    before, _, after = _split(_as_old(_hashed(packet, b"")))
    number = b"\x7f" + foreign[:8000]
    bits = int.from_bytes(number, "big").bit_length()
    return frame(2, before + struct.pack(">H", 0) + after[:2] + struct.pack(">H", bits) + number)


def _as_old(packet: bytes) -> bytes:
    body = packet[6:]
    return b"\x89" + struct.pack(">H", len(body)) + body


ARMOR: Mapping[str, tuple[Change, str]] = {
    "text before it": (lambda p, f: base64.b64encode(f) + b"\n" + armored(p), "armor-data"),
    "bytes before it": (lambda p, f: f + armored(p), "armor-data"),
    "bytes behind it": (lambda p, f: armored(p) + f, "armor-data"),
    "lines behind it": (lambda p, f: armored(p) + b"\n" * len(f), "armor-data"),
    "a comment": (lambda p, f: armored(p, "Comment: " + f.hex()), "armor-data"),
    "a long version": (lambda p, f: armored(p, "Version: " + f.hex()), "armor-data"),
    "two versions": (lambda p, f: armored(p, "Version: a\nVersion: " + f.hex()[:64]), "armor-data"),
    "white space": (lambda p, f: armored(p).replace(b"\n=", b" " * len(f) + b"\n="), "armor-data"),
    "empty lines": (lambda p, f: armored(p).replace(b"\n=", b"\n" * len(f) + b"="), "armor-data"),
    "behind the checksum": (
        lambda p, f: armored(p).replace(b"\n-----END", f.hex().encode() + b"\n-----END"),
        "armor-data",
    ),
    "short lines": (lambda p, _: armored(p, width=4), "armor-data"),
}
"""By place in the armor."""
