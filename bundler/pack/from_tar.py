"""Reads the files of a tar.gz, and refuses what two readers might read differently.

The stream is unpacked once, forward, with bounded memory. Formats: RFC 1952 for gzip, POSIX.1-2017 pax for tar.
"""

from __future__ import annotations

import stat
import tarfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, cast

from bundler.errors import VerificationError
from bundler.pack.content import CHUNK
from bundler.pack.form import Form
from bundler.pack.members import MAX_MEMBERS, RawMember, damaged, limit, refused

_MAX_HEADER = 64 << 10
"""Bytes of one header record: a pax header of a bundle has some hundred."""
_PER_MEMBER = 4 << 10
_GZIP_WINDOW = 31


class _Unpacked:
    """The unpacked bytes of a gzip file, as the forward-only file that tarfile reads its headers from."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._gzip = zlib.decompressobj(_GZIP_WINDOW)
        self._packed = b""
        self._position = 0
        self._most = limit(size) + MAX_MEMBERS * _PER_MEMBER

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        while self._position < position:
            if not self.some(min(CHUNK, position - self._position)):
                break
        return self._position

    def read(self, size: int) -> bytes:
        """``size`` bytes, or what is left; only headers are read with it, so a longer one is refused."""
        if not 0 <= size <= _MAX_HEADER:
            raise refused("a header of the tar is larger than in any bundle", "bomb")
        parts = bytearray()
        while len(parts) < size and (chunk := self.some(size - len(parts))):
            parts += chunk
        return bytes(parts)

    def some(self, most: int) -> bytes:
        """At least one byte and at most ``most``; none at the end."""
        while not self._gzip.eof:
            self._packed = self._packed or self._file.read(CHUNK)
            if not self._packed:
                raise damaged("it ends before its last block")
            chunk = self._gzip.decompress(self._packed, most)
            self._packed = self._gzip.unconsumed_tail
            self._position += len(chunk)
            if self._position > self._most:
                raise refused("the container would unpack to more than any bundle holds", "bomb")
            if chunk:
                return chunk
        return b""

    def require_end(self) -> None:
        """Refuse data after the end of the tar, or of the gzip."""
        while chunk := self.some(CHUNK):
            if chunk.strip(b"\0"):
                raise refused("something follows the end of the tar", "trailing-data")
        if self._gzip.unused_data or self._file.read(1):
            raise refused("something follows the end of the gzip", "trailing-data")


def walk(file: BinaryIO, size: int, form: Form) -> Generator[RawMember, None, None]:  # noqa: ARG001
    """Give the members of the tar.gz ``file`` of ``size`` bytes in their order. Raises :class:`VerificationError`."""
    with _one_error():
        unpacked = _Unpacked(file, size)
        archive = tarfile.TarFile(fileobj=cast("BinaryIO", unpacked), mode="r", errors="strict")
        while (info := archive.next()) is not None:
            yield _found(unpacked, info)
        unpacked.require_end()


@contextmanager
def _one_error() -> Iterator[None]:
    """Turn every error of tarfile and zlib into one for a damaged file."""
    try:
        yield
    except VerificationError:
        raise
    except (tarfile.TarError, zlib.error, ValueError, EOFError, OverflowError) as error:
        raise damaged(error) from error


def _found(unpacked: _Unpacked, info: tarfile.TarInfo) -> RawMember:
    if info.issym() or info.islnk():
        raise refused(f"{info.name!a} is a link", "link")
    sparse = info.sparse is not None or any(key.startswith("GNU.sparse") for key in info.pax_headers)
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or sparse:
        raise refused(f"{info.name!a} is neither a file nor a folder", "special-file")
    if info.isdir():
        return RawMember(info.name, 0, None, lambda: iter(()), folder=True)
    return RawMember(info.name, info.size, stat.S_IMODE(info.mode), partial(_chunks, unpacked, info.size))


def _chunks(unpacked: _Unpacked, size: int) -> Iterator[bytes]:
    with _one_error():
        while size > 0:
            chunk = unpacked.some(min(CHUNK, size))
            if not chunk:
                raise damaged("it ends inside a file")
            size -= len(chunk)
            yield chunk
