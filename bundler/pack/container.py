"""Opens a bundle in any container, and gives its files one after the other."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from bundler.errors import UsageError, VerificationError
from bundler.pack import content, from_directory, from_tar, from_zip_bundle, suggest, unreadable
from bundler.pack.form import Form
from bundler.pack.members import BundleMember, Password, RawMember, checked_members, refused
from bundler.pack.unreadable import GIVE_A_BUNDLE
from bundler.pack.writers import Format

__all__ = ["BundleMember", "Container", "open_archive", "open_bundle", "sha256"]

_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "tar.gz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
)

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Container:
    """A bundle that is open for one reading."""

    path: Path
    format: Format
    size: int | None
    """Bytes of the archive; None for a directory."""
    _found: Iterator[RawMember]
    _form: Form

    def walk(self) -> Iterator[BundleMember]:
        """Give the bundle's files, once, in the container's own order; nothing is written to disk.

        A file's content can be read until the next file is requested; unread content is checked too.

        Raises:
            VerificationError: for links, devices, names that leave the bundle, duplicates, bombs, damage, and whatever
                two unpackers might read differently; at last ``rewrapped`` for an archive that our writer did not make.
        """
        return checked_members(self._found, archive_size=self.size, form=self._form)

    def open(self, path: str) -> BinaryIO:
        """Open a file of a directory in place, by a ``path`` that :meth:`walk` gave.

        The file may have been replaced since. Raises :class:`UsageError` where it cannot be read, and
        :class:`VerificationError` where it is not a regular file any more.
        """
        if self.format != "directory":
            raise ValueError("the files of an archive are read while it is walked")
        with _one_error(self.path):
            return from_directory.opened(self.path / path)


@contextmanager
def open_bundle(path: Path, password: Password | None = None) -> Iterator[Container]:
    """Open the bundle at ``path``: a directory, or an archive, recognised by its first bytes and not by its name.

    Args:
        path: of the bundle.
        password: called where a 7z is encrypted.

    Raises:
        UsageError: there is nothing to open, or no password.
        VerificationError: it is not a container of a bundle.
    """
    if path.is_dir():
        _require_bundle(path)
        yield Container(path, "directory", None, _readable(path, from_directory.walk(path)), Form())
        return
    with _one_error(path):
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for a writer
            raise refused(f"{path} is neither a file nor a folder", "unknown-container", do=GIVE_A_BUNDLE)
        file = path.open("rb")
    with file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        wanted = _recognise(file, size, path)
        _LOG.debug("reading %s as %s, %d bytes", path, wanted, size)
        file.seek(0)
        form = Form()
        with closing(_reader(wanted, file, size, password, form)) as found:
            yield Container(path, wanted, size, _readable(path, found, file, size), form)


def _reader(
    wanted: Format, file: BinaryIO, size: int, password: Password | None, form: Form
) -> Generator[RawMember, None, None]:
    if wanted == "zip":
        return from_zip_bundle.walk(file, size, form)
    if wanted == "tar.gz":
        return from_tar.walk(file, size, form)
    from bundler.pack import from_sevenzip

    return from_sevenzip.walk(file, size, password)


def _readable(
    path: Path, found: Iterator[RawMember], file: BinaryIO | None = None, size: int = 0
) -> Iterator[RawMember]:
    """Explain errors of reading; errors of the caller, between two members, do not pass here."""
    with _one_error(path, file, size):
        for member in found:
            yield replace(member, chunks=partial(_readable_chunks, path, member.chunks, file, size))


def _readable_chunks(
    path: Path, chunks: Callable[[], Iterator[bytes]], file: BinaryIO | None, size: int
) -> Iterator[bytes]:
    with _one_error(path, file, size):
        yield from chunks()


@contextmanager
def _one_error(path: Path, file: BinaryIO | None = None, size: int = 0) -> Iterator[None]:
    """Turn errors of the system into UsageError, and say why the archive ``file`` of ``size`` bytes is damaged."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}",
            do=GIVE_A_BUNDLE,
        ) from error
    except VerificationError as error:
        if file is None:
            raise
        raise unreadable.explained(error, path, file, size) from None


def open_archive(path: Path) -> BinaryIO:
    """Open the archive at ``path``, to read its bytes. Raises :class:`UsageError` where it cannot be read."""
    with _one_error(path):
        return path.open("rb")


def sha256(path: Path) -> str:
    """SHA-256 in hex of the archive at ``path``. Raises :class:`UsageError` where it cannot be read."""
    with _one_error(path):
        return content.file_sha256(path)


def _require_bundle(folder: Path) -> None:
    """Before all files are read: a folder without either list is not a bundle."""
    if not suggest.is_bundle(folder):
        raise refused(
            "this folder is not a bundle: manifest.json and SHA256SUMS are missing",
            "missing-manifest",
            do=unreadable.advice(folder),
        )


def _recognise(file: BinaryIO, size: int, path: Path) -> Format:
    start = file.read(8)
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    raise unreadable.explained(unreadable.unknown(path, file, size), path, file, size)
