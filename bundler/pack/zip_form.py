"""Computes the zip of a bundle byte for byte: what our writer writes, and the only thing that our reader accepts.

PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.14 to 4.3.16 (end), 4.5.3 (Zip64). The
installed :mod:`zipfile` is not asked, so that the bytes and the verdict are the same with every Python. The choices
that the standard leaves open are those of zipfile, with which 0.1.0 and 0.2.0 wrote: Zip64 begins at 2 GiB, and before
a member already where its size might grow by a twentieth.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

ZIP64_LIMIT = (1 << 31) - 1
"""The largest size and offset without Zip64."""
EARLIEST, LATEST = 1980, 2107
"""Years of the times that a zip can hold."""
TIME_STEP = 2
"""Seconds in which a zip counts time."""

_GROWTH = 1.05
_MOST_MEMBERS = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_PLAIN, _LARGE = 20, 45
"""Versions of the format (4.4.3): 2.0, and 4.5 for Zip64."""
_UNIX = 3
_UTF8 = 0x800
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True)
class Described:
    """One stored file of a zip."""

    name: str
    """With the bundle's folder in front."""
    size: int
    crc: int
    mode: int
    """Permission bits."""
    time: int
    """Seconds since 1970."""
    offset: int
    """Bytes before its local header."""


@dataclass(frozen=True)
class Headers:
    """What a zip says of one file."""

    local: bytes
    central: bytes


def headers(one: Described, *, late: bool = False) -> Headers:
    """The two headers of a file; with ``late`` as Python before 3.11.4 wrote them for sizes a little below 2 GiB.

    There, :func:`zipfile.ZipFile.open` adds the Zip64 field, and the older one did not use it.
    """
    large = one.size > ZIP64_LIMIT
    extended = one.size * _GROWTH > ZIP64_LIMIT
    version = _LARGE if (large if late else extended) else _PLAIN
    return Headers(
        _local(one, version, extended=extended, shown=_FULL32 if version == _LARGE else one.size),
        _central(one, version, large=large),
    )


def accepted(one: Described) -> tuple[Headers, ...]:
    """Every form that a release of ours wrote; the first is the one that this release writes."""
    return tuple(dict.fromkeys((headers(one), headers(one, late=True))))


def end(count: int, offset: int, size: int) -> bytes:
    """What follows the directory: ``count`` entries of ``size`` bytes together, which begin at ``offset``."""
    large = b""
    if count > _MOST_MEMBERS or max(offset, size) > ZIP64_LIMIT:
        length = _END64.size - 12  # of what follows the length (4.3.14.1)
        large = _END64.pack(b"PK\x06\x06", length, _LARGE, _LARGE, 0, 0, count, count, size, offset)
        large += _LOCATOR64.pack(b"PK\x06\x07", 0, offset + size, 1)
    shown = min(count, _FULL16)
    return large + _END.pack(b"PK\x05\x06", 0, 0, shown, shown, min(size, _FULL32), min(offset, _FULL32), 0)


def tail(central: Sequence[bytes], offset: int) -> Iterable[bytes]:
    """The directory of the entries ``central``, which begins at ``offset``, and the end."""
    yield from central
    yield end(len(central), offset, sum(map(len, central)))


def can_hold(time: datetime) -> bool:
    """Whether a zip can hold ``time``."""
    return EARLIEST <= time.astimezone(timezone.utc).year <= LATEST


def _local(one: Described, version: int, *, extended: bool, shown: int) -> bytes:
    name, flags = _name(one)
    extra = struct.pack("<2H2Q", 1, 16, one.size, one.size) if extended else b""
    fixed = (b"PK\x03\x04", version, flags, 0, *_dos_time(one.time), one.crc, shown, shown, len(name), len(extra))
    return _LOCAL.pack(*fixed) + name + extra


def _central(one: Described, version: int, *, large: bool) -> bytes:
    name, flags = _name(one)
    wide = [one.size, one.size] if large else []
    offset = one.offset
    if offset > ZIP64_LIMIT:
        wide.append(offset)
        offset = _FULL32
    extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    needed = _LARGE if wide else version
    shown = _FULL32 if large else one.size
    fixed = _CENTRAL.pack(
        b"PK\x01\x02",
        needed,
        _UNIX,
        needed,
        0,
        flags,
        0,  # stored
        *_dos_time(one.time),
        one.crc,
        shown,
        shown,
        len(name),
        len(extra),
        0,
        0,
        0,
        (stat.S_IFREG | one.mode) << 16,
        offset,
    )
    return fixed + name + extra


def _name(one: Described) -> tuple[bytes, int]:
    return one.name.encode(), 0 if one.name.isascii() else _UTF8


def _dos_time(seconds: int) -> tuple[int, int]:
    """Time and date (4.4.6) in UTC, in steps of two seconds."""
    at = datetime.fromtimestamp(seconds, timezone.utc)
    return at.hour << 11 | at.minute << 5 | at.second // 2, (at.year - EARLIEST) << 9 | at.month << 5 | at.day
