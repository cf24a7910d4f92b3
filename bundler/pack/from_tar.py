"""Reads the files of a tar.gz, and compares every byte around their contents with what our writer writes.

The stream is unpacked once, forward, with bounded memory. Of the gzip (RFC 1952) the header must be ours, and nothing
may follow its one member; how the content is deflated is free, because every unpacker checks the result against the
same checksum. Of the tar (POSIX.1-2017, pax) every byte must be ours: unpackers disagree on all else.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from bundler.pack import tar_form, tar_header
from bundler.pack.content import CHUNK
from bundler.pack.form import Form, unreadable
from bundler.pack.gzip_form import HEADER, is_ours
from bundler.pack.members import MAX_MEMBERS, RawMember, cut_short, damaged, limit, refused
from bundler.pack.tar_form import BLOCK
from bundler.pack.tar_header import Header

_MAX_HEADER = 64 << 10
"""Bytes of one header record: a pax header of a bundle has some hundred."""
_PER_MEMBER = 4 << 10
_GZIP_WINDOW = 31
_SPARSE = b"GNU.sparse"
_FOLDER = b"5"
_LINKS = frozenset([b"1", b"2"])
_FOREIGN = frozenset([b"g", b"L", b"K", b"\0"])
"""Types that other tools write for plain files or about them: global pax records, GNU's long names, and V7's file."""


class _Unpacked:
    """The unpacked bytes of a gzip file."""

    def __init__(self, file: BinaryIO, size: int, form: Form) -> None:
        self._file = file
        self._gzip = zlib.decompressobj(_GZIP_WINDOW)
        self._packed = file.read(len(HEADER))
        self._ready = memoryview(b"")
        form.compare("the gzip header", is_ours(self._packed), written=True)
        self.position = 0
        self._most = limit(size) + MAX_MEMBERS * _PER_MEMBER

    def exactly(self, size: int) -> bytes:
        """``size`` bytes of a header; none at the end of the stream."""
        if size > _MAX_HEADER:
            raise refused("a header of the tar is larger than in any bundle", "bomb")
        parts = bytearray()
        while len(parts) < size and (chunk := self.some(size - len(parts))):
            parts += chunk
        if parts and len(parts) != size:
            raise damaged("it ends inside a block")
        return bytes(parts)

    def some(self, most: int) -> bytes:
        """At least one byte and at most ``most``; none at the end."""
        # Unpacked by the piece, because zlib copies what it did not consume at each call.
        if not self._ready:
            self._ready = memoryview(self._piece())
        chunk, self._ready = bytes(self._ready[:most]), self._ready[most:]
        self.position += len(chunk)
        if self.position > self._most:
            raise refused("the container would unpack to more than any bundle holds", "bomb")
        return chunk

    def _piece(self) -> bytes:
        """The next bytes of the stream; none at its end."""
        while not self._gzip.eof:
            self._packed = self._packed or self._file.read(CHUNK)
            if not self._packed:
                raise cut_short("it ends before its last block")
            chunk = self._gzip.decompress(self._packed, CHUNK)
            self._packed = self._gzip.unconsumed_tail
            if chunk:
                return chunk
        if self._gzip.unused_data or self._file.read(1):
            raise refused("something follows the end of the gzip", "trailing-data")
        return b""

    def require_end(self, form: Form, wanted: int) -> None:
        """Refuse data after the end of the tar, or of the gzip; note an end at another place than ``wanted``."""
        while chunk := self.some(CHUNK):
            if chunk.strip(b"\0"):
                raise refused("something follows the end of the tar", "trailing-data")
        form.compare("the end of the tar", self.position, wanted)


def walk(file: BinaryIO, size: int, form: Form) -> Generator[RawMember, None, None]:
    """Give the members of the tar.gz ``file`` of ``size`` bytes in their order.

    Deviations from what our writer writes go to ``form``. Raises :class:`VerificationError`, with the reason
    ``rewrapped`` only where a foreign header cannot be read on without guessing.
    """
    with _one_error():
        unpacked = _Unpacked(file, size, form)
        length, last = 0, b""
        while (read := _next(unpacked)) is not None:
            header, raw = read
            member = _found(unpacked, header)
            form.compare(f"the header of {header.name!a}", raw, _written(header))
            form.compare("the order of the files", last < header.name.encode(), written=True)
            last = header.name.encode()
            yield member
            form.compare(f"the filling after {header.name!a}", *_filling(unpacked, header))
            length = unpacked.position
        unpacked.require_end(form, length + len(tar_form.end(length)))


@contextmanager
def _one_error() -> Iterator[None]:
    """Turn every error of zlib into one for a damaged file."""
    try:
        yield
    except zlib.error as error:
        raise damaged(error) from error


def _next(unpacked: _Unpacked) -> tuple[Header, bytes] | None:
    """The next member's header, and all of its blocks; None before the zeros at the end."""
    block = unpacked.exactly(BLOCK)
    if not block.strip(b"\0"):
        return None
    header = tar_header.parse(block)
    if header.kind != tar_form.EXTENDED:
        return header, block
    content = unpacked.exactly(header.size)
    filling = unpacked.exactly(-header.size % BLOCK)
    main = unpacked.exactly(BLOCK)
    if len(content) != header.size or not main.strip(b"\0"):
        raise damaged("it ends after a pax header")
    return _extended(tar_header.parse(main), content), block + content + filling + main


def _extended(header: Header, content: bytes) -> Header:
    """``header`` with the values of its pax records."""
    records = tar_header.records(content)
    if header.kind == tar_form.EXTENDED:
        raise unreadable("a pax header follows another")
    if any(key.startswith(_SPARSE) for key in records):
        raise refused(f"{header.name!a} is neither a file nor a folder", "special-file")
    name = tar_header.text(records[b"path"]) if b"path" in records else header.name
    size = tar_header.decimal(records[b"size"]) if b"size" in records else header.size
    return Header(name, size, header.mode, header.time, header.kind)


def _written(header: Header) -> bytes:
    """The blocks that our writer writes for the values of ``header``; none where it writes no such values."""
    if not tar_form.can_hold(header.time):
        return b""
    return tar_form.headers(header.name, header.size, stat.S_IMODE(header.mode), header.time)


def _found(unpacked: _Unpacked, header: Header) -> RawMember:
    if header.kind in _LINKS:
        raise refused(f"{header.name!a} is a link", "link")
    if header.kind in _FOREIGN:
        raise unreadable(f"the header of {header.name!a} is of a type that arc-bundler does not write")
    if header.kind == _FOLDER:
        return RawMember(header.name.removesuffix("/"), 0, None, lambda: iter(()), folder=True)
    if header.kind != tar_form.FILE:
        raise refused(f"{header.name!a} is neither a file nor a folder", "special-file")
    mode = stat.S_IMODE(header.mode)
    return RawMember(header.name, header.size, mode, partial(_chunks, unpacked, header.size), time=header.time)


def _chunks(unpacked: _Unpacked, size: int) -> Iterator[bytes]:
    with _one_error():
        while size > 0:
            chunk = unpacked.some(min(CHUNK, size))
            if not chunk:
                raise damaged("it ends inside a file")
            size -= len(chunk)
            yield chunk


def _filling(unpacked: _Unpacked, header: Header) -> tuple[bytes, bytes]:
    """What fills the last block of a content that was read, and what should."""
    wanted = tar_form.padding(0 if header.kind == _FOLDER else header.size)
    found = unpacked.exactly(len(wanted))
    if len(found) != len(wanted):
        raise damaged("it ends after a file")
    return found, wanted
