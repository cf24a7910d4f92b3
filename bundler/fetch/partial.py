"""A partial download on disk: the bytes so far, and what is needed to resume it.

Two files a download in ``partial/``: ``<key>.part`` holds the bytes from the first one on, ``<key>.json`` the state,
which names the representation that they belong to. The order makes killing the process safe at any time:

1. The bytes are emptied before a new state is written.
2. The state is written before the first byte.

So the bytes are always a prefix of what the state names, or empty.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from typing_extensions import Self

from bundler.fetch import disk
from bundler.formats import json_codec
from bundler.model.frozen import frozen

CHUNK = 1024 * 1024
"""Bytes that are read and hashed at a time."""


@frozen
class Origin:
    """The representation that a partial file is a prefix of."""

    url: str
    """The requested address."""
    served_by: str
    """The address that served the bytes, after redirects."""
    validator: str
    """For ``If-Range`` (RFC 9110, 13.1.5); empty where the server sent no strong validator."""
    etag: str = ""
    last_modified: str = ""
    size: int | None = None
    """Bytes of the whole file, where the server sent its length."""


def key(name: str) -> str:
    """A file name for the download of ``name``: valid on every file system, the same in every process."""
    return hashlib.sha256(name.encode()).hexdigest()[:40]


class Partial:
    """The bytes of one download so far, hashed. Hold the download's lock while it is open."""

    def __init__(self, folder: Path, name: str) -> None:
        """Open or create the partial file for ``name`` in ``folder``, and hash what it holds. Raises WriteError."""
        self.path = folder / f"{key(name)}.part"
        self._state = folder / f"{key(name)}.json"
        self._file: BinaryIO | None = None
        self.origin: Origin | None = self._read_origin(name)
        self.offset = 0
        self._hash = hashlib.sha256()
        with disk.writing(self.path, elsewhere=disk.ANOTHER_STORE):
            # Unbuffered, so that what append() has written survives if the process is killed.
            self._file = open(self.path, "r+b" if self.path.exists() else "w+b", buffering=0)  # noqa: SIM115, PTH123
            if self.origin is None:
                self._file.truncate(0)
            while chunk := self._file.read(CHUNK):
                self._hash.update(chunk)
                self.offset += len(chunk)

    def _read_origin(self, name: str) -> Origin | None:
        try:
            origin = json_codec.from_json(Origin, self._state.read_bytes())
        except (OSError, json_codec.RecordError):
            return None
        return origin if origin.url == name else None

    @property
    def sha256(self) -> str:
        """Digest of the bytes so far: 64 lower-case hex digits."""
        return self._hash.hexdigest()

    def begin(self, origin: Origin) -> None:
        """Empty the file, and record the representation of the bytes that follow. Raises WriteError."""
        with disk.writing(self.path, elsewhere=disk.ANOTHER_STORE):
            self._empty()
            write_whole(self._state, json_codec.to_json(origin))
        self.origin = origin

    def append(self, chunk: bytes) -> None:
        """Write and hash ``chunk``. Raises WriteError; earlier bytes stay."""
        view = memoryview(chunk)
        with disk.writing(self.path, elsewhere=disk.ANOTHER_STORE):
            while view:
                view = view[self._opened().write(view) :]
        self._hash.update(chunk)
        self.offset += len(chunk)

    def discard(self) -> None:
        """Delete bytes and state. Raises WriteError."""
        with disk.writing(self.path, elsewhere=disk.ANOTHER_STORE):
            self._empty()
            self._state.unlink(missing_ok=True)
        self.origin = None

    def finish(self) -> Path:
        """Flush the bytes to disk and close the file, which keeps its partial name. Raises WriteError."""
        with disk.writing(self.path, elsewhere=disk.ANOTHER_STORE):
            file = self._opened()
            os.fsync(file.fileno())
            file.close()
        self._file = None
        return self.path

    def forget_origin(self) -> None:
        """Delete the state of a file that was moved into the store."""
        with suppress(OSError):
            self._state.unlink(missing_ok=True)

    def _empty(self) -> None:
        file = self._opened()
        file.seek(0)
        file.truncate(0)
        self.offset = 0
        self._hash = hashlib.sha256()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("the partial file is closed")
        return self._file

    def close(self) -> None:
        """Close the file. Its bytes stay for the next run; an empty file is deleted."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        if self.offset == 0:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
                self._state.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)  # noqa: PTH105
    disk.fsync_dir(path.parent)
