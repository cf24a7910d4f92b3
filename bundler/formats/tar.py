"""Reads a small tar archive strictly, as a stream.

The ustar format of POSIX.1-1988 with GNU's long names: what dpkg reads in ``control.tar``. Python's ``tarfile`` is not
used because it guesses at damaged headers, and some headers make it loop without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bundler.formats.parse_error import ParseError

_BLOCK = 512
_MAX_ENTRIES = 1000
_MAX_NAME = 4096
_OCTAL = re.compile(rb" *([0-7]{1,11})[ \0]*")
_REGULAR = (b"0", b"\0")
_LONG_NAME, _LONG_LINK = b"L", b"K"
_EXTENDED = (b"x", b"g")


class TarError(ParseError):
    """The bytes are not a tar archive, or one that this strict reader refuses."""


@dataclass(frozen=True)
class Entry:
    """One entry of an archive."""

    name: str
    """Without ``./`` before it."""
    is_file: bool
    content: bytes
    """Of a regular file up to the requested size; empty for anything else."""


@dataclass(frozen=True)
class _Header:
    name: bytes
    kind: bytes
    size: int


def entries(stream: BinaryIO, *, max_content: int) -> Iterator[Entry]:
    """Read the entries of an archive in order.

    Args:
        stream: at the start of the archive.
        max_content: bytes; larger files are skipped, with empty content and ``is_file`` false.

    Raises:
        TarError: ``malformed``, ``truncated``, ``too-big``. Errors of ``stream`` pass through.
    """
    long_name: bytes | None = None
    for _ in range(_MAX_ENTRIES):
        header = _header(stream)
        if header is None:
            return
        if header.kind in {_LONG_NAME, _LONG_LINK, *_EXTENDED}:
            long_name = _extension(stream, header) or long_name
            continue
        wanted = header.kind in _REGULAR and header.size <= max_content
        content = _content(stream, header.size, keep=wanted)
        yield Entry(_text(header.name if long_name is None else long_name), wanted, content)
        long_name = None
    raise TarError(f"the archive has more than {_MAX_ENTRIES} entries", reason="too-big")


def require_start(stream: BinaryIO, *, may_be_empty: bool) -> None:
    """Require that an archive starts here, or ends at once if it may. Raises :class:`TarError`; reads one block."""
    block = stream.read(_BLOCK)
    if len(block) < _BLOCK:
        raise TarError("the archive ends too early", reason="truncated")
    if block.strip(b"\0"):
        _check_sum(block)
    elif not may_be_empty:
        raise TarError("the archive is empty")


def _check_sum(block: bytes) -> None:
    if _number(block[148:156]) != sum(block[:148]) + sum(block[156:]) + 8 * 0x20:
        raise TarError("a header of the archive is damaged")


def _header(stream: BinaryIO) -> _Header | None:
    """The next header; None at the archive's end, which is a block of zeros."""
    block = stream.read(_BLOCK)
    if len(block) < _BLOCK:
        raise TarError("the archive ends too early", reason="truncated")
    if not block.strip(b"\0"):
        return None
    _check_sum(block)
    name, prefix = block[:100].partition(b"\0")[0], block[345:500].partition(b"\0")[0]
    if block[257:263] == b"ustar\0" and prefix:
        name = prefix + b"/" + name
    return _Header(name, block[156:157], _number(block[124:136]))


def _number(field: bytes) -> int:
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise TarError("a number in the archive is malformed")
    return int(match[1], 8)


def _extension(stream: BinaryIO, header: _Header) -> bytes | None:
    """Read an entry that describes the next one: returns its long name, None for anything else.

    POSIX extended headers are skipped, as dpkg does, unless they would change name or size.
    """
    if header.size > _MAX_NAME:
        raise TarError("an extended header of the archive is larger than any real one", reason="too-big")
    content = _content(stream, header.size, keep=True)
    if header.kind in _EXTENDED and re.search(rb" (?:path|size|GNU\.sparse[^=]*)=", content):
        raise TarError("an extended header of the archive changes a name or a size", reason="unsupported")
    return content.rstrip(b"\0") if header.kind == _LONG_NAME else None


def _content(stream: BinaryIO, size: int, *, keep: bool) -> bytes:
    """Read a file and its padding; without ``keep`` they are skipped in chunks, and the content is empty."""
    padded = -(-size // _BLOCK) * _BLOCK
    if keep:
        kept = stream.read(padded)
        if len(kept) < padded:
            raise TarError("the archive ends inside a file", reason="truncated")
        return kept[:size]
    while padded:
        chunk = stream.read(min(padded, 1 << 16))
        if not chunk:
            raise TarError("the archive ends inside a file", reason="truncated")
        padded -= len(chunk)
    return b""


def _text(name: bytes) -> str:
    try:
        return name.decode("utf-8").removeprefix("./")
    except UnicodeDecodeError:
        raise TarError("a name in the archive is not UTF-8") from None
