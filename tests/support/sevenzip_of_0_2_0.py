"""The 7z writer of 0.2.0: py7zr, in two strokes. What it wrote is the form that is read for ever.

To try it with another py7zr, install that one and run ``tests/pack/test_sevenzip_form.py``.
"""

from __future__ import annotations

import io
import os
import stat
import struct
from pathlib import Path
from typing import Any, BinaryIO

import py7zr
from py7zr.helpers import ArchiveTimestamp
from py7zr.properties import FILTER_COPY, FILTER_CRYPTO_AES256_SHA256

from bundler.model.tree import Entry, Tree
from bundler.pack import content
from bundler.pack.sevenzip import _LZMA2

PAYLOAD = "payload/"


def write(tree: Tree, out: Path, password: str | None = None) -> None:
    with out.open("x+b") as file:
        mode = "w"
        for method, entries in _parts(tree):
            _write_part(file, mode, method, password, tree, entries)
            mode = "a"
        file.flush()
        file.seek(12)
        offset, size = struct.unpack("<QQ", file.read(16))
        file.truncate(32 + int(offset) + int(size))


def _parts(tree: Tree) -> list[tuple[dict[str, Any], list[Entry]]]:
    packages = [entry for entry in tree.entries if entry.path.startswith(PAYLOAD)]
    others = [entry for entry in tree.entries if not entry.path.startswith(PAYLOAD)]
    parts = [part for part in ((_LZMA2, others), ({"id": FILTER_COPY}, packages)) if part[1]]
    return sorted(parts, key=lambda part: len(part[1]) == 1)


def _write_part(
    file: BinaryIO, mode: str, method: dict[str, Any], password: str | None, tree: Tree, entries: list[Entry]
) -> None:
    secret = [{"id": FILTER_CRYPTO_AES256_SHA256}] if password else []
    file.seek(0)
    with py7zr.SevenZipFile(file, mode, filters=[method, *secret], password=password) as archive:
        archive.set_encoded_header_mode(bool(password))
        archive.set_encrypted_header(bool(password))
        for entry in entries:
            archive.writef(_Source(entry), f"{tree.name}/{entry.path}")
            properties = archive.files[len(archive.files) - 1].file_properties()
            properties["lastwritetime"] = ArchiveTimestamp(
                int(tree.time.timestamp()) * 10_000_000 + 116_444_736_000_000_000
            )
            properties["creationtime"] = properties["lastaccesstime"] = None
            properties["attributes"] = 0x20 | 0x8000 | (stat.S_IFREG | entry.mode) << 16


class _Source(io.BufferedIOBase):
    def __init__(self, entry: Entry) -> None:
        self._size = content.size(entry)
        self._chunks = content.chunks(entry)
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
        chunk = next(self._chunks, b"")
        self._position += len(chunk)
        return chunk
