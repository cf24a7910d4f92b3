"""Writes a bundle as 7z, optionally encrypted with its file names.

With py7zr: packages are copied, scripts and documents compressed with LZMA2, all encrypted with AES-256 when there
is a password (docs/decisions/0005-containers.md). Format: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import io
import lzma
import os
import stat
import struct
from pathlib import Path
from typing import Any, BinaryIO

from bundler.fetch.disk import writing
from bundler.model.progress import Progress, Task
from bundler.model.tree import Entry, Tree
from bundler.pack import content
from bundler.pack.content import Written

PAYLOAD = "payload/"

# Every setting of the encoder is given, so that the bytes do not depend on a preset of liblzma; one thread, one stream.
_LZMA2 = {
    "id": lzma.FILTER_LZMA2,
    "preset": 6,
    "dict_size": 1 << 23,
    "lc": 3,
    "lp": 0,
    "pb": 2,
    "mode": lzma.MODE_NORMAL,
    "nice_len": 64,
    "mf": lzma.MF_BT4,
    "depth": 0,
}
_ARCHIVE = 0x20
_UNIX_EXTENSION = 0x8000
# Windows' times: steps of 100 ns since 1601.
_EPOCH_1970 = 116_444_736_000_000_000
# The signature header: magic, version, checksum; then offset and size of the header at the end (7zFormat.txt).
_START_HEADER = 32
_NEXT_HEADER = 12

_Method = dict[str, Any]


def write(tree: Tree, out: Path, progress: Progress, password: str | None = None) -> Written:
    """Write ``tree`` as the new 7z file ``out``; raises :class:`WriteError` where that fails.

    With ``password`` (never empty) contents and names are encrypted, and no two runs make the same bytes.
    """
    with writing(out), progress.task(f"pack {out.name}", content.total(tree)) as task, out.open("x+b") as file:
        mode = "w"
        for method, entries in _parts(tree):
            _write_part(file, mode, method, password, tree=tree, entries=entries, task=task)
            mode = "a"
        length = _cut(file)
    with writing(out):
        return Written(out, length, content.file_sha256(out))


def _parts(tree: Tree) -> list[tuple[_Method, list[Entry]]]:
    """A solid block for each method: files that compress, then the packages."""
    from py7zr.properties import FILTER_COPY

    packages = [entry for entry in tree.entries if entry.path.startswith(PAYLOAD)]
    others = [entry for entry in tree.entries if not entry.path.startswith(PAYLOAD)]
    parts = [part for part in ((_LZMA2, others), ({"id": FILTER_COPY}, packages)) if part[1]]
    # py7zr 1.1 forgets the sizes of a first block that holds one file when it appends a second block of several.
    return sorted(parts, key=lambda part: len(part[1]) == 1)


def _write_part(
    file: BinaryIO, mode: str, method: _Method, password: str | None, *, tree: Tree, entries: list[Entry], task: Task
) -> None:
    import py7zr
    from py7zr.properties import FILTER_CRYPTO_AES256_SHA256

    secret = [{"id": FILTER_CRYPTO_AES256_SHA256}] if password else []
    file.seek(0)
    with py7zr.SevenZipFile(file, mode, filters=[method, *secret], password=password) as archive:
        # A header that is not encrypted is not compressed either: a plain one depends on no encoder.
        archive.set_encoded_header_mode(bool(password))
        archive.set_encrypted_header(bool(password))
        for entry in entries:
            archive.writef(_Source(entry, task), f"{tree.name}/{entry.path}")
            _describe(archive, tree, entry)


def _describe(archive: Any, tree: Tree, entry: Entry) -> None:
    """Set the time and mode of the file just written: py7zr set the current time and a default mode.

    The properties are written with the header, when the archive is closed.
    """
    from py7zr.helpers import ArchiveTimestamp

    properties = archive.files[len(archive.files) - 1].file_properties()
    properties["lastwritetime"] = ArchiveTimestamp(int(tree.time.timestamp()) * 10_000_000 + _EPOCH_1970)
    properties["creationtime"] = properties["lastaccesstime"] = None
    properties["attributes"] = _ARCHIVE | _UNIX_EXTENSION | (stat.S_IFREG | entry.mode) << 16


def _cut(file: BinaryIO) -> int:
    """End the file where its header ends, and return its length.

    The second part overwrites the first part's header from its start, and may be the shorter of the two.
    """
    file.flush()
    file.seek(_NEXT_HEADER)
    offset, size = struct.unpack("<QQ", file.read(16))
    return file.truncate(_START_HEADER + int(offset) + int(size))


class _Source(io.BufferedIOBase):
    """An entry's bytes as the file that py7zr needs: its size is requested, then it is read once from start to end."""

    def __init__(self, entry: Entry, task: Task) -> None:
        self._size = content.size(entry)
        self._chunks = content.chunks(entry)
        self._task = task
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = self._size + offset if whence == os.SEEK_END else offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """The next chunk, of any length; py7zr reads until there is none."""
        chunk = next(self._chunks, b"")
        self._position += len(chunk)
        self._task.advance(len(chunk))
        return chunk
