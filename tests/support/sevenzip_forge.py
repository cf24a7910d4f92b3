"""Takes a 7z of ours apart, and puts it together again with anything changed and every checksum repaired."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bundler.formats import sevenzip
from bundler.formats.sevenzip import MAGIC, START, VERSION, number
from bundler.formats.sevenzip_source import Property
from bundler.pack import sevenzip_cipher, sevenzip_form
from bundler.pack.sevenzip_form import Block, Packed

LZMA2 = ({"id": lzma.FILTER_LZMA2, "dict_size": 1 << 23},)


@dataclass
class Forge:
    """The parts of an archive that is not encrypted."""

    blocks: list[Block]
    packed: list[bytes]
    """The packed bytes of each block."""
    streams: bytes = b""
    """The part of the header about the blocks; made of ``blocks`` by :meth:`describe`."""
    properties: list[tuple[int, bytes]] = field(default_factory=list)
    """Of the files; made of ``blocks`` by :meth:`describe`."""
    count: int = 0
    before: bytes = b""
    """In the header, before the part about the blocks."""
    behind: bytes = b""
    """In the header, behind its end."""
    version: bytes = VERSION
    first: bytes = b""
    """Before the first block."""
    last: bytes = b""
    """Behind the last block."""
    align: bool = True
    encode: Callable[[bytes, int], tuple[bytes, bytes]] | None = None
    """Packs the header: gives the bytes that lie before the header then, and the header."""

    def describe(self) -> Forge:
        """Take from ``blocks`` what the header says of them."""
        self.streams = streams(self.blocks)
        files = [file for block in self.blocks for file in block.files]
        self.count = len(files)
        self.properties = [(int(Property.NAMES), names(*(file.path for file in files)))]
        self.properties += [(int(Property.MODIFIED), b"\1\0" + b"".join(filetime(file.time) for file in files))]
        self.properties += [
            (
                int(Property.ATTRIBUTES),
                b"\1\0" + b"".join(struct.pack("<L", sevenzip_form.attributes_of(file.mode)) for file in files),
            )
        ]
        return self

    def header(self, at: int) -> bytes:
        held = b"\1" + self.before + self.streams
        if self.count or self.properties:
            held += b"\5" + number(self.count)
            held += sevenzip_form._padding(at + len(held)) if self.align else b""
            held += b"".join(bytes([kind]) + number(len(value)) + value for kind, value in self.properties) + b"\0"
        return held + b"\0" + self.behind

    def build(self) -> bytes:
        body = self.first + b"".join(self.packed) + self.last
        end = self.header(START.size + len(body))
        if self.encode:
            more, end = self.encode(self.header(0), len(body))
            body += more
        return whole(body, end, self.version)


def whole(body: bytes, end: bytes, version: bytes = VERSION) -> bytes:
    """An archive of packed bytes and a header, with right checksums."""
    where = struct.pack("<QQL", len(body), len(end), zlib.crc32(end))
    return MAGIC + version + struct.pack("<L", zlib.crc32(where)) + where + body + end


def taken_apart(raw: bytes) -> Forge:
    """The parts of ``raw``, an archive of ours that is not encrypted."""
    start = sevenzip.read_start(raw)
    end = START.size + start.offset
    blocks = sevenzip_form.understood(sevenzip.read_header(raw[end:]))
    packed, at = [], START.size
    for block in blocks:
        packed.append(raw[at : at + block.packed])
        at += block.packed
    return Forge(list(blocks), packed).describe()


def streams(blocks: list[Block]) -> bytes:
    """The part of the header about ``blocks``."""
    return (
        bytes([Property.STREAMS])
        + sevenzip_form._pack_info(blocks)
        + sevenzip_form._unpack_info([sevenzip_form._folder(block) for block in blocks])
        + sevenzip_form._files_of_blocks(blocks)
        + b"\0"
    )


def names(*paths: str) -> bytes:
    return b"\0" + b"".join(path.encode("utf-16-le", "surrogatepass") + b"\0\0" for path in paths)


def filetime(seconds: float) -> bytes:
    return struct.pack("<Q", int(seconds * 10_000_000) + 116_444_736_000_000_000)


def content(block: Block, packed: bytes) -> bytes:
    """What a block of ours unpacks to."""
    return lzma.decompress(packed, lzma.FORMAT_RAW, filters=LZMA2) if block.compressed else packed


def repacked(raw: bytes, **settings: int) -> bytes:
    """``raw`` with its documents packed by LZMA2 with other ``settings``."""
    forge = taken_apart(raw)
    for at, block in enumerate(forge.blocks):
        if block.compressed:
            chosen = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 23, **settings}]
            packed = lzma.compress(content(block, forge.packed[at]), lzma.FORMAT_RAW, filters=chosen)
            forge.packed[at] = packed
            forge.blocks[at] = replace(block, packed=len(packed))
    return forge.describe().build()


def stored(path: str, held: bytes, time: int, mode: int = 0o644) -> Packed:
    return Packed(path, len(held), zlib.crc32(held), mode, time)


class Encrypted:
    """An encrypted archive that is put together by hand."""

    def __init__(self, forge: Forge, password: str, iv: bytes = bytes(range(16))) -> None:
        self.forge = forge
        self.secret = sevenzip_cipher.key(password)
        self.iv = iv
        self.filler: Callable[[int], bytes] = bytes
        self.gap = b""
        self.header_filler: Callable[[int], bytes] = bytes
        self.header: Callable[[bytes], bytes] = lambda header: header
        self.outer: Callable[[bytes], bytes] = lambda outer: outer

    def encrypt(self, plain: bytes, filler: Callable[[int], bytes]) -> bytes:
        missing = -len(plain) % 16
        return sevenzip_cipher.Encryption(self.secret, self.iv).update(plain + filler(missing))

    def build(self) -> bytes:
        for at, (block, packed) in enumerate(zip(self.forge.blocks, self.forge.packed, strict=True)):
            held = self.encrypt(packed, self.filler)
            self.forge.packed[at] = held
            self.forge.blocks[at] = replace(
                block, inner=len(packed), packed=len(held), iv=self.iv, crc=zlib.crc32(held)
            )
        header = self.header(self.forge.describe().header(0))
        body = b"".join(self.forge.packed)
        held = self.encrypt(header, self.header_filler)
        block = Block(False, (), len(held), len(header), self.iv)
        outer = self.outer(sevenzip_form.encrypted_header(len(body), block))
        return whole(body + held + self.gap, outer)
