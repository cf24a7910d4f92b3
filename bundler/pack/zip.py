"""Writes a bundle as zip, the one format that every Windows opens.

Members are stored: packages do not compress, and stored bytes do not depend on the compressor of this Python
(docs/decisions/0005-containers.md). The headers are computed by :mod:`bundler.pack.zip_form`.
"""

from __future__ import annotations

import zlib
from datetime import timezone
from pathlib import Path
from typing import BinaryIO

from bundler.errors import WriteError
from bundler.fetch.disk import writing
from bundler.model.progress import Progress, Task
from bundler.model.tree import Entry, Tree
from bundler.pack import content, zip_form
from bundler.pack.content import Written
from bundler.pack.zip_form import Described


def write(tree: Tree, out: Path, progress: Progress) -> Written:
    """Write ``tree`` as the new zip file ``out``; raises :class:`WriteError` where that fails."""
    if not zip_form.can_hold(tree.time):
        raise WriteError(
            f"a zip cannot hold the time {tree.time.astimezone(timezone.utc).isoformat()}",
            do="correct the clock, then run `arc-bundler lock`",
        )
    with writing(out), progress.task(f"pack {out.name}", content.total(tree)) as task, out.open("x+b") as file:
        central = [_write_member(file, tree, entry, task) for entry in tree.entries]
        for part in zip_form.tail(central, file.tell()):
            file.write(part)
        length = file.tell()
    with writing(out):
        return Written(out, length, content.file_sha256(out))


def _write_member(file: BinaryIO, tree: Tree, entry: Entry, task: Task) -> bytes:
    """Write one member; returns its entry in the directory."""
    start = file.tell()

    def described(crc: int) -> zip_form.Headers:
        name, time = f"{tree.name}/{entry.path}", int(tree.time.timestamp())
        return zip_form.headers(Described(name, content.size(entry), crc, entry.mode, time, start))

    sink = _Checksummed(file)
    file.write(described(0).local)
    content.copy(entry, sink, task)
    end = file.tell()
    # The checksum stands before the content, and is known after it.
    complete = described(sink.crc)
    file.seek(start)
    file.write(complete.local)
    file.seek(end)
    return complete.central


class _Checksummed:
    """Writes on to ``file``, and computes the CRC-32 of what it wrote."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.crc = 0

    def write(self, chunk: bytes, /) -> None:
        self._file.write(chunk)
        self.crc = zlib.crc32(chunk, self.crc)
