"""A second net for every kind of file: bytes that no signature covers hold no end record of a ZIP archive.

Programs find a ZIP or JAR by the record at its end, wherever the file begins: Java and unzip search the last 64 KiB for
it (APPNOTE.TXT 4.3.16, and 4.3.14 and 4.3.15 for ZIP64). A signed package that holds one in its unsigned bytes runs as
a program that its publisher never saw (CVE-2020-1464). The readers of each kind refuse foreign bytes by their own
rules; this net does not depend on them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from bundler.errors import VerificationError

RECORDS = (b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07")
_OVERLAP = 3
"""Bytes of a neighbour that can hold a part of a record."""
_CHUNK = 1 << 20

Run = tuple[int, int]
"""Offset and length in bytes."""


def require_no_archive(file: BinaryIO, covered: Iterable[Run], what: str) -> None:
    """Search the bytes of ``file`` outside of the ``covered`` runs.

    Args:
        file: seekable.
        covered: what a signature or a signed digest covers.
        what: what a person calls the file.

    Raises:
        VerificationError: ``hidden-archive``.
    """
    size = file.seek(0, os.SEEK_END)
    for start, end in _uncovered(covered, size):
        before = max(0, start - _OVERLAP)
        tail = b""
        file.seek(before)
        for length in _lengths(min(size, end + _OVERLAP) - before):
            tail += file.read(length)
            refuse_archive(tail, what)
            tail = tail[-_OVERLAP:]


def refuse_archive(content: bytes, what: str) -> None:
    """Search unsigned ``content``. Raises VerificationError, ``hidden-archive``."""
    if any(record in content for record in RECORDS):
        raise VerificationError(
            f"{what} holds the end record of a ZIP archive in bytes that no signature covers", reason="hidden-archive"
        )


def _uncovered(covered: Iterable[Run], size: int) -> Iterator[tuple[int, int]]:
    """Start and end of each part between the covered runs, in the order of the file."""
    at = 0
    for offset, length in sorted(covered):
        if offset > at:
            yield at, offset
        at = max(at, offset + length)
    if at < size:
        yield at, size


def _lengths(total: int) -> Iterator[int]:
    while total > 0:
        yield min(total, _CHUNK)
        total -= _CHUNK
