"""Writes a bundle as tar.gz, which every Linux unpacks.

The gzip layer (RFC 1952) consists of stored deflate blocks (RFC 1951, 3.2.4) without time or name: packages do not
compress, and the bytes do not depend on this Python's zlib (docs/decisions/0005-containers.md).
The headers are computed by :mod:`bundler.pack.tar_form`.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from bundler.errors import WriteError
from bundler.fetch.disk import writing
from bundler.model.progress import Progress
from bundler.model.tree import Tree
from bundler.pack import content, gzip_form, tar_form
from bundler.pack.content import Written

_STORED_LIMIT = 0xFFFF
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"


class _StoredGzip:
    """Writes a gzip member without compressing it, and hashes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._crc = 0
        self._length = 0
        self._digest = hashlib.sha256()
        self._emit(gzip_form.HEADER)

    def write(self, chunk: bytes) -> None:
        self._crc = zlib.crc32(chunk, self._crc)
        self._length += len(chunk)
        parts = []
        for start in range(0, len(chunk), _STORED_LIMIT):
            block = chunk[start : start + _STORED_LIMIT]
            parts += [struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF), block]
        self._emit(b"".join(parts))

    def finish(self) -> str:
        """End the member and return the SHA-256 of all that was written."""
        self._emit(_LAST_BLOCK + struct.pack("<II", self._crc, self._length & 0xFFFFFFFF))
        return self._digest.hexdigest()

    def _emit(self, encoded: bytes) -> None:
        self._digest.update(encoded)
        self._file.write(encoded)


def write(tree: Tree, out: Path, progress: Progress) -> Written:
    """Write ``tree`` as the new tar.gz file ``out``; raises :class:`WriteError` where that fails."""
    time = int(tree.time.timestamp())
    if not tar_form.can_hold(time):
        raise WriteError(
            f"a tar cannot hold the time {tree.time.isoformat()}", do="correct the clock, then run `arc-bundler lock`"
        )
    with writing(out), progress.task(f"pack {out.name}", content.total(tree)) as task, out.open("xb") as file:
        gzip = _StoredGzip(file)
        length = 0
        for entry in tree.entries:
            size = content.size(entry)
            headers = tar_form.headers(f"{tree.name}/{entry.path}", size, entry.mode, time)
            padding = tar_form.padding(size)
            gzip.write(headers)
            content.copy(entry, gzip, task)
            gzip.write(padding)
            length += len(headers) + size + len(padding)
        gzip.write(tar_form.end(length))
        return Written(path=out, sha256=gzip.finish(), size=file.tell())
