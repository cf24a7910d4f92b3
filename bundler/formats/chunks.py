"""Reads and hashes files in chunks, so that memory does not depend on their size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from bundler.errors import VerificationError

CHUNK: Final = 1 << 20
"""Bytes that are read at once."""


def read_chunks(file: BinaryIO, runs: Sequence[tuple[int, int]]) -> Iterator[memoryview]:
    """The bytes of some runs of a file, at most one MiB at a time.

    Args:
        file: seekable.
        runs: offset and length in bytes of each.

    Yields:
        A chunk, valid until the next one is requested: all share one buffer.

    Raises:
        VerificationError: ``truncated``, if the file ends before a run does.
    """
    buffer = memoryview(bytearray(min(CHUNK, max((length for _, length in runs), default=0))))
    for offset, length in runs:
        file.seek(offset)
        left = length
        while left:
            count = file.readinto(buffer[: min(left, len(buffer))])  # type: ignore[attr-defined]
            if not count:
                raise VerificationError("the file became shorter while it was read", reason="truncated")
            yield buffer[:count]
            left -= count


def sha256(file: BinaryIO) -> str:
    """SHA-256 of the rest of ``file``, 64 lower-case hex digits; it is at its end afterwards. Raises OSError."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK))
    while count := file.readinto(buffer):  # type: ignore[attr-defined]
        digest.update(buffer[:count])
    return digest.hexdigest()
