"""Writes OLE compound files.

Version 3 of the format, with 512-byte sectors and 64-byte mini sectors, and streams directly below the root.
Source: [MS-CFB] v12, Compound File Binary File Format; sections are named where a rule comes from.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SECTOR = 512
"""Bytes in a sector of version 3 (section 2.2)."""
MINI_SECTOR = 64
MINI_CUTOFF = 4096
"""Streams of fewer bytes than this live in the mini stream (section 2.2)."""

_ENTRY = 128
_NUMBERS_A_SECTOR = SECTOR // 4
_HEADER_DIFAT = 109
_MAX_NAME = 31

_DIFAT_SECTOR = 0xFFFFFFFC
_FAT_SECTOR = 0xFFFFFFFD
_END_OF_CHAIN = 0xFFFFFFFE
_FREE = 0xFFFFFFFF
_NO_STREAM = 0xFFFFFFFF

_RED, _BLACK = 0, 1
_STREAM, _ROOT = 2, 5


@dataclass(frozen=True)
class _Placed:
    """A stream with its first sector (or mini sector)."""

    name: str
    start: int
    size: int


@dataclass(frozen=True)
class _Node:
    """A directory entry's place in the tree: identifiers of its children, and its colour."""

    left: int = _NO_STREAM
    right: int = _NO_STREAM
    colour: int = _BLACK


def write(streams: Mapping[str, bytes], root_clsid: bytes) -> bytes:
    r"""Make a compound file of ``streams``, by name; its root storage has the class ``root_clsid``.

    ``root_clsid`` is a GUID as the format packs it (16 bytes, first three fields little-endian).
    The same arguments give the same bytes: no time is written. Names are 1 to 31 UTF-16 code units
    without ``/ \ : !`` and differ in more than case (section 2.6.1).

    Raises:
        ValueError: the class identifier or a name is not what the format allows.
    """
    if len(root_clsid) != 16:
        raise ValueError(f"a class identifier has 16 bytes, not {len(root_clsid)}")
    names = _sorted_names(streams)
    body = _Body()
    placed = _place(names, streams, body)
    directory = _directory(placed, root_clsid)
    directory_start = body.add(directory)
    mini_fat = _numbers(body.mini_chains)
    mini_fat_start = body.add(mini_fat)
    return _finish(body, directory_start, mini_fat_start, len(mini_fat) // SECTOR)


def sort_key(name: str) -> tuple[int, tuple[int, ...]]:
    """Order of directory entries: shorter names first, then upper-cased code units (section 2.6.4)."""
    units = name.encode("utf-16-le")
    upper = "".join(c.upper() if len(c.upper()) == 1 else c for c in name).encode("utf-16-le")
    return len(units), struct.unpack(f"<{len(upper) // 2}H", upper)


class _Body:
    """The sectors after the header, and the chains through them."""

    def __init__(self) -> None:
        self.sectors = bytearray()
        self.fat: list[int] = []
        self.mini_chains: list[int] = []

    def add(self, content: bytes) -> int:
        """Append ``content`` as a chain of sectors and return its first sector."""
        return _chain(self.sectors, self.fat, content, SECTOR)


def _chain(sectors: bytearray, table: list[int], content: bytes, size: int) -> int:
    """Append ``content`` to ``sectors`` in units of ``size`` and chain them in ``table``; return the first unit."""
    if not content:
        return _END_OF_CHAIN
    start, count = len(table), -(-len(content) // size)
    sectors += content
    sectors += bytes(-len(content) % size)
    table += range(start + 1, start + count)
    table.append(_END_OF_CHAIN)
    return start


def _numbers(table: Sequence[int]) -> bytes:
    """Pack an allocation table into whole sectors; what is left over is free."""
    free = [_FREE] * (-len(table) % _NUMBERS_A_SECTOR)
    return struct.pack(f"<{len(table) + len(free)}I", *table, *free)


def _sorted_names(streams: Iterable[str]) -> list[str]:
    names = sorted(streams, key=sort_key)
    for name in names:
        if not 1 <= len(name.encode("utf-16-le")) // 2 <= _MAX_NAME or set(name) & set("/\\:!\0"):
            raise ValueError(f"not a name of a stream: {name!r}")
    keys = [sort_key(name) for name in names]
    if len(set(keys)) != len(keys):
        raise ValueError("two names of streams differ only in case")
    return names


def _place(names: Sequence[str], streams: Mapping[str, bytes], body: _Body) -> list[_Placed]:
    """Lay every stream into sectors or the mini stream; the root, which holds the mini stream, comes first."""
    mini = bytearray()
    placed = []
    for name in names:
        content = streams[name]
        if len(content) < MINI_CUTOFF:
            start = _chain(mini, body.mini_chains, content, MINI_SECTOR)
        else:
            start = body.add(content)
        placed.append(_Placed(name, start, len(content)))
    return [_Placed("Root Entry", body.add(bytes(mini)), len(mini)), *placed]


def _directory(placed: Sequence[_Placed], root_clsid: bytes) -> bytes:
    root, *rest = placed
    nodes = _tree(len(rest))
    top = 1 + _middle(0, len(rest)) if rest else _NO_STREAM
    entries = [_entry(root, _ROOT, _Node(), top, root_clsid)]
    entries += [_entry(stream, _STREAM, node, _NO_STREAM, bytes(16)) for stream, node in zip(rest, nodes, strict=True)]
    # A free entry is zeros but for the three identifiers (section 2.6.3).
    unused = struct.pack("<68sIII48s", b"", _NO_STREAM, _NO_STREAM, _NO_STREAM, b"")
    return b"".join(entries) + unused * (-len(entries) % (SECTOR // _ENTRY))


def _middle(low: int, high: int) -> int:
    return (low + high) // 2


def _tree(count: int) -> list[_Node]:
    """Make a red-black tree over ``count`` sorted entries with identifiers from 1 (section 2.6.4).

    Halving gives a tree with gaps in its lowest level alone. With that level red and all others black,
    every path holds as many black nodes and no red node has a red child.
    """
    nodes = [_Node()] * count
    full_levels = (count + 1).bit_length() - 1
    pending = [(0, count, 0)]
    while pending:
        low, high, depth = pending.pop()
        if low == high:
            continue
        here = _middle(low, high)
        left = 1 + _middle(low, here) if low < here else _NO_STREAM
        right = 1 + _middle(here + 1, high) if here + 1 < high else _NO_STREAM
        nodes[here] = _Node(left, right, _BLACK if depth < full_levels else _RED)
        pending += [(low, here, depth + 1), (here + 1, high, depth + 1)]
    return nodes


def _entry(stream: _Placed, kind: int, node: _Node, child: int, clsid: bytes) -> bytes:
    """Pack one directory entry (section 2.6.1); its times stay zero."""
    name = stream.name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        *(name, len(name), kind, node.colour, node.left, node.right, child),
        *(clsid, 0, 0, 0, stream.start, stream.size),
    )


def _table_sizes(used: int) -> tuple[int, int]:
    """Numbers of FAT and DIFAT sectors that describe ``used`` sectors and themselves (sections 2.3 and 2.5)."""
    fat = difat = 0
    while True:
        needed_fat = -(-(used + fat + difat) // _NUMBERS_A_SECTOR)
        needed_difat = -(-max(0, needed_fat - _HEADER_DIFAT) // (_NUMBERS_A_SECTOR - 1))
        if (needed_fat, needed_difat) == (fat, difat):
            return fat, difat
        fat, difat = needed_fat, needed_difat


def _finish(body: _Body, directory_start: int, mini_fat_start: int, mini_fat_sectors: int) -> bytes:
    """Append the allocation tables, which come last, and put the header in front."""
    used = len(body.fat)
    fat_count, difat_count = _table_sizes(used)
    fat_at = [used + i for i in range(fat_count)]
    difat_start = used + fat_count
    fat = _numbers(body.fat + [_FAT_SECTOR] * fat_count + [_DIFAT_SECTOR] * difat_count)
    difat = _difat(fat_at[_HEADER_DIFAT:], difat_start)
    first_difat = difat_start if difat_count else _END_OF_CHAIN
    header = _header(fat_at, directory_start, (mini_fat_start, mini_fat_sectors), (first_difat, difat_count))
    return header + bytes(body.sectors) + fat + difat


def _difat(fat_at: Sequence[int], start: int) -> bytes:
    """Pack the places of FAT sectors that the header has no room for, each sector naming the next (section 2.5)."""
    room = _NUMBERS_A_SECTOR - 1
    packed = b""
    for index in range(0, len(fat_at), room):
        part = list(fat_at[index : index + room])
        more = index + room < len(fat_at)
        following = start + index // room + 1 if more else _END_OF_CHAIN
        packed += struct.pack(f"<{_NUMBERS_A_SECTOR}I", *part, *[_FREE] * (room - len(part)), following)
    return packed


def _header(fat_at: Sequence[int], directory_start: int, mini_fat: tuple[int, int], difat: tuple[int, int]) -> bytes:
    """Pack the header, which is one sector (section 2.2)."""
    in_header = list(fat_at[:_HEADER_DIFAT])
    in_header += [_FREE] * (_HEADER_DIFAT - len(in_header))
    return struct.pack(
        "<8s16sHHHHH6sIIIIIIIII109I",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b""),
        *(0, len(fat_at), directory_start, 0, MINI_CUTOFF, *mini_fat, *difat),
        *in_header,
    )
