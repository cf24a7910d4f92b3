"""Writes a bundle as 7z, optionally encrypted with its file names.

Packages are copied, scripts and documents compressed with LZMA2, all encrypted with AES-256 when there is a password
(docs/decisions/0005-containers.md). The headers are those of :mod:`bundler.pack.sevenzip_form`.
Format: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import lzma
import secrets
import zlib
from pathlib import Path
from typing import BinaryIO

from bundler.fetch.disk import writing
from bundler.formats.sevenzip import START, start_header
from bundler.model.progress import Progress, Task
from bundler.model.tree import Entry, Tree
from bundler.pack import content, sevenzip_cipher, sevenzip_form
from bundler.pack.content import Written
from bundler.pack.sevenzip_form import AES_BLOCK, LZMA2_DICTIONARY, Block, Packed

# Every setting of the encoder is given, so that the bytes do not depend on a preset of liblzma; one thread, one stream.
_LZMA2 = {
    "id": lzma.FILTER_LZMA2,
    "preset": 6,
    "dict_size": LZMA2_DICTIONARY,
    "lc": 3,
    "lp": 0,
    "pb": 2,
    "mode": lzma.MODE_NORMAL,
    "nice_len": 64,
    "mf": lzma.MF_BT4,
    "depth": 0,
}


def write(tree: Tree, out: Path, progress: Progress, password: str | None = None) -> Written:
    """Write ``tree`` as the new 7z file ``out``; raises :class:`WriteError` where that fails.

    With ``password`` (never empty) contents and names are encrypted, and no two runs make the same bytes.
    """
    secret = sevenzip_cipher.key(password) if password else None
    with writing(out), progress.task(f"pack {out.name}", content.total(tree)) as task, out.open("x+b") as file:
        file.write(bytes(START.size))
        entries = {entry.path: entry for entry in tree.entries}
        blocks = [
            _write_block(file, tree, [entries[path] for path in paths], secret, task, compressed=compressed)
            for compressed, paths in sevenzip_form.blocks(entries)
        ]
        end = _end(file, blocks, secret)
        offset = file.tell() - START.size
        file.write(end)
        length = file.tell()
        file.seek(0)
        file.write(start_header(end, offset))
    with writing(out):
        return Written(out, length, content.file_sha256(out))


def _write_block(
    file: BinaryIO, tree: Tree, entries: list[Entry], secret: bytes | None, task: Task, *, compressed: bool
) -> Block:
    packer = _Packer(file, secret, compressed=compressed)
    time = int(tree.time.timestamp())
    files = []
    for entry in entries:
        packer.begin_file()
        content.copy(entry, packer, task)
        files.append(Packed(f"{tree.name}/{entry.path}", content.size(entry), packer.file_crc, entry.mode, time))
    return packer.finish(tuple(files))


def _end(file: BinaryIO, blocks: list[Block], secret: bytes | None) -> bytes:
    """The header for the end of the file; an encrypted one is written first, and this says where it is."""
    position = file.tell() - START.size
    if secret is None:
        return sevenzip_form.end_header(blocks, file.tell())
    packer = _Packer(file, secret, compressed=False)
    packer.write(sevenzip_form.end_header(blocks, 0))
    return sevenzip_form.encrypted_header(position, packer.finish(()))


class _Packer:
    """Packs the bytes of one block into the archive."""

    def __init__(self, file: BinaryIO, secret: bytes | None, *, compressed: bool) -> None:
        self._file = file
        self._lzma = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[_LZMA2]) if compressed else None
        self._iv = secrets.token_bytes(AES_BLOCK) if secret else None
        self._cipher = sevenzip_cipher.Encryption(secret, self._iv) if secret and self._iv else None
        self._inner = self._packed = self._crc = 0
        self.file_crc = 0
        """Over the bytes since :meth:`begin_file`."""

    def begin_file(self) -> None:
        self.file_crc = 0

    def write(self, chunk: bytes) -> None:
        self.file_crc = zlib.crc32(chunk, self.file_crc)
        self._encrypt(self._lzma.compress(chunk) if self._lzma else chunk)

    def finish(self, files: tuple[Packed, ...]) -> Block:
        """Write what is left, and describe the block."""
        if self._lzma:
            self._encrypt(self._lzma.flush())
        if self._cipher:
            self._emit(self._cipher.finish())
        crc = self._crc if self._cipher else None
        return Block(self._lzma is not None, files, self._packed, self._inner, self._iv, crc)

    def _encrypt(self, chunk: bytes) -> None:
        self._inner += len(chunk)
        self._emit(self._cipher.update(chunk) if self._cipher else chunk)

    def _emit(self, chunk: bytes) -> None:
        self._packed += len(chunk)
        if self._cipher:
            self._crc = zlib.crc32(chunk, self._crc)
        self._file.write(chunk)
