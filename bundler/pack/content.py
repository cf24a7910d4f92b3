"""Reads the bytes of a tree's entries, and checks that a file is still the one that was verified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bundler.errors import VerificationError, WriteError
from bundler.formats import chunks as runs
from bundler.model.progress import Task
from bundler.model.tree import Blob, Entry, Tree


@dataclass(frozen=True)
class Written:
    """A complete output."""

    path: Path
    size: int
    """Bytes; of all files together for a directory."""
    sha256: str
    """Over the archive's bytes; for a directory over its ``SHA256SUMS``, which is the bundle's digest."""


class Sink(Protocol):
    """Something that takes all bytes written to it."""

    def write(self, chunk: bytes, /) -> object: ...


CHUNK = 1 << 20
"""Bytes read at once: large enough that Python's overhead is negligible, small enough for any memory."""


def size(entry: Entry) -> int:
    """Bytes of ``entry``."""
    return entry.content.size if isinstance(entry.content, Blob) else len(entry.content)


def sha256(entry: Entry) -> str:
    """SHA-256 of ``entry`` in hex: computed for bytes in memory, as recorded for a file."""
    return entry.content.sha256 if isinstance(entry.content, Blob) else hashlib.sha256(entry.content).hexdigest()


def total(tree: Tree) -> int:
    """Bytes of all entries."""
    return sum(size(entry) for entry in tree.entries)


def chunks(entry: Entry) -> Iterator[bytes]:
    """The bytes of ``entry``, at most :data:`CHUNK` at a time.

    A file is hashed while it is read. Raises :class:`VerificationError` (``changed-underneath``) when it is no longer
    what was verified, and :class:`WriteError` when it cannot be read.
    """
    if isinstance(entry.content, Blob):
        yield from _read(entry.content)
    else:
        for start in range(0, len(entry.content), CHUNK):
            yield entry.content[start : start + CHUNK]


def _read(blob: Blob) -> Iterator[bytes]:
    digest = hashlib.sha256()
    left = blob.size
    try:
        with blob.path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                left -= len(chunk)
                if left < 0:
                    break
                yield chunk
    except OSError as error:
        raise WriteError(f"{blob.path} cannot be read: {error.strerror or error}") from error
    if left or digest.hexdigest() != blob.sha256:
        raise VerificationError(
            f"{blob.path} has changed since it was verified",
            reason="changed-underneath",
            details=(f"expected {blob.size} bytes with SHA-256 {blob.sha256}",),
            do="remove it from the store, then run the same command again",
        )


def copy(entry: Entry, sink: Sink, task: Task) -> None:
    """Write the bytes of ``entry`` to ``sink``, with progress on ``task``; raises what :func:`chunks` raises."""
    for chunk in chunks(entry):
        sink.write(chunk)
        task.advance(len(chunk))


def file_sha256(path: Path) -> str:
    """SHA-256 in hex of the file at ``path``; raises :class:`OSError`."""
    with path.open("rb") as file:
        return runs.sha256(file)
