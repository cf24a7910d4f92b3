"""A bundle's tar in parts, to be put together otherwise than any release does."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bundler.model.tree import Blob, Tree

BLOCK = 512
FIELDS = {
    "name": (0, 100),
    "mode": (100, 8),
    "uid": (108, 8),
    "gid": (116, 8),
    "size": (124, 12),
    "mtime": (136, 12),
    "checksum": (148, 8),
    "type": (156, 1),
    "linkname": (157, 100),
    "magic": (257, 6),
    "version": (263, 2),
    "uname": (265, 32),
    "gname": (297, 32),
    "devmajor": (329, 8),
    "devminor": (337, 8),
    "prefix": (345, 155),
    "unused": (500, 12),
}
GZIP_HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])


def block(path: str, length: int = 0, /, *, bits: int = 0o644, at: int = 0, **fields: bytes) -> bytes:
    """A header block as tarfile writes it, with other ``fields``; the checksum fits, unless it is one of them."""
    plain = {
        "name": path.encode(),
        "mode": b"%07o\0" % bits,
        "uid": b"0000000\0",
        "gid": b"0000000\0",
        "size": b"%011o\0" % length,
        "mtime": b"%011o\0" % at,
        "checksum": b" " * 8,
        "type": b"0",
        "magic": b"ustar\0",
        "version": b"00",
    }
    raw = bytearray(BLOCK)
    for field, value in {**plain, **fields}.items():
        start, room = FIELDS[field]
        assert len(value) <= room, field
        raw[start : start + room] = value.ljust(room, b"\0")
    if "checksum" not in fields:
        raw[148:156] = b"%06o\0 " % checksum(raw)
    return bytes(raw)


def checksum(raw: bytes, *, signed: bool = False) -> int:
    """The sum over a header with blanks for its checksum; ``signed`` as some old tars computed it."""
    blank = raw[:148] + b" " * 8 + raw[156:]
    return sum(byte - 256 if signed and byte > 127 else byte for byte in blank)


def filled(content: bytes) -> bytes:
    """``content`` with zeros to a whole block."""
    return content + bytes(-len(content) % BLOCK)


def record(key: str, value: str | bytes) -> bytes:
    """One pax record."""
    rest = b" " + key.encode() + b"=" + (value.encode() if isinstance(value, str) else value) + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def pax(records: bytes, path: str = "././@PaxHeader", **fields: bytes) -> bytes:
    """A pax header with ``records``."""
    return block(path, len(records), bits=0, **{"type": b"x", **fields}) + filled(records)


@dataclass(frozen=True)
class Part:
    """One file of a tar."""

    path: str
    content: bytes
    mode: int
    head: bytes
    filling: bytes

    @property
    def raw(self) -> bytes:
        return self.head + self.content + self.filling


@dataclass(frozen=True)
class Tar:
    """All files of a tar, in order."""

    parts: tuple[Part, ...]
    time: int

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.path.endswith("/" + name))

    def with_part(self, name: str, **changes: bytes) -> Tar:
        """The tar with changed ``head``, ``content`` or ``filling`` of one file."""
        old = self.part(name)
        return replace(self, parts=tuple(replace(part, **changes) if part == old else part for part in self.parts))

    def with_head(self, name: str, /, **fields: bytes) -> Tar:
        """The tar with other fields in the header of one file."""
        old = self.part(name)
        return self.with_part(name, head=block(old.path, len(old.content), bits=old.mode, at=self.time, **fields))

    def before(self, name: str, raw: bytes) -> Tar:
        """The tar with more blocks before one file."""
        return self.with_part(name, head=raw + self.part(name).head)

    def after(self, name: str, raw: bytes) -> Tar:
        """The tar with more blocks behind one file."""
        return self.with_part(name, filling=self.part(name).filling + raw)

    @property
    def body(self) -> bytes:
        return b"".join(part.raw for part in self.parts)

    def raw(self, end: bytes | None = None) -> bytes:
        """The whole tar; by default with our end."""
        body = self.body
        return body + (bytes(1024 + -(len(body) + 1024) % 10240) if end is None else end)


def of_tree(tree: Tree) -> Tar:
    """The tar of a tree with ASCII names below 100 characters, as a release writes it."""
    time = int(tree.time.timestamp())
    parts = []
    for entry in tree.entries:
        content = entry.content.path.read_bytes() if isinstance(entry.content, Blob) else entry.content
        path = f"{tree.name}/{entry.path}"
        head = block(path, len(content), bits=entry.mode, at=time)
        if not path.isascii():
            short = path.encode("ascii", "replace").decode()
            head = pax(record("path", path)) + block(short, len(content), bits=entry.mode, at=time)
        parts.append(Part(path, content, entry.mode, head, bytes(-len(content) % BLOCK)))
    return Tar(tuple(parts), time)


def gzip(raw: bytes, *, header: bytes = GZIP_HEADER, level: int = 6) -> bytes:
    """``raw`` as one gzip member, deflated at ``level``."""
    return gzip_of([raw], header=header, level=level)


def gzip_of(pieces: Iterable[bytes], *, header: bytes = GZIP_HEADER, level: int = 6) -> bytes:
    """The ``pieces`` as one gzip member, with a full flush between two."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    parts, crc, length = [header], 0, 0
    for piece in pieces:
        parts += [packer.compress(piece), packer.flush(zlib.Z_FULL_FLUSH)]
        crc, length = zlib.crc32(piece, crc), length + len(piece)
    parts += [packer.flush(), crc.to_bytes(4, "little"), (length & 0xFFFFFFFF).to_bytes(4, "little")]
    return b"".join(parts)
