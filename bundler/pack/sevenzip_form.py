"""Computes what our 7z says of its files: the header at the end, and the order and blocks of the files.

The writer writes it, and the reader compares with it: whatever a header says otherwise, unpackers may understand
differently. It is the form of every release so far. Format: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bundler.formats.sevenzip import Coder, File, Folder, Header, Streams, number
from bundler.formats.sevenzip_source import Property

PAYLOAD = "payload/"
COPY, LZMA2, AES = b"\0", b"!", b"\x06\xf1\x07\x01"
LZMA2_DICTIONARY = 1 << 23
_LZMA2_PROPERTIES = b"\x16"
"""A dictionary of 8 MiB, as the format counts: 1 << (0x16 / 2 + 12)."""
CYCLES = 19
"""The key is the hash over 1 << 19 times the password."""
AES_BLOCK = 16
# The numbers of rounds, with an IV and without a salt; then one less than the IV's length (7zAes.cpp of the LZMA SDK).
_AES_PROPERTIES = bytes([0x40 | CYCLES, AES_BLOCK - 1])
_ARCHIVE = 0x20
_UNIX_EXTENSION = 0x8000
# Windows' times: steps of 100 ns since 1601.
_EPOCH_1970 = 116_444_736_000_000_000
_SECOND = 10_000_000


@dataclass(frozen=True)
class Packed:
    """One file of the archive."""

    path: str
    """With the bundle's folder in front."""
    size: int
    crc: int
    mode: int
    time: int
    """Seconds since 1970."""


@dataclass(frozen=True)
class Block:
    """Files that were packed together."""

    compressed: bool
    """With LZMA2; otherwise copied."""
    files: tuple[Packed, ...]
    packed: int
    """Bytes in the archive."""
    inner: int
    """Bytes before they were encrypted, without the padding; ``packed`` where they were not."""
    iv: bytes | None = None
    """Of the encryption; None without."""
    crc: int | None = None
    """Over the bytes in the archive; stated of encrypted ones only."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def blocks(paths: Iterable[str]) -> list[tuple[bool, list[str]]]:
    """Divide ``paths``, from the bundle's root, into blocks: whether each is compressed, and its files.

    Packages are copied, everything else is compressed. The block of a single file is the last one: older releases
    wrote with a py7zr that demanded it.
    """
    packages: list[str] = []
    others: list[str] = []
    for path in sorted(paths, key=lambda path: path.encode("utf-8", "surrogatepass")):
        (packages if path.startswith(PAYLOAD) else others).append(path)
    return sorted(((packed, held) for packed, held in ((True, others), (False, packages)) if held), key=_single)


def _single(block: tuple[bool, list[str]]) -> bool:
    return len(block[1]) == 1


def end_header(packed: Sequence[Block], at: int) -> bytes:
    """The header that describes the blocks ``packed``.

    Args:
        packed: the blocks, as they follow each other from the start.
        at: offset of the header in the file, or 0 where it is encrypted: it aligns the names.
    """
    head = bytes([Property.HEADER, Property.STREAMS]) + _pack_info(packed)
    head += _unpack_info([_folder(block) for block in packed]) + _files_of_blocks(packed) + bytes([Property.END])
    files = [file for block in packed for file in block.files]
    head += bytes([Property.FILES]) + number(len(files))
    head += _padding(at + len(head))
    names = b"".join(file.path.encode("utf-16-le", "surrogatepass") + b"\0\0" for file in files)
    times = b"".join(struct.pack("<Q", file.time * _SECOND + _EPOCH_1970) for file in files)
    attributes = b"".join(struct.pack("<L", attributes_of(file.mode)) for file in files)
    # All are defined (1), and they stand here (0).
    head += _property(Property.NAMES, b"\0" + names)
    head += _property(Property.MODIFIED, b"\1\0" + times) + _property(Property.ATTRIBUTES, b"\1\0" + attributes)
    return head + bytes([Property.END, Property.END])


def attributes_of(mode: int) -> int:
    """What is stated as the attributes of a file of ``mode``: as p7zip extends those of Windows."""
    return _ARCHIVE | _UNIX_EXTENSION | (stat.S_IFREG | mode) << 16


def encrypted_header(position: int, held: Block) -> bytes:
    """The header that says where the encrypted header is: at ``position``, packed as the block ``held``."""
    info = bytes([Property.ENCODED_HEADER, Property.PACK]) + number(position) + number(1)
    info += bytes([Property.SIZE]) + number(held.packed) + bytes([Property.END])
    return info + _unpack_info([Folder((_aes(held.iv or b""),), (), (held.inner,))]) + bytes([Property.END])


def understood_packed(streams: Streams) -> Block | None:
    """The encrypted header that ``streams`` seems to describe; None where it is not encrypted first of all.

    It is what they say only where :func:`encrypted_header` makes the same bytes of it.
    """
    if len(streams.folders) != 1 or len(streams.packed) != 1:
        return None
    iv = iv_of(streams.folders[0])
    return None if iv is None else Block(False, (), streams.packed[0], streams.folders[0].size, iv)


def padded(inner: int) -> int:
    """Bytes of ``inner`` bytes when they are encrypted."""
    return -(-inner // AES_BLOCK) * AES_BLOCK


def understood(header: Header) -> tuple[Block, ...]:
    """The blocks that ``header`` seems to describe.

    They are what it says only where :func:`end_header` makes the same bytes of them.
    """
    streams, found = header.streams, []
    rows = iter(_rows(streams, header.files))
    for at, (folder, count) in enumerate(zip(streams.folders, streams.counts, strict=True)):
        files = tuple(file for _, file in zip(range(count), rows, strict=False))
        packed = streams.packed[at] if at < len(streams.packed) else 0
        crc = streams.packed_crcs[at] if at < len(streams.packed_crcs) else None
        last, iv = folder.coders[-1], iv_of(folder)
        found.append(Block(last.method == LZMA2, files, packed, folder.sizes[0] if iv else packed, iv, crc))
    return tuple(found)


def iv_of(folder: Folder) -> bytes | None:
    """The IV of an encrypted folder; None of another."""
    first = folder.coders[0]
    return (first.properties or b"")[len(_AES_PROPERTIES) :] if first.method == AES else None


def _rows(streams: Streams, files: Sequence[File]) -> Iterable[Packed]:
    for file, size, crc in zip(files, streams.sizes, streams.crcs, strict=False):
        time = ((file.modified or 0) - _EPOCH_1970) // _SECOND
        yield Packed(file.name, size, crc or 0, stat.S_IMODE((file.attributes or 0) >> 16), time)


def _aes(iv: bytes) -> Coder:
    return Coder(AES, _AES_PROPERTIES + iv)


def _folder(block: Block) -> Folder:
    """The steps of unpacking; each gives its bytes to the next."""
    last = Coder(LZMA2, _LZMA2_PROPERTIES) if block.compressed else Coder(COPY)
    if block.iv is None:
        return Folder((last,), (), (block.size,))
    return Folder((_aes(block.iv), last), ((1, 0),), (block.inner, block.size))


def _pack_info(packed: Sequence[Block]) -> bytes:
    info = bytes([Property.PACK]) + number(0) + number(len(packed)) + bytes([Property.SIZE])
    info += b"".join(number(block.packed) for block in packed)
    if any(block.iv is not None for block in packed):
        info += bytes([Property.CRC, 1]) + b"".join(struct.pack("<L", block.crc or 0) for block in packed)
    return info + bytes([Property.END])


def _unpack_info(folders: Sequence[Folder]) -> bytes:
    info = bytes([Property.UNPACK, Property.FOLDER]) + number(len(folders)) + b"\0"
    for folder in folders:
        info += number(len(folder.coders)) + b"".join(map(_coder, folder.coders))
        info += b"".join(number(at) for bond in folder.bonds for at in bond)
    sizes = b"".join(number(size) for folder in folders for size in folder.sizes)
    return info + bytes([Property.UNPACK_SIZE]) + sizes + bytes([Property.END])


def _coder(coder: Coder) -> bytes:
    if coder.properties is None:
        return bytes([len(coder.method)]) + coder.method
    return bytes([0x20 | len(coder.method)]) + coder.method + number(len(coder.properties)) + coder.properties


def _files_of_blocks(packed: Sequence[Block]) -> bytes:
    """How the blocks divide into files: counts, sizes but the last of each block, and CRCs."""
    info = bytes([Property.SUBSTREAMS])
    if any(len(block.files) != 1 for block in packed):
        info += bytes([Property.NUMBER_OF_FILES]) + b"".join(number(len(block.files)) for block in packed)
        info += bytes([Property.SIZE]) + b"".join(number(file.size) for block in packed for file in block.files[:-1])
    crcs = b"".join(struct.pack("<L", file.crc) for block in packed for file in block.files)
    return info + bytes([Property.CRC, 1]) + crcs + bytes([Property.END])


def _padding(at: int) -> bytes:
    """What aligns the names to four bytes; it takes two bytes more than it fills, so two at the least."""
    missing = -at % 4
    if missing in (1, 2):
        missing += 4
    return _property(Property.DUMMY, bytes(missing - 2)) if missing else b""


def _property(kind: Property, held: bytes) -> bytes:
    return bytes([kind]) + number(len(held)) + held
