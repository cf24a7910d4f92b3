"""Reads OpenPGP signatures strictly: every byte of a packet has a meaning.

Source: RFC 9580 sections 4.2 (packet headers), 5.2 (signatures) and 3.2 (numbers); RFC 4880 for versions 3 and 4.

A signature covers its *hashed* area only. Libraries ignore whatever else the packet and its neighbours hold: unknown
subpackets of the unhashed area, bytes behind the signature's numbers, further packets. A file can be carried there, and
the signature stays valid. Here the unhashed area holds the issuer's key id and fingerprint at most, and nothing else
is there at all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from bundler.formats import signature_armor
from bundler.formats.parse_error import ParseError

MAX_BLOCK = 1 << 18
"""Bytes of all signatures of a document."""
MAX_SIGNATURES = 16

_SIGNATURE = 2
_NAMES = {10: "a marker", 12: "a trust", 13: "a user ID", 17: "a user attribute", 20: "an encrypted", 21: "a padding"}
_MESSAGES = frozenset({1, 3, 4, 5, 6, 7, 8, 9, 11, 14, 18})
"""Tags of packets that begin something other than a signature: a key, a message."""
_CREATED, _ISSUER, _ISSUER_FINGERPRINT = 2, 16, 33
_FINGERPRINT_SIZES = {4: 20, 5: 32, 6: 32}
_KEY_ID_SIZE = 8
_CRITICAL = 0x80
_KNOWN = frozenset({*range(2, 8), 9, 11, 12, 16, *range(20, 36), 37, 39})
"""Types of RFC 9580 section 5.2.3.7, with the reserved 37 of gpg."""
# RFC 9580 table 18: how many multiprecision integers, or how many bytes, a signature of the algorithm has.
_INTEGERS = {1: 1, 3: 1, 17: 2, 19: 2, 22: 2}
_FIXED = {27: 64, 28: 114}


@dataclass(frozen=True)
class Signature:
    """One signature packet, read but not verified."""

    packet: bytes
    """With its header, as a library reads it."""
    version: int
    kind: int
    """RFC 9580 section 5.2.1."""
    key_algorithm: int
    digest: int
    """RFC 9580 section 9.5."""
    created: datetime | None
    """UTC; from the hashed area."""
    key_id: str
    """Of the signer; 16 hex digits, lower-case; empty if it names none."""
    hashed: bytes
    """What is hashed after the signed bytes: the packet's own part, and the trailer."""
    digest_start: bytes
    """The first two bytes of the digest, by the packet's own word."""
    salt: bytes = b""
    """Hashed before the signed bytes; version 6 only."""
    hashed_size: int = 0
    """Bytes of the hashed area."""
    expires: datetime | None = None
    """UTC; of the signature itself."""
    unknown: int = 0
    """Type of a critical field of the hashed area that is not known; 0 if there is none."""


def signatures(block: bytes) -> tuple[Signature, ...]:
    """Read the signatures in ``block``, armored or not; there is one at least, and nothing else.

    Raises:
        ParseError: ``truncated``, ``malformed``, ``too-big``; ``armor-data``, ``other-packets``, ``unhashed-area`` and
            ``signature-tail`` for what a signature does not cover.
    """
    if len(block) > MAX_BLOCK:
        raise ParseError("the signature is larger than any real one", reason="too-big")
    content = signature_armor.dearmor(block) if signature_armor.BEGIN[:10] in block else block
    frames = list(_frames(content))
    tags = [tag for tag, _, _ in frames]
    if not tags or tags[0] in _MESSAGES:
        raise ParseError("there is something other than a signature in place of the signature")
    for tag in tags:
        if tag != _SIGNATURE:
            name = _NAMES.get(tag, f"an unknown ({tag})")
            raise ParseError(f"{name} packet is beside the signature", reason="other-packets")
    if len(frames) > MAX_SIGNATURES:
        raise ParseError(f"there are more than {MAX_SIGNATURES} signatures", reason="too-big")
    return tuple(_signature(packet, body) for _, packet, body in frames)


def _frames(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Tag, whole packet and body of each packet (RFC 9580 section 4.2)."""
    at = 0
    while at < len(content):
        first = content[at]
        if not first & 0x80:
            raise ParseError(
                "bytes that are no OpenPGP packet are where a signature should be",
                reason="other-packets" if at else "malformed",
            )
        new = bool(first & 0x40)
        tag = first & 0x3F if new else first >> 2 & 0x0F
        start, size = _length(content, at + 1) if new else _old_length(content, at + 1, first & 3)
        if start + size > len(content):
            raise ParseError("the signature is shorter than it says", reason="truncated")
        yield tag, content[at : start + size], content[start : start + size]
        at = start + size


def _length(content: bytes, at: int) -> tuple[int, int]:
    """Where the body starts, and its size, by a header of the present format; also used for subpackets."""
    head = content[at : at + 5]
    if head and head[0] < 192:
        return at + 1, head[0]
    if len(head) > 1 and head[0] < 224:
        return at + 2, (head[0] - 192 << 8) + head[1] + 192
    if len(head) == 5 and head[0] == 255:
        return at + 5, int.from_bytes(head[1:], "big")
    if head and 224 <= head[0] < 255:
        raise ParseError("the signature is in parts, which no signature may be", reason="malformed")
    raise ParseError("the signature ends inside a length", reason="truncated")


def _old_length(content: bytes, at: int, kind: int) -> tuple[int, int]:
    if kind == 3:
        raise ParseError("the signature has no length", reason="malformed")
    size = 1 << kind
    if at + size > len(content):
        raise ParseError("the signature ends inside a length", reason="truncated")
    return at + size, int.from_bytes(content[at : at + size], "big")


class _Reader:
    """Takes bytes from a packet's body, front to back."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.at = 0

    def take(self, count: int) -> bytes:
        taken = self._body[self.at : self.at + count]
        if len(taken) < count:
            raise ParseError("the signature ends before its last field")
        self.at += count
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    @property
    def left(self) -> int:
        return len(self._body) - self.at


def _signature(packet: bytes, body: bytes) -> Signature:
    version = body[0] if body else 0
    if version == 3:
        return _version_3(packet, body)
    if version not in {4, 6}:
        raise ParseError(f"the signature has the unknown version {version}", reason="unknown-version")
    reader = _Reader(body)
    _, kind, key_algorithm, digest = reader.take(4)
    width = 4 if version == 6 else 2
    area = reader.take(reader.number(width))
    hashed = body[: reader.at]
    unhashed = reader.take(reader.number(width))
    start = reader.take(2)
    salt = reader.take(reader.number(1)) if version == 6 else b""
    _check_values(reader, key_algorithm)
    said = _hashed_facts(area)
    return Signature(
        packet=packet,
        version=version,
        kind=kind,
        key_algorithm=key_algorithm,
        digest=digest,
        created=said.created,
        key_id=_only(said.issuers | _unhashed_issuers(unhashed)),
        hashed=hashed + bytes([version, 0xFF]) + struct.pack(">I", len(hashed)),
        digest_start=start,
        salt=salt,
        hashed_size=len(area),
        expires=said.expires,
        unknown=said.unknown,
    )


def _version_3(packet: bytes, body: bytes) -> Signature:
    """RFC 4880 section 5.2.2: fixed fields, no subpackets."""
    reader = _Reader(body)
    if reader.take(2)[1] != 5:
        raise ParseError("the signature of version 3 has a wrong length inside")
    hashed = reader.take(5)
    key_id = reader.take(_KEY_ID_SIZE).hex()
    key_algorithm, digest = reader.take(2)
    start = reader.take(2)
    _check_values(reader, key_algorithm)
    created = _moment(hashed[1:])
    return Signature(packet, 3, hashed[0], key_algorithm, digest, created, key_id, hashed, start)


def _check_values(reader: _Reader, key_algorithm: int) -> None:
    """Require the algorithm's numbers in their only form, and nothing behind them."""
    for _ in range(_INTEGERS.get(key_algorithm, 0)):
        bits = reader.number(2)
        value = int.from_bytes(reader.take((bits + 7) // 8), "big")
        if value.bit_length() != bits:
            raise ParseError("a number of the signature is longer than its value needs")
    if key_algorithm in _FIXED:
        reader.take(_FIXED[key_algorithm])
    # The form of an unknown algorithm's values is unknown; its signature never verifies.
    if reader.left and key_algorithm in {*_INTEGERS, *_FIXED}:
        raise ParseError(f"{reader.left} bytes follow the signature's numbers", reason="signature-tail")


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        start, size = _length(area, at)
        if not size or start + size > len(area):
            raise ParseError("a field of the signature is longer than its area")
        yield area[start], area[start + 1 : start + size]
        at = start + size


@dataclass
class _Hashed:
    """What the hashed area says."""

    created: datetime | None = None
    seconds: int = 0
    """Until the signature expires; 0 if never."""
    issuers: set[str] = field(default_factory=set)
    unknown: int = 0

    @property
    def expires(self) -> datetime | None:
        return self.created + timedelta(seconds=self.seconds) if self.created and self.seconds else None


def _hashed_facts(area: bytes) -> _Hashed:
    found = _Hashed()
    for kind, content in _subpackets(area):
        match kind & ~_CRITICAL:
            case 2 if len(content) == 4:
                found.created = _moment(content)
            case 3 if len(content) == 4:
                found.seconds = int.from_bytes(content, "big")
            case 16 | 33:
                found.issuers.add(_issuer(kind & ~_CRITICAL, content))
            case known if known not in _KNOWN and kind & _CRITICAL:
                found.unknown = known
    return found


def _unhashed_issuers(area: bytes) -> set[str]:
    """The issuers that the unhashed area names: its only content (genuine ones have 10 bytes)."""
    found: dict[int, str] = {}
    for kind, content in _subpackets(area):
        if kind not in {_ISSUER, _ISSUER_FINGERPRINT}:
            raise ParseError(
                f"the unsigned part of the signature holds a field of type {kind & ~_CRITICAL} "
                f"with {len(content)} bytes, and may name its issuer only",
                reason="unhashed-area",
            )
        if kind in found:
            raise ParseError("the unsigned part of the signature names its issuer twice", reason="unhashed-area")
        found[kind] = _issuer(kind, content)
    return set(found.values())


def _issuer(kind: int, content: bytes) -> str:
    """The key id that a subpacket of either kind names."""
    if kind == _ISSUER and len(content) == _KEY_ID_SIZE:
        return content.hex()
    if kind == _ISSUER_FINGERPRINT and content and len(content) - 1 == _FINGERPRINT_SIZES.get(content[0]):
        # RFC 9580 section 5.5.4: the last eight bytes in version 4, the first in later ones.
        return (content[-_KEY_ID_SIZE:] if content[0] == 4 else content[1 : 1 + _KEY_ID_SIZE]).hex()
    raise ParseError("the name of the signature's issuer has a wrong length", reason="unhashed-area")


def _only(issuers: set[str]) -> str:
    if len(issuers) > 1:
        raise ParseError("the signature names two different issuers", reason="unhashed-area")
    return next(iter(issuers), "")


def _moment(seconds: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(seconds, "big"), timezone.utc)
