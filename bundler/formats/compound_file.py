"""Reads OLE compound files, the container of an MSI, and refuses those with a byte that no stream owns.

An Authenticode digest covers the streams of an MSI, not the file: whatever is outside of them is not signed (the class
of CVE-2020-1464). So this reader refuses every file in which a byte has no owner, and every structure that two readers
could understand differently.

A compound file is a small file system. The FAT links the sectors of each stream to a chain; small streams share the
"mini stream", which has its own mini FAT; a directory tree names the streams.

1. Read the header. Its fixed fields must have their fixed values: another value would select another reader's code.
2. Read the FAT. The header lists its own sectors and, for large files, a chain of DIFAT sectors does. Each of them is
   claimed before it is read: the chain cannot loop, and no stream can use such a sector too.
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
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO, Final

from bundler.errors import VerificationError
from bundler.formats.chunks import read_chunks
from bundler.formats.compound_directory import Directory, Entry, streams
from bundler.formats.compound_errors import malformed, trailing, truncated
from bundler.formats.compound_sectors import END_OF_CHAIN, FREE, Allocation, Claims, Run, numbers, read_table

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_ZIP_END: Final = b"PK\x05\x06"
_MINI_SECTOR: Final = 64
_MINI_CUTOFF: Final = 4096
_DIFAT_SECTOR: Final = 0xFFFFFFFC
_FAT_SECTOR: Final = 0xFFFFFFFD

_MAX_DIRECTORY: Final = 4 << 20


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
        truncated("its header is incomplete")
    clsid, minor, major, order, shift, mini_shift, reserved = struct.unpack_from("<16sHHHHH6s", raw, 8)
    if any(clsid) or any(reserved) or minor != 0x3E or order != 0xFFFE or mini_shift != 6:
        malformed("a fixed field of its header has another value")
    # Version and sector size belong together; any other pair is read differently by different programs.
    if (major, shift) not in {(3, 9), (4, 12)}:
        malformed(f"version {major} with sectors of 2^{shift} bytes")
    counts = struct.unpack_from("<9I", raw, 40)
    directory_sectors, fat_sectors, directory_start, _transaction, cutoff = counts[:5]
    if cutoff != _MINI_CUTOFF or (major == 3 and directory_sectors):
        malformed("a fixed field of its header has another value")
    # In version 4 the header fills a sector of 4096 bytes, of which only 512 are used.
    if major == 4 and any(file.read(4096 - 512)):
        trailing("its header is followed by more than zeros")
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
            if not self._fat.is_free(self._sectors - 1):
                truncated("its last sector is not complete")
            trailing(f"its size, {self._size} bytes, is not a multiple of its sectors")
        self.root = self._read_directory()
        self._mini, self._mini_runs = self._read_mini()
        self._mini_starts = list(accumulate((length for _, length in self._mini_runs[:-1]), initial=0))
        self._places = {id(stream): self._place(stream) for stream in streams(self.root)}
        self._refuse_unowned()
        self._refuse_archive()

    def _offset(self, sector: int) -> int:
        return (sector + 1) * self._sector

    def _read_sector(self, sector: int) -> bytes:
        if self._offset(sector + 1) > self._size:
            truncated("a sector is past its end")
        self._file.seek(self._offset(sector))
        return self._file.read(self._sector)

    def _difat(self, claims: Claims) -> tuple[list[int], list[int]]:
        """Sectors of the FAT and of the DIFAT, claimed ([MS-CFB] 2.5).

        A sector is claimed before it is read: otherwise a chain that leads back to itself would never end.
        """
        header = self._header
        fat, difat, at = list(header.difat), [], header.difat_start
        while at not in {END_OF_CHAIN, FREE}:
            if at >= self._sectors:
                truncated("its allocation table is past its end")
            claims.claim(at, 1)
            difat.append(at)
            *more, at = numbers(self._read_sector(at))
            fat += more
        used = fat[: header.fat_sectors]
        if len(difat) != header.difat_sectors or any(place != FREE for place in fat[header.fat_sectors :]):
            malformed("its allocation table has not the length that its header declares")
        for at in used:
            if at >= self._sectors:
                truncated("its allocation table is past its end")
            claims.claim(at, 1)
        return used, difat

    def _read_fat(self) -> Allocation:
        claims = Claims(self._sectors)
        fat_at, difat_at = self._difat(claims)
        # The table's last sector has entries for sectors past the end of the file, which must be free.
        table = read_table(map(self._read_sector, fat_at), self._sectors, (FREE,))
        if table is None:
            truncated("it declares more sectors than there are")
        fat = Allocation(table, self._sectors, claims)
        for at in fat_at:
            fat.require_mark(at, _FAT_SECTOR)
        for at in difat_at:
            fat.require_mark(at, _DIFAT_SECTOR)
        return fat

    def _read_directory(self) -> Entry:
        runs = self._fat.chain(self._header.directory_start)
        sectors = sum(count for _, count in runs)
        wide = self._sector == 4096
        if sectors * self._sector > _MAX_DIRECTORY or (wide and sectors != self._header.directory_sectors):
            malformed("its directory has an impossible size")
        return Directory(self._bytes(runs), wide).root()

    def _bytes(self, runs: list[Run]) -> bytes:
        return b"".join(bytes(chunk) for chunk in read_chunks(self._file, self._disk(runs)))

    def _disk(self, runs: list[Run]) -> list[Run]:
        return [(self._offset(at), count * self._sector) for at, count in runs]

    def _read_mini(self) -> tuple[Allocation, list[Run]]:
        """The mini FAT, and the place of the mini stream, which the root entry names ([MS-CFB] 2.4, 2.6.2)."""
        table_runs = self._fat.chain(self._header.mini_fat_start)
        if sum(count for _, count in table_runs) != self._header.mini_fat_sectors:
            malformed("its mini allocation table has not the length that its header declares")
        if self.root.size % _MINI_SECTOR:
            malformed("its mini stream is not a multiple of 64 bytes")
        runs = self._stream_runs(self._fat, self.root, self._sector)
        units = self.root.size // _MINI_SECTOR
        # osslsigncode 2.9 ends the table with one END_OF_CHAIN too many, which owns nothing.
        table = read_table(read_chunks(self._file, self._disk(table_runs)), units, (FREE, END_OF_CHAIN))
        if table is None:
            malformed("its mini allocation table is longer than its mini stream")
        return Allocation(table, units), self._disk(runs)

    @staticmethod
    def _stream_runs(table: Allocation, entry: Entry, unit: int) -> list[Run]:
        """Claim a stream's chain; it must have exactly the length that the stream's size needs."""
        empty = entry.size == 0 and entry.start in {0, FREE}
        runs = [] if empty else table.chain(entry.start)
        if sum(count for _, count in runs) != -(-entry.size // unit):
            malformed("a stream has not the length that its entry declares")
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
                trailing("a sector that belongs to no stream is not empty")
        for at in self._mini.unowned():
            self._file.seek(self._mini_offset(at * _MINI_SECTOR)[0])
            if any(self._file.read(_MINI_SECTOR)):
                trailing("a mini sector that belongs to no stream is not empty")

    def _refuse_archive(self) -> None:
        """Search the slack of every stream for the record that makes a file a ZIP or JAR (APPNOTE 4.3.16).

        Java runs a file with it as a JAR, although its signature as an MSI is valid: CVE-2020-1464.
        """
        for end, length in self._slack():
            self._file.seek(end)
            if _ZIP_END in self._file.read(length):
                trailing("the end record of a ZIP archive follows a stream")

    def _slack(self) -> Iterator[Run]:
        """The bytes between the end of each stream and the end of its last sector or mini sector."""
        for stream in streams(self.root):
            places = self._places[id(stream)]
            if places:
                unit = _MINI_SECTOR if stream.size < _MINI_CUTOFF else self._sector
                yield sum(places[-1]), -stream.size % unit
        if self._mini_runs:
            unused = sum(length for _, length in self._mini_runs) - self.root.size
            yield sum(self._mini_runs[-1]) - unused, unused

    def place(self, stream: Entry) -> list[Run]:
        """Where a stream's bytes are in the file."""
        return self._places[id(stream)]

    def chunks(self, stream: Entry) -> Iterator[memoryview]:
        """A stream's bytes in chunks of at most one MiB, each valid until the next is requested."""
        return read_chunks(self._file, self._places[id(stream)])

    def read(self, stream: Entry, limit: int = 64 << 20) -> bytes:
        """A stream's bytes at once. Raises ``malformed`` if it has more than ``limit`` bytes."""
        if stream.size > limit:
            malformed("a stream is longer than any real one of its kind")
        return b"".join(bytes(chunk) for chunk in self.chunks(stream))

    def stream(self, name: str) -> Entry | None:
        """The stream with that exact name in the root; None if there is none."""
        return next((child for child in self.root.children if child.name == name and child.kind == "stream"), None)
