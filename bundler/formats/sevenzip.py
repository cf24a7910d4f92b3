"""Reads the headers of a 7z archive.

Every count is held against the bytes that remain, so that no header asks for more memory than a small multiple of its
own length. What the archive says is given as it stands: whether a bundle may say so is decided in ``pack``.
Format: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from bundler.formats.sevenzip_source import MAX_COUNT, Property, SevenZipError, Source

MAGIC = b"7z\xbc\xaf\x27\x1c"
VERSION = b"\x00\x04"
START = struct.Struct("<6s2sLQQL")
"""The signature header: magic, version, CRC of the rest; then offset, size and CRC of the header at the end."""
MAX_HEADER = 16 << 20
"""Bytes of a header: a bundle's has about a hundred for each file."""

MAX_POSITION = 1 << 62
"""No file has bytes beyond it, and every system can seek to it."""


@dataclass(frozen=True)
class StartHeader:
    """The first 32 bytes."""

    version: bytes
    offset: int
    """Of the header at the end, from the end of this one."""
    size: int
    crc: int


@dataclass(frozen=True)
class Coder:
    """One step of unpacking."""

    method: bytes
    properties: bytes | None = None


@dataclass(frozen=True)
class Folder:
    """One packed block: its steps, and the bytes that each of them gives."""

    coders: tuple[Coder, ...]
    bonds: tuple[tuple[int, int], ...]
    sizes: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the block after its last step."""
        inner = {given for _, given in self.bonds}
        return next((size for at, size in enumerate(self.sizes) if at not in inner), 0)


@dataclass(frozen=True)
class File:
    """One file, as described; None where nothing is stated."""

    name: str = ""
    modified: int | None = None
    attributes: int | None = None
    empty: bool = False
    """Whether it is stated to have no content: an empty file or a folder."""


@dataclass
class Streams:
    """Where the packed bytes are, and what they unpack to."""

    position: int = 0
    packed: tuple[int, ...] = ()
    packed_crcs: tuple[int | None, ...] = ()
    folders: tuple[Folder, ...] = ()
    counts: tuple[int, ...] = ()
    """Files in each folder."""
    sizes: tuple[int, ...] = ()
    crcs: tuple[int | None, ...] = ()


@dataclass
class Header:
    """Everything that a header states."""

    streams: Streams = field(default_factory=Streams)
    files: tuple[File, ...] = ()


def number(value: int) -> bytes:
    """``value`` in the format's variable form, which is the shortest one (7zFormat.txt, UINT64)."""
    for extra in range(8):
        if value < 1 << (7 - extra) + 8 * extra:
            first = (0xFF00 >> extra) & 0xFF | value >> 8 * extra
            return bytes([first]) + (value & (1 << 8 * extra) - 1).to_bytes(extra, "little")
    return b"\xff" + value.to_bytes(8, "little")


def start_header(end: bytes, offset: int) -> bytes:
    """The first 32 bytes of an archive with the header ``end`` at ``offset`` behind them."""
    where = struct.pack("<QQL", offset, len(end), zlib.crc32(end))
    return MAGIC + VERSION + struct.pack("<L", zlib.crc32(where)) + where


def read_start(start: bytes) -> StartHeader:
    """Read the first 32 bytes. Raises SevenZipError: too few, or damaged."""
    if len(start) < START.size:
        raise SevenZipError("it is too short")
    magic, version, crc, offset, size, end_crc = START.unpack(start[: START.size])
    if magic != MAGIC or zlib.crc32(start[12 : START.size]) != crc:
        raise SevenZipError("its first header is damaged")
    return StartHeader(version, offset, size, end_crc)


def read_header(header: bytes) -> Header:
    """Read a header that is not packed. Raises SevenZipError."""
    source = Source(header)
    source.expect(Property.HEADER)
    found = Header()
    kind = source.byte()
    if kind == Property.STREAMS:
        found.streams = _streams(source)
        kind = source.byte()
    if kind == Property.FILES:
        found.files = _files(source)
        kind = source.byte()
    source.require(Property.END, kind)
    source.require_end()
    return found


def read_packed_header(header: bytes) -> Streams:
    """Read where a packed header is, and how it is packed. Raises SevenZipError."""
    source = Source(header)
    source.expect(Property.ENCODED_HEADER)
    found = _streams(source)
    source.require_end()
    return found


def _streams(source: Source) -> Streams:
    found = Streams()
    kind = source.byte()
    if kind == Property.PACK:
        _packed(source, found)
        kind = source.byte()
    if kind == Property.UNPACK:
        _unpacked(source, found)
        kind = source.byte()
    crcs = found.crcs  # so far those of whole folders
    found.counts = (1,) * len(found.folders)
    found.sizes = tuple(folder.size for folder in found.folders)
    if kind == Property.SUBSTREAMS:
        found.crcs = ()
        _substreams(source, found, crcs)
        kind = source.byte()
    source.require(Property.END, kind)
    return found


def _packed(source: Source, found: Streams) -> None:
    found.position = source.number()
    count = source.count()
    kind = source.byte()
    if kind == Property.SIZE:
        found.packed = source.numbers(count)
        kind = source.byte()
    if kind == Property.CRC:
        found.packed_crcs = source.values(source.defined(count), 4)
        kind = source.byte()
    source.require(Property.END, kind)


def _unpacked(source: Source, found: Streams) -> None:
    source.expect(Property.FOLDER)
    count = source.count()
    source.inside()
    folders = [_folder(source) for _ in range(count)]
    source.expect(Property.UNPACK_SIZE)
    found.folders = tuple(Folder(folder.coders, folder.bonds, source.numbers(outputs)) for folder, outputs in folders)
    kind = source.byte()
    if kind == Property.CRC:
        found.crcs = source.values(source.defined(count), 4)
        kind = source.byte()
    source.require(Property.END, kind)


def _folder(source: Source) -> tuple[Folder, int]:
    """One folder without its sizes, and how many of these there are."""
    coders = []
    inputs = outputs = 0
    for _ in range(source.count()):
        flags = source.byte()
        if flags & 0xC0:
            raise SevenZipError("a header has a coder of another version", reason="foreign")
        method = source.take(flags & 0x0F)
        inputs, outputs = (
            (inputs + source.count(), outputs + source.count()) if flags & 0x10 else (inputs + 1, outputs + 1)
        )
        coders.append(Coder(method, source.take(source.number()) if flags & 0x20 else None))
    if not 0 < outputs <= inputs + 1:
        raise SevenZipError("a header has a block without a way to unpack it", reason="foreign")
    bonds = tuple((source.number(), source.number()) for _ in range(outputs - 1))
    if inputs - len(bonds) > 1:
        source.numbers(inputs - len(bonds))
    return Folder(tuple(coders), bonds), outputs


def _substreams(source: Source, found: Streams, folder_crcs: tuple[int | None, ...]) -> None:
    kind = source.byte()
    if kind == Property.NUMBER_OF_FILES:
        found.counts = source.numbers(len(found.folders))
        kind = source.byte()
    if sum(found.counts) > MAX_COUNT:
        raise SevenZipError(f"a header lists {sum(found.counts)} files", reason="too-big")
    source_has_sizes = kind == Property.SIZE
    sizes: list[int] = []
    for folder, count in zip(found.folders, found.counts, strict=True):
        listed = source.numbers(count - 1) if source_has_sizes and count else ()
        if count > 1 and not source_has_sizes:
            raise SevenZipError("a header does not state the sizes of its files")
        rest = folder.size - sum(listed)
        if rest < 0:
            raise SevenZipError("a header states files larger than their block")
        sizes += [*listed, rest] if count else []
    found.sizes = tuple(sizes)
    if source_has_sizes:
        kind = source.byte()
    found.crcs = (None,) * len(sizes)
    if kind == Property.CRC:
        found.crcs = _file_crcs(source, found, folder_crcs)
        kind = source.byte()
    source.require(Property.END, kind)


def _file_crcs(source: Source, found: Streams, folder_crcs: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The CRC of each file: not stated again where a folder of one file has its own."""
    whole = folder_crcs or (None,) * len(found.folders)
    own = [count == 1 and crc is not None for count, crc in zip(found.counts, whole, strict=True)]
    stated = sum(count for count, known in zip(found.counts, own, strict=True) if not known)
    values = iter(source.values(source.defined(stated), 4))
    return tuple(
        crc if known else next(values)
        for count, crc, known in zip(found.counts, whole, own, strict=True)
        for _ in range(count)
    )


def _files(source: Source) -> tuple[File, ...]:
    # A file needs two bytes for the end of its name at the least.
    count = source.count(bits=16)
    names: tuple[str, ...] = ("",) * count
    modified: tuple[int | None, ...] = (None,) * count
    attributes: tuple[int | None, ...] = (None,) * count
    empty: tuple[bool, ...] = (False,) * count
    while (kind := source.byte()) != Property.END:
        held = Source(source.take(source.number()))
        if kind == Property.NAMES:
            held.inside()
            names = _names(held, count)
        elif kind == Property.MODIFIED:
            modified = _optional(held, count, 8)
        elif kind == Property.ATTRIBUTES:
            attributes = _optional(held, count, 4)
        elif kind == Property.EMPTY_STREAM:
            empty = held.bits(count)
    return tuple(map(File, names, modified, attributes, empty))


def _optional(source: Source, count: int, width: int) -> tuple[int | None, ...]:
    defined = source.defined(count)
    source.inside()
    return source.values(defined, width)


def _names(source: Source, count: int) -> tuple[str, ...]:
    return tuple(source.text() for _ in range(count))
