"""Unpacks the blocks of a 7z as streams, which must end where their files do.

The steps are those that our writer takes: copied or LZMA2, encrypted or not (7zFormat.txt of the LZMA SDK).
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from bundler.errors import VerificationError
from bundler.pack.content import CHUNK
from bundler.pack.members import damaged, refused
from bundler.pack.sevenzip_form import LZMA2_DICTIONARY, Block

_LZMA2 = ({"id": lzma.FILTER_LZMA2, "dict_size": LZMA2_DICTIONARY},)


class Unpacked:
    """The bytes of a block, which are divided into files."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def file(self, size: int, crc: int) -> Iterator[bytes]:
        """The next ``size`` bytes. Raises :class:`VerificationError` unless they are there and have this CRC."""
        found = 0
        while size:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                raise damaged("a file is incomplete")
            chunk, self._rest = self._rest[:size], self._rest[size:]
            size -= len(chunk)
            found = zlib.crc32(chunk, found)
            yield chunk
        if found != crc:
            raise damaged("the CRC of a file differs")

    def require_end(self) -> None:
        """Raise :class:`VerificationError` where the block goes on."""
        if self._rest or any(self._chunks):
            raise refused("a block of the 7z is longer than its files", "trailing-data")


def unpacked(file: BinaryIO, position: int, block: Block, secret: bytes | None) -> Iterator[bytes]:
    """The bytes of the ``block`` at ``position``, one chunk after the other, never an empty one.

    Raises :class:`VerificationError` where they are damaged, or go on behind their end.
    """
    chunks = _packed(file, position, block)
    try:
        if block.iv is not None and secret is not None:
            from bundler.pack.sevenzip_cipher import decrypted

            chunks = decrypted(chunks, secret, block.iv, block.inner)
        yield from filter(None, _lzma2(chunks) if block.compressed else chunks)
    except (lzma.LZMAError, ValueError) as error:
        raise damaged(error) from error


def _packed(file: BinaryIO, position: int, block: Block) -> Iterator[bytes]:
    left, crc = block.packed, 0
    while left:
        file.seek(position)
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise damaged("it ends inside a block")
        position += len(chunk)
        left -= len(chunk)
        if block.crc is not None:
            crc = zlib.crc32(chunk, crc)
        yield chunk
    if block.crc not in (None, crc):
        raise damaged("the CRC of a block differs")


def _lzma2(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_LZMA2)
    for packed in chunks:
        if unpacker.eof:
            raise _behind_the_end()
        yield from _pieces(unpacker, packed)
        if unpacker.unused_data:
            raise _behind_the_end()
    if not unpacker.eof:
        raise damaged("a block ends before its last byte")


def _pieces(unpacker: lzma.LZMADecompressor, packed: bytes) -> Iterator[bytes]:
    """What ``packed`` unpacks to, in chunks of bounded size."""
    yield unpacker.decompress(packed, CHUNK)
    while not (unpacker.eof or unpacker.needs_input):
        yield unpacker.decompress(b"", CHUNK)


def _behind_the_end() -> VerificationError:
    return refused("something follows the end of a block of the 7z", "trailing-data")
