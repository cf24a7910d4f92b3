"""Reads OLE compound files, the container of an MSI, and refuses those with a byte that no stream owns.

An Authenticode digest covers the streams of an MSI, not the file: whatever is outside of them is not signed (the class
of CVE-2020-1464). So this reader refuses every file in which a byte has no owner, and every structure that two readers
could understand differently.

A compound file is a small file system. The FAT links the sectors of each stream to a chain; small streams share the
"mini stream", which has its own mini FAT; a directory tree names the streams.

1. Read the header. Its fixed fields must have their fixed values: another value would select another reader's code.
2. Read the FAT. The header lists its own sectors and, for large files, a chain of DIFAT sectors does. Each of them is
   claimed, so that no stream can use it too.
3. Check the size: it must be a whole number of sectors, otherwise the last bytes have no owner.
4. Read the directory, claim its chain, and build the tree. Each entry is used exactly once: this excludes loops, and
   entries that no storage names.
5. Read the mini FAT, and claim the mini stream.
6. Follow and claim the chain of every stream. Its length must be the one that its size needs: a longer chain would hide
   sectors, a shorter one would read from elsewhere.
7. A sector without an owner must be free in the table and all zeros on disk.
8. Search the slack after each stream for the end record of a ZIP archive.

Source: [MS-CFB] v12, Compound File Binary File Format; sections are named where a rule comes from.

Deliberately not checked, because real writers differ and it changes nothing that is read: the header's transaction
signature number, the colours of the directory tree, the times of the root, whether a mini sector that does not exist is
marked free or as the end of a chain, and the slack between a stream's end and the end of its last sector (at most one
sector less a byte for each stream): Windows writes remains of its memory there, in Microsoft's own files too. Only the
end record of a ZIP archive (APPNOTE 4.3.16) is searched in the slack: without it no reader takes the file for a JAR.
"""

from __future__ import annotations

import bisect
import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO, Final, Literal, NoReturn

from bundler.errors import VerificationError
from bundler.formats.chunks import read_chunks

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_ZIP_END: Final = b"PK\x05\x06"
_MINI_SECTOR: Final = 64
_MINI_CUTOFF: Final = 4096
_ENTRY: Final = 128
_HEADER_DIFAT: Final = 109
_DIFAT_SECTOR: Final = 0xFFFFFFFC
_FAT_SECTOR: Final = 0xFFFFFFFD
_END_OF_CHAIN: Final = 0xFFFFFFFE
_FREE: Final = 0xFFFFFFFF
_NO_ENTRY: Final = 0xFFFFFFFF

_MAX_DIRECTORY: Final = 4 << 20
_MAX_DEPTH: Final = 8
_LONGEST_COMPARISON: Final = 1 << 16

Run = tuple[int, int]
"""Offset and length in bytes."""

EntryKind = Literal["root", "storage", "stream"]
_KINDS: Final[dict[int, EntryKind]] = {1: "storage", 2: "stream", 5: "root"}


@dataclass(frozen=True)
class Entry:
    """A directory entry ([MS-CFB] 2.6.1); the parts that a signature covers are kept as raw bytes."""

    name: str
    raw_name: bytes
    """UTF-16LE, without the terminating zero."""
    kind: EntryKind
    clsid: bytes
    state: bytes
    created: bytes
    modified: bytes
    start: int
    size: int
    """Bytes; 0 for a storage."""
    children: tuple[Entry, ...] = ()


def _malformed(what: str) -> NoReturn:
    raise VerificationError(f"the compound file is malformed: {what}", reason="malformed")


def _truncated(what: str) -> NoReturn:
    raise VerificationError(f"the file ends too early: {what}", reason="truncated")


def _trailing(what: str) -> NoReturn:
    raise VerificationError(f"the file holds bytes that its signature does not cover: {what}", reason="trailing-data")


@dataclass(frozen=True)
class _Header:
    """The fields of the header that are used ([MS-CFB] 2.2)."""

    sector: int
    directory_sectors: int
    fat_sectors: int
    directory_start: int
    mini_fat_start: int
    mini_fat_sectors: int
    difat_start: int
    difat_sectors: int
    difat: tuple[int, ...]


def _read_header(file: BinaryIO) -> _Header:
    file.seek(0)
    raw = file.read(512)
    if raw[:8] != MAGIC:
        raise VerificationError("this is not a compound file: its first eight bytes differ", reason="unknown-kind")
    if len(raw) < 512:
        _truncated("its header is incomplete")
    clsid, minor, major, order, shift, mini_shift, reserved = struct.unpack_from("<16sHHHHH6s", raw, 8)
    if any(clsid) or any(reserved) or minor != 0x3E or order != 0xFFFE or mini_shift != 6:
        _malformed("a fixed field of its header has another value")
    # Version and sector size belong together; any other pair is read differently by different programs.
    if (major, shift) not in {(3, 9), (4, 12)}:
        _malformed(f"version {major} with sectors of 2^{shift} bytes")
    counts = struct.unpack_from("<9I", raw, 40)
    directory_sectors, fat_sectors, directory_start, _transaction, cutoff = counts[:5]
    if cutoff != _MINI_CUTOFF or (major == 3 and directory_sectors):
        _malformed("a fixed field of its header has another value")
    # In version 4 the header fills a sector of 4096 bytes, of which only 512 are used.
    if major == 4 and any(file.read(4096 - 512)):
        _trailing("its header is followed by more than zeros")
    difat = struct.unpack_from("<109I", raw, 76)
    mini_fat_start, mini_fat_sectors, difat_start, difat_sectors = counts[5:]
    return _Header(
        sector=1 << shift,
        directory_sectors=directory_sectors,
        fat_sectors=fat_sectors,
        directory_start=directory_start,
        mini_fat_start=mini_fat_start,
        mini_fat_sectors=mini_fat_sectors,
        difat_start=difat_start,
        difat_sectors=difat_sectors,
        difat=difat,
    )


def _numbers(raw: bytes) -> array[int]:
    """Little-endian 32-bit numbers."""
    numbers = array("I", raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _contiguous(table: array[int], first: int) -> int:
    """The number of units from ``first`` on that follow each other on disk.

    Real files are almost contiguous. So whole blocks of the table are compared with a range, in sizes that double while
    they match and halve when they do not: much faster than following the chain entry by entry.
    """
    at, block = first, 1
    while block:
        block = min(block, len(table) - at)
        if block and table[at : at + block] == array("I", range(at + 1, at + block + 1)):
            at += block
            block = min(block * 2, _LONGEST_COMPARISON)
        else:
            block //= 2
    return min(at - first + 1, len(table) - first)


class _Allocation:
    """A table of chains (FAT or mini FAT), with a mark for each unit that has an owner ([MS-CFB] 2.3, 2.4)."""

    def __init__(self, table: array[int], units: int) -> None:
        self._table = table[:units] + array("I", [_FREE]) * (units - len(table))
        self._owned = bytearray(units)

    def claim(self, first: int, count: int) -> None:
        """Mark units as owned; a unit with two owners could be read as one thing and signed as another."""
        if first + count > len(self._owned):
            _truncated("a chain of sectors extends past its end")
        if self._owned.find(1, first, first + count) != -1:
            _malformed("two chains share a sector")
        self._owned[first : first + count] = b"\1" * count

    def claim_special(self, at: int, mark: int) -> None:
        """Mark a unit as owned by the tables themselves, which the table must say too ([MS-CFB] 2.3)."""
        self.claim(at, 1)
        if self._table[at] != mark:
            _malformed("a sector of the allocation table is not marked as one")

    def chain(self, start: int) -> list[Run]:
        """Claim the chain from ``start``: runs of (first unit, number of units).

        A chain that loops ends with an error, because claiming a unit twice fails.
        """
        runs = []
        at = start
        while at != _END_OF_CHAIN:
            if at >= len(self._table):
                _malformed("a chain of sectors points outside of the file")
            count = _contiguous(self._table, at)
            self.claim(at, count)
            runs.append((at, count))
            at = self._table[at + count - 1]
        return runs

    def unowned(self) -> Iterator[int]:
        """The units without an owner; the table must mark them free, otherwise a chain leads to no stream."""
        at = self._owned.find(0)
        while at != -1:
            if self._table[at] != _FREE:
                _malformed("allocated sectors belong to no stream")
            yield at
            at = self._owned.find(0, at + 1)


@dataclass(frozen=True)
class _Raw:
    """A directory entry with its links, before the tree is built."""

    entry: Entry
    left: int
    right: int
    child: int


def _raw_entry(raw: bytes, wide_sizes: bool) -> _Raw | None:
    """Unpack one directory entry ([MS-CFB] 2.6.1); None if it is free (2.6.3)."""
    name, length, kind, colour, left, right, child, clsid, state, created, modified, start, size = struct.unpack(
        "<64sHBBIII16s4s8s8sIQ", raw
    )
    if kind == 0:
        # A free entry has room for hidden bytes. Writers use both 0 and "no entry" for its links.
        if any(raw[:68]) or any(raw[80:]) or any(link not in {0, _NO_ENTRY} for link in (left, right, child)):
            _trailing("a free directory entry is not empty")
        return None
    if kind not in _KINDS or colour > 1 or length % 2 or not 4 <= length <= 64 or any(name[length - 2 :]):
        _malformed("a directory entry is invalid")
    # Version 3 uses 32 bits of the size; readers differ in whether they ignore the others.
    if size >> 32 and not wide_sizes:
        _malformed("a stream is larger than its version allows")
    raw_name = name[: length - 2]
    entry = Entry(
        raw_name.decode("utf-16-le", "surrogatepass"),
        *(raw_name, _KINDS[kind], clsid, state, created, modified, start, size),
    )
    return _Raw(entry, left, right, child)


def _order(name: str) -> tuple[int, bytes]:
    """The sort key of siblings, by which names are compared ([MS-CFB] 2.6.4): shorter first, then upper case."""
    upper = "".join(c.upper() if len(c.upper()) == 1 else c for c in name).encode("utf-16-be", "surrogatepass")
    return len(upper), upper


class _Directory:
    """Builds nested entries from the trees of raw entries; each entry is used once."""

    def __init__(self, raw: bytes, wide_sizes: bool) -> None:
        chunks = (raw[at : at + _ENTRY] for at in range(0, len(raw), _ENTRY))
        self._entries = [_raw_entry(chunk, wide_sizes) for chunk in chunks]
        self._left = {index for index, found in enumerate(self._entries) if found}

    def root(self) -> Entry:
        first = self._take(0)
        if (
            first.entry.kind != "root"
            or first.entry.name != "Root Entry"
            or (first.left, first.right) != (_NO_ENTRY, _NO_ENTRY)
        ):
            _malformed("its first directory entry is not the root")
        root = self._storage(first, 0)
        if self._left:
            _trailing("a directory entry belongs to no storage")
        return root

    def _take(self, index: int) -> _Raw:
        found = self._entries[index] if index < len(self._entries) else None
        if found is None or index not in self._left:
            _malformed("its directory is not a tree")
        self._left.discard(index)
        return found

    def _storage(self, raw: _Raw, depth: int) -> Entry:
        if depth > _MAX_DEPTH:
            _malformed("its storages are nested too deep")
        children = tuple(self._child(found, depth) for found in self._siblings(raw.child))
        keys = [_order(child.name) for child in children]
        if len(set(keys)) != len(keys):
            raise VerificationError("two streams have names that differ only in case", reason="duplicate-name")
        # Windows finds a name by binary search: in a tree out of order it sees other streams than a full walk.
        if keys != sorted(keys):
            _malformed("its directory is not in order")
        entry = raw.entry
        size = entry.size if entry.kind == "root" else 0
        covered = (entry.name, entry.raw_name, entry.kind, entry.clsid, entry.state, entry.created, entry.modified)
        return Entry(*covered, entry.start, size, children)

    def _child(self, raw: _Raw, depth: int) -> Entry:
        if raw.entry.kind == "storage":
            return self._storage(raw, depth + 1)
        if raw.entry.kind != "stream" or raw.child != _NO_ENTRY or any(raw.entry.clsid):
            _malformed("a stream has children or a class")
        return raw.entry

    def _siblings(self, top: int) -> list[_Raw]:
        """The binary tree below ``top`` in order, without recursion: a hostile tree can be very deep."""
        found: list[_Raw] = []
        pending: list[_Raw] = []
        at = top
        while at != _NO_ENTRY or pending:
            if at != _NO_ENTRY:
                pending.append(self._take(at))
                at = pending[-1].left
            else:
                found.append(pending.pop())
                at = found[-1].right
        return found


def _streams(entry: Entry) -> Iterator[Entry]:
    for child in entry.children:
        if child.kind == "stream":
            yield child
        else:
            yield from _streams(child)


class CompoundFile:
    """An open compound file in which every byte has an owner.

    Memory: the allocation table (1/128 of the file), a byte for each sector, and chunks of one MiB.

    Args:
        file: seekable, open as long as this object is used.

    Raises:
        VerificationError: ``unknown-kind``, ``truncated``, ``malformed``, ``duplicate-name``, ``trailing-data``.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        self._header = _read_header(file)
        self._sector = self._header.sector
        self._sectors = max(0, -(-self._size // self._sector) - 1)
        self._fat = self._read_fat()
        if self._size % self._sector:
            _trailing(f"its size, {self._size} bytes, is not a multiple of its sectors")
        self.root = self._read_directory()
        self._mini, self._mini_runs = self._read_mini()
        self._mini_starts = list(accumulate((length for _, length in self._mini_runs[:-1]), initial=0))
        self._places = {id(stream): self._place(stream) for stream in _streams(self.root)}
        self._refuse_unowned()
        self._refuse_archive()

    def _offset(self, sector: int) -> int:
        return (sector + 1) * self._sector

    def _read_sector(self, sector: int) -> bytes:
        if self._offset(sector + 1) > self._size:
            _truncated("a sector is past its end")
        self._file.seek(self._offset(sector))
        return self._file.read(self._sector)

    def _difat(self) -> tuple[list[int], list[int]]:
        """Sectors of the FAT and of the DIFAT ([MS-CFB] 2.5)."""
        header = self._header
        fat, difat, at = list(header.difat), [], header.difat_start
        for _ in range(header.difat_sectors):
            if at >= self._sectors:
                _truncated("its allocation table is past its end")
            difat.append(at)
            *more, at = _numbers(self._read_sector(at))
            fat += more
        if at not in {_END_OF_CHAIN, _FREE} or any(place != _FREE for place in fat[header.fat_sectors :]):
            _malformed("its allocation table is longer than declared")
        return fat[: header.fat_sectors], difat

    def _read_fat(self) -> _Allocation:
        fat_at, difat_at = self._difat()
        if any(at >= self._sectors for at in fat_at):
            _truncated("its allocation table is past its end")
        if len(set(fat_at)) != len(fat_at):
            _malformed("a sector of the allocation table is listed twice")
        raw = b"".join(map(self._read_sector, fat_at))
        numbers = _numbers(raw)
        # The table's last sector has entries for sectors past the end of the file, which must be free.
        if set(numbers[self._sectors :]) - {_FREE}:
            _truncated("it declares more sectors than there are")
        fat = _Allocation(numbers, self._sectors)
        for at in fat_at:
            fat.claim_special(at, _FAT_SECTOR)
        for at in difat_at:
            fat.claim_special(at, _DIFAT_SECTOR)
        return fat

    def _read_directory(self) -> Entry:
        runs = self._fat.chain(self._header.directory_start)
        sectors = sum(count for _, count in runs)
        wide = self._sector == 4096
        if sectors * self._sector > _MAX_DIRECTORY or (wide and sectors != self._header.directory_sectors):
            _malformed("its directory has an impossible size")
        return _Directory(self._bytes(runs), wide).root()

    def _bytes(self, runs: list[Run]) -> bytes:
        return b"".join(bytes(chunk) for chunk in read_chunks(self._file, self._disk(runs)))

    def _disk(self, runs: list[Run]) -> list[Run]:
        return [(self._offset(at), count * self._sector) for at, count in runs]

    def _read_mini(self) -> tuple[_Allocation, list[Run]]:
        """The mini FAT, and the place of the mini stream, which the root entry names ([MS-CFB] 2.4, 2.6.2)."""
        table_runs = self._fat.chain(self._header.mini_fat_start)
        if sum(count for _, count in table_runs) != self._header.mini_fat_sectors:
            _malformed("its mini allocation table has not the length that its header declares")
        if self.root.size % _MINI_SECTOR:
            _malformed("its mini stream is not a multiple of 64 bytes")
        runs = self._stream_runs(self._fat, self.root, self._sector)
        numbers, units = _numbers(self._bytes(table_runs)), self.root.size // _MINI_SECTOR
        # osslsigncode 2.9 ends the table with one END_OF_CHAIN too many, which owns nothing.
        if set(numbers[units:]) - {_FREE, _END_OF_CHAIN}:
            _malformed("its mini allocation table is longer than its mini stream")
        return _Allocation(numbers, units), self._disk(runs)

    @staticmethod
    def _stream_runs(table: _Allocation, entry: Entry, unit: int) -> list[Run]:
        """Claim a stream's chain; it must have exactly the length that the stream's size needs."""
        empty = entry.size == 0 and entry.start in {0, _FREE}
        runs = [] if empty else table.chain(entry.start)
        if sum(count for _, count in runs) != -(-entry.size // unit):
            _malformed("a stream has not the length that its entry declares")
        return runs

    def _place(self, entry: Entry) -> list[Run]:
        """The runs of a stream's bytes on disk, cut to its size; below 4096 bytes it is in the mini stream."""
        if entry.size < _MINI_CUTOFF:
            runs = self._mini_disk(self._stream_runs(self._mini, entry, _MINI_SECTOR))
        else:
            runs = self._disk(self._stream_runs(self._fat, entry, self._sector))
        if runs:
            offset, length = runs[-1]
            runs[-1] = (offset, length - (sum(size for _, size in runs) - entry.size))
        return runs

    def _mini_disk(self, runs: list[Run]) -> list[Run]:
        """Runs of mini sectors as runs on disk, split where the mini stream itself is fragmented."""
        found = []
        for at, count in runs:
            position, left = at * _MINI_SECTOR, count * _MINI_SECTOR
            while left:
                offset, room = self._mini_offset(position)
                length = min(room, left)
                found.append((offset, length))
                position, left = position + length, left - length
        return found

    def _mini_offset(self, position: int) -> Run:
        """A position of the mini stream on disk, and the number of contiguous bytes from there."""
        index = bisect.bisect_right(self._mini_starts, position) - 1
        offset, length = self._mini_runs[index]
        into = position - self._mini_starts[index]
        return offset + into, length - into

    def _refuse_unowned(self) -> None:
        for at in self._fat.unowned():
            if any(self._read_sector(at)):
                _trailing("a sector that belongs to no stream is not empty")
        for at in self._mini.unowned():
            self._file.seek(self._mini_offset(at * _MINI_SECTOR)[0])
            if any(self._file.read(_MINI_SECTOR)):
                _trailing("a mini sector that belongs to no stream is not empty")

    def _refuse_archive(self) -> None:
        """Search the slack of every stream for the record that makes a file a ZIP or JAR (APPNOTE 4.3.16).

        Java runs a file with it as a JAR, although its signature as an MSI is valid: CVE-2020-1464.
        """
        for end, length in self._slack():
            self._file.seek(end)
            if _ZIP_END in self._file.read(length):
                _trailing("the end record of a ZIP archive follows a stream")

    def _slack(self) -> Iterator[Run]:
        """The bytes between the end of each stream and the end of its last sector or mini sector."""
        for stream in _streams(self.root):
            places = self._places[id(stream)]
            if places:
                unit = _MINI_SECTOR if stream.size < _MINI_CUTOFF else self._sector
                yield sum(places[-1]), -stream.size % unit
        if self._mini_runs:
            unused = sum(length for _, length in self._mini_runs) - self.root.size
            yield sum(self._mini_runs[-1]) - unused, unused

    def chunks(self, stream: Entry) -> Iterator[memoryview]:
        """A stream's bytes in chunks of at most one MiB, each valid until the next is requested."""
        return read_chunks(self._file, self._places[id(stream)])

    def read(self, stream: Entry, limit: int = 64 << 20) -> bytes:
        """A stream's bytes at once. Raises ``malformed`` if it has more than ``limit`` bytes."""
        if stream.size > limit:
            _malformed("a stream is longer than any real one of its kind")
        return b"".join(bytes(chunk) for chunk in self.chunks(stream))

    def stream(self, name: str) -> Entry | None:
        """The stream with that exact name in the root; None if there is none."""
        return next((child for child in self.root.children if child.name == name and child.kind == "stream"), None)
