"""A content-addressed store: complete files under their SHA-256.

``objects/ab/abcd…`` holds complete files, ``partial/`` downloads in progress, ``damaged/`` files that no longer
have the digest in their name. A file gets into ``objects/`` in this order:

1. Its bytes are written to ``partial/`` and hashed.
2. They are flushed to disk.
3. The file is renamed, and the rename is flushed.

Before each use it is hashed again: its name in ``objects/`` is never trusted.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from bundler.errors import UpstreamError, VerificationError, WriteError
from bundler.fetch import disk
from bundler.fetch.partial import CHUNK, Origin, Partial, key
from bundler.fetch.request import Download
from bundler.formats import chunks
from bundler.model.progress import NullProgress, Progress, Task

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOOK_AGAIN = 0.25
"""Seconds between the checks whether to go on waiting for another process."""


class Store:
    """A content-addressed store below ``root``; safe for several threads and processes at once."""

    def __init__(self, root: Path) -> None:
        """Use the store in ``root``, which is created at the first write."""
        self.root = root

    def path(self, sha256: str) -> Path:
        """The path of the file with this digest, whether it exists or not. Raises ValueError for no SHA-256."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {sha256!r}")
        return self.root / "objects" / sha256[:2] / sha256

    def holds(self, sha256: str, size: int | None = None) -> bool:
        """Whether a file with this name, and this size in bytes, exists; :meth:`check` verifies its content."""
        try:
            found = self.path(sha256).stat().st_size
        except OSError:
            return False
        return size is None or found == size

    def check(self, sha256: str, progress: Progress | None = None) -> bool:
        """Hash the file with this digest again.

        A damaged file is moved to ``damaged/`` and reported to ``progress``: it is downloaded again, never used.

        Returns:
            True if its content matches, False if it is missing or damaged.

        Raises:
            WriteError: it can be neither read nor moved away.
        """
        path = self.path(sha256)
        try:
            with path.open("rb") as file:
                sound = chunks.sha256(file) == sha256
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unreadable(path, error) from error
        if not sound:
            self._set_aside(path, progress or NullProgress())
        return sound

    def open_verified(self, sha256: str) -> BinaryIO:
        """Open the file with this digest, at position 0, after hashing it through the same handle.

        Hashing and reading through one handle leaves no moment in which the file can be exchanged.

        Raises:
            VerificationError: ``store-damaged``, if the file is damaged (it is moved away) or missing.
        """
        path = self.path(sha256)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise _damaged(f"the store at {self.root} does not have {sha256}") from None
        except OSError as error:
            raise _unreadable(path, error) from error
        if chunks.sha256(file) != sha256:
            file.close()
            self._set_aside(path, NullProgress())
            raise _damaged(f"the store's copy of {sha256} is damaged and was moved away")
        file.seek(0)
        return file

    def _set_aside(self, path: Path, progress: Progress) -> None:
        aside = self.root / "damaged" / path.name
        with disk.writing(path, elsewhere=disk.ANOTHER_STORE):
            aside.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # another process was faster
                os.replace(path, aside)  # noqa: PTH105
        with progress.task(path.name[:12], None) as task:
            task.note(f"the store's copy is damaged; it is kept as {aside} and downloaded again")

    def put(self, content: bytes) -> str:
        """Store ``content``. Returns its SHA-256. Raises WriteError."""
        sha256 = hashlib.sha256(content).hexdigest()
        if self.holds(sha256, len(content)) and self.check(sha256):
            return sha256
        name = f"content:{sha256}"
        with self.exclusive(name), self.open_partial(name) as partial:
            partial.begin(Origin(url=name, served_by=name, validator=""))
            partial.append(content)
            self.commit(partial)
        return sha256

    def import_file(self, source: Path, progress: Progress | None = None, *, max_size: int | None = None) -> Download:
        """Copy a local file into the store.

        Args:
            source: the file, which is only read.
            progress: receives a task for the copy.
            max_size: bytes.

        Raises:
            UpstreamError: the file cannot be read, or is larger than ``max_size``.
            WriteError: the store cannot be written.
        """
        url = source.absolute().as_uri()
        with _reading(source), source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if max_size is not None and size > max_size:
                raise UpstreamError(f"{source} has {size} bytes; at most {max_size} are allowed")
            sha256 = chunks.sha256(file)
            if not self.check(sha256, progress):
                file.seek(0)
                sha256, size = self._copy(file, url, size, progress or NullProgress())
        return Download(self.path(sha256), sha256, size, url)

    def _copy(self, file: BinaryIO, url: str, size: int, progress: Progress) -> tuple[str, int]:
        label = url.rpartition("/")[2]
        disk.require(self.root, size, label, elsewhere=disk.ANOTHER_STORE)
        with self.exclusive(url), self.open_partial(url) as partial, progress.task(label, size) as task:
            partial.begin(Origin(url=url, served_by=url, validator=""))
            while chunk := file.read(CHUNK):
                partial.append(chunk)
                task.advance(len(chunk))
            # The digest of the copy, in case the file changed since it was hashed above.
            return self.commit(partial), partial.offset

    def open_partial(self, name: str) -> Partial:
        """The partial file of the download called ``name``; its lock must be held. Raises WriteError."""
        return Partial(self._folder("partial"), name)

    def commit(self, partial: Partial) -> str:
        """Move a complete partial file to its final name. Returns its SHA-256. Raises WriteError."""
        sha256 = partial.sha256
        final = self.path(sha256)
        arrived = partial.finish()
        with disk.writing(final, elsewhere=disk.ANOTHER_STORE):
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.replace(arrived, final)  # noqa: PTH105
            except PermissionError:
                # Windows does not replace a file that a process has open: use that one if its content is right.
                if not self.check(sha256):
                    raise
                arrived.unlink(missing_ok=True)
            disk.fsync_dir(final.parent)
        partial.forget_origin()
        return sha256

    @contextmanager
    def exclusive(
        self, name: str, *, waiting: Task | None = None, go_on: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Lock the download ``name`` against all other threads and processes.

        The lock ends with its process.

        Args:
            name: of the download: its address.
            waiting: gets one note while another process has the lock.
            go_on: called while waiting; raises to stop.

        Raises:
            WriteError: the lock file cannot be written.
        """
        path = self._folder("partial") / f"{key(name)}.lock"
        lock = FileLock(path, thread_local=False)
        with disk.writing(path, elsewhere=disk.ANOTHER_STORE):
            _acquire(lock, waiting, go_on)
        try:
            yield
        finally:
            lock.release()

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        with disk.writing(folder, elsewhere=disk.ANOTHER_STORE):
            folder.mkdir(parents=True, exist_ok=True)
        return folder


def _acquire(lock: FileLock, waiting: Task | None, go_on: Callable[[], None]) -> None:
    noted = False
    while True:
        go_on()
        try:
            lock.acquire(timeout=_LOOK_AGAIN, poll_interval=0.05)
        except Timeout:
            if waiting and not noted:
                waiting.note("another process is downloading it; waiting")
            noted = True
        else:
            return


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UpstreamError(
            f"{source} cannot be read: {error.strerror or error}",
            do="check that the path is right and that you may read the file",
        ) from error


def _unreadable(path: Path, error: OSError) -> WriteError:
    return WriteError(
        f"the store's file {path} cannot be read: {error.strerror or error}",
        do="give yourself permission to read and write there, or choose another store with --store",
    )


def _damaged(what: str) -> VerificationError:
    return VerificationError(
        what, reason="store-damaged", do="run the same command again without --offline: it is downloaded again"
    )
