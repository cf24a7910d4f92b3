"""Decompresses gzip (RFC 1952), xz and Zstandard (RFC 8878) streams within limits.

They are read chunk by chunk: neither the memory nor the unpacked amount depends on what the stream claims.
"""

from __future__ import annotations

import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

import zstandard

from bundler.formats.parse_error import ParseError

if TYPE_CHECKING:
    from typing_extensions import Buffer

Compression = Literal["", "gz", "xz", "zst"]
SUFFIXES: dict[str, Compression] = {".gz": "gz", ".xz": "xz", ".zst": "zst"}

_CHUNK = 1 << 16
_MEMORY = 128 << 20  # enough for xz -9 (65 MiB) and zstd --long=27 (128 MiB)


class CompressedError(ParseError):
    """The stream is damaged, ends early, continues after its end, or unpacks to more than the limit."""


class _Decompressor(Protocol):
    """What :class:`lzma.LZMADecompressor` has."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, limit: int, /) -> bytes: ...


class _Gzip:
    """zlib's decompressor with lzma's interface: it keeps input that it has not used."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, limit: int, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, limit)


class _Zstandard:
    """The library's streaming object, fed in small parts because its output has no limit.

    A block of 128 KiB can be encoded in 4 bytes (RFC 8878, 3.1.1.2), so one part unpacks to 16 MiB at most.
    """

    _PART = 512

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=_MEMORY).decompressobj()
        self._waiting = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data + self._waiting

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    def decompress(self, data: bytes, limit: int, /) -> bytes:
        data = self._waiting + data
        self._waiting = data[self._PART :]
        return self._inner.decompress(data[: self._PART])


def compression_of(name: str) -> Compression | None:
    """The compression by a file's name: ``""`` without such a suffix, None for an unsupported one."""
    for suffix, compression in SUFFIXES.items():
        if name.endswith(suffix):
            return compression
    return None if name.endswith((".bz2", ".lzma", ".zck", ".lz4", ".Z", ".br")) else ""


def decompress(file: BinaryIO, compression: Compression, *, limit: int) -> Iterator[bytes]:
    """Decompress the rest of ``file``, chunk by chunk (64 KiB; with Zstandard up to 16 MiB).

    Args:
        file: at the start of the stream.
        compression: of the stream.
        limit: bytes of output at most.

    Raises:
        CompressedError: ``malformed``, ``truncated``, ``too-big``, when the caller reaches that chunk.
    """
    xz = partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, memlimit=_MEMORY)
    kinds: dict[str, Callable[[], _Decompressor]] = {"gz": _Gzip, "xz": xz, "zst": _Zstandard}
    chunks = _streams(file, kinds[compression]) if compression else iter(partial(file.read, _CHUNK), b"")
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise CompressedError(
                f"the {compression or 'file'} stream unpacks to more than {limit} bytes", reason="too-big"
            )
        yield chunk


def open_decompressed(file: BinaryIO, compression: Compression, *, limit: int) -> BinaryIO:
    """A file object for the decompressed content of ``file``; its reads raise the errors of :func:`decompress`."""
    return io.BufferedReader(_ChunkReader(decompress(file, compression, limit=limit)), _CHUNK)


class _ChunkReader(io.RawIOBase):
    """Pieces as a readable, unseekable file."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        while not self._rest:
            chunk = next(self._source, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _streams(file: BinaryIO, kind: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """One stream after the other, until the file ends: the formats allow several."""
    data = file.read(_CHUNK)
    if not data:
        raise CompressedError("the compressed stream is empty", reason="truncated")
    while data:
        stream = kind()
        yield from _one_stream(stream, data, file)
        data = stream.unused_data or file.read(_CHUNK)


def _one_stream(stream: _Decompressor, data: bytes, file: BinaryIO) -> Iterator[bytes]:
    try:
        while True:
            if chunk := stream.decompress(data, _CHUNK):
                yield chunk
            if stream.eof:
                return
            data = file.read(_CHUNK) if stream.needs_input else b""
            if not data and stream.needs_input:
                raise CompressedError("the compressed stream ends too early", reason="truncated")
    except (zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
        raise CompressedError(f"the compressed stream is damaged: {error}") from None
