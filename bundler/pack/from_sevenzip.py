"""Reads the files of a 7z archive.

py7zr raises any kind of error for malformed input (TypeError, AssertionError, lzma's own errors, …), so each of them
means a damaged archive, or perhaps a wrong password, where one was needed.
Format: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from py7zr import SevenZipFile
from py7zr.exceptions import PasswordRequired
from py7zr.io import Py7zIO, WriterFactory

from bundler.errors import BundlerError, UsageError, VerificationError
from bundler.integrity.names import name_faults
from bundler.pack.content import CHUNK
from bundler.pack.form import Form
from bundler.pack.members import Password, RawMember, damaged, limit, refused, require_bounded
from bundler.pack.push_to_iterator import push_to_iterator

_START_HEADER = 32
_NEXT_HEADER = 12


def walk(file: BinaryIO, size: int, password: Password | None, form: Form) -> Generator[RawMember, None, None]:  # noqa: ARG001
    """Give the members of the 7z ``file`` of ``size`` bytes in the order in which they are unpacked.

    Raises:
        VerificationError: the archive is damaged; with the reason ``wrong-password`` where that is as likely.
        UsageError: the archive is encrypted, but no password was given.
    """
    _require_end(file, size)
    archive, secret = _open(file, password)
    with _one_error(secret):
        for found in _members(archive, size):
            yield replace(found, chunks=partial(_translated, found.chunks, secret))


def _translated(chunks: Callable[[], Iterator[bytes]], secret: str | None) -> Iterator[bytes]:
    with _one_error(secret):
        yield from chunks()


@contextmanager
def _one_error(secret: str | None) -> Iterator[None]:
    """Turn every error of py7zr into one for a damaged file or a wrong password."""
    try:
        yield
    except BundlerError:
        raise
    except Exception as error:
        if secret is None:
            raise damaged(f"{type(error).__name__}: {error}") from error
        raise VerificationError(
            "the password is wrong, or the archive is damaged",
            reason="wrong-password",
            do="try the password again; if it is right, copy the archive again and compare its SHA-256",
        ) from error


def _require_end(file: BinaryIO, size: int) -> None:
    file.seek(_NEXT_HEADER)
    fields = file.read(16)
    if len(fields) != 16:
        raise damaged("it is too short")
    offset, length = struct.unpack("<QQ", fields)
    if _START_HEADER + offset + length > size:
        raise damaged("it ends before its header")
    if _START_HEADER + offset + length < size:
        raise refused("something follows the end of the 7z", "trailing-data")
    file.seek(0)


def _open(file: BinaryIO, password: Password | None) -> tuple[SevenZipFile, str | None]:
    # Where the names are encrypted too, opening needs the password.
    with _one_error(None), suppress(PasswordRequired):
        archive = SevenZipFile(file, "r")
        if not archive.needs_password():
            return archive, None
    if password is None:
        raise UsageError(
            "the archive is encrypted, but no password was given",
            do="give it with --password-file FILE, in ARC_BUNDLER_PASSWORD, or at the prompt",
        )
    secret = password()
    file.seek(0)
    with _one_error(secret):
        return SevenZipFile(file, "r", password=secret), secret


def _members(archive: Any, size: int) -> Iterator[RawMember]:
    files = list(getattr(archive, "files", ()))
    require_bounded((int(info.uncompressed or 0) for info in files), size)
    for info in files:
        if info.is_symlink or info.is_junction:
            raise refused(f"{info.filename!a} is a link", "link")
        if not (info.is_directory or info.is_file):
            raise refused(f"{info.filename!a} is neither a file nor a folder", "special-file")
    # Before unpacking: py7zr renames the second of two equal names.
    faults = name_faults(info.filename for info in files)
    if faults:
        raise refused("the 7z contains names that no bundle has", "unsafe-name", faults[:20])
    yield from (RawMember(info.filename, 0, None, lambda: iter(()), folder=True) for info in files if info.is_directory)
    plain = {info.filename: info for info in files if not info.is_directory}
    if plain:
        yield from _contents(archive, plain, size)


def _contents(archive: Any, plain: dict[str, Any], size: int) -> Iterator[RawMember]:
    archive.max_extract_size = limit(size)

    def push(emit: Callable[[str | bytes | None], None]) -> None:
        archive.extractall(factory=_Factory(emit))

    stream = push_to_iterator(push)
    try:
        for name in stream:
            if not isinstance(name, str):
                raise damaged("a file has more content than declared")
            info = plain[name]
            yield RawMember(name, int(info.uncompressed), info.posix_mode, lambda: _until_end(stream))
    finally:
        stream.close()


def _until_end(stream: Iterator[str | bytes | None]) -> Iterator[bytes]:
    for chunk in stream:
        if chunk is None:
            return
        if isinstance(chunk, str):
            raise damaged("a file is incomplete")
        yield chunk


class _Factory(WriterFactory):
    """Gives py7zr a sink for each file, which emits what is written to it."""

    def __init__(self, emit: Callable[[str | bytes | None], None]) -> None:
        self._emit = emit

    def create(self, filename: str) -> Py7zIO:
        self._emit(filename)
        return _Sink(self._emit)


class _Sink(Py7zIO):
    def __init__(self, emit: Callable[[str | bytes | None], None]) -> None:
        self._emit = emit
        self._size = 0

    def write(self, s: bytes | bytearray) -> int:
        for start in range(0, len(s), CHUNK):
            self._emit(bytes(s[start : start + CHUNK]))
        self._size += len(s)
        return len(s)

    def close(self) -> None:
        """Emit the end; py7zr calls this after it verified the file's checksum."""
        self._emit(None)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def flush(self) -> None: ...

    def size(self) -> int:
        return self._size
