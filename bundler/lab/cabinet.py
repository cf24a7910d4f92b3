"""Writes cabinet files.

One folder, compressed with MSZIP: blocks of 32 KiB, each a deflate stream of its own that may refer to the block
before it. Sources: [MS-CAB] (structures, checksum) and [MS-MCI] (MSZIP).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_BLOCK = 32768
_LARGEST_COMPRESSED = _BLOCK + 12
"""An MSZIP block with its two letters ([MS-MCI], section 3)."""
_MSZIP = 1
_ARCHIVE, _UTF8_NAME = 0x20, 0x80


@dataclass(frozen=True)
class CabinetFile:
    """One file of a cabinet."""

    name: str
    content: bytes
    modified: datetime


def write(files: Sequence[CabinetFile]) -> bytes:
    """Make a cabinet of ``files`` in their order.

    Raises:
        ValueError: there are more than 2 GB of them, which one folder does not hold.
    """
    content = b"".join(file.content for file in files)
    blocks = _blocks(content)
    if len(blocks) > 0xFFFF:
        raise ValueError("too much for one folder of a cabinet")
    entries, at = [], 0
    for file in files:
        entries.append(_entry(file, at))
        at += len(file.content)
    listing, data = b"".join(entries), b"".join(blocks)
    files_at = 36 + 8
    data_at = files_at + len(listing)
    counts = struct.pack("<BBHHHHH", 3, 1, 1, len(files), 0, 0, 0)
    header = struct.pack("<4sIIIII", b"MSCF", 0, data_at + len(data), 0, files_at, 0) + counts
    return header + struct.pack("<IHH", data_at, len(blocks), _MSZIP) + listing + data


def _entry(file: CabinetFile, offset: int) -> bytes:
    """Pack a CFFILE ([MS-CAB], section 2.3); its time is in seconds of two, as MS-DOS had it."""
    t = file.modified
    day = (max(t.year, 1980) - 1980) << 9 | t.month << 5 | t.day
    clock = t.hour << 11 | t.minute << 5 | t.second // 2
    attributes = _ARCHIVE | (0 if file.name.isascii() else _UTF8_NAME)
    return struct.pack("<IIHHHH", len(file.content), offset, 0, day, clock, attributes) + file.name.encode() + b"\0"


def _blocks(content: bytes) -> list[bytes]:
    """Pack CFDATA blocks ([MS-CAB], section 2.4)."""
    packed, before = [], b""
    for at in range(0, len(content), _BLOCK):
        plain = content[at : at + _BLOCK]
        compressed = _compressed(plain, before)
        sizes = struct.pack("<HH", len(compressed), len(plain))
        checksum = _checksum(compressed) ^ _checksum(sizes)
        packed.append(struct.pack("<I", checksum) + sizes + compressed)
        before = plain
    return packed


def _compressed(plain: bytes, before: bytes) -> bytes:
    """Compress one block; what does not shrink is stored in the same form."""
    for level in (6, 0):
        squeeze = zlib.compressobj(level, zlib.DEFLATED, -15, zdict=before)
        compressed = b"CK" + squeeze.compress(plain) + squeeze.flush()
        if len(compressed) <= _LARGEST_COMPRESSED:
            break
    return compressed


def _checksum(content: bytes) -> int:
    """XOR of all little-endian words; one to three bytes left over count as big-endian ([MS-CAB], section 3.1)."""
    whole = len(content) // 4 * 4
    words = int.from_bytes(content[:whole], "little")
    count = whole // 4
    while count > 1:
        half = (count + 1) // 2
        words = words & ((1 << 32 * half) - 1) ^ words >> 32 * half
        count = half
    return words ^ int.from_bytes(content[whole:], "big")
