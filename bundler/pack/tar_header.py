"""Reads one header of any tar: leniently, to name what is wrong with a foreign one.

Nothing is accepted on the strength of this reading: :mod:`bundler.pack.from_tar` computes the header that our writer
makes of the values found here, and compares the bytes.
POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from bundler.pack.form import unreadable
from bundler.pack.members import damaged, refused

_LAYOUT = struct.Struct("100s 8s 16x 12s 12s 8s c 100x 6s 82x 155s 12x")
_CHECKSUM = slice(148, 156)
_USTAR = b"ustar\0"
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ")
_DECIMAL = re.compile(rb"[0-9]{1,18}")


@dataclass(frozen=True)
class Header:
    """What one header block says."""

    name: str
    """Up to the first NUL."""
    size: int
    mode: int
    time: int
    kind: bytes
    """The type, one byte."""


def parse(block: bytes) -> Header:
    """Read a header.

    Raises:
        VerificationError: ``damaged-archive`` for a wrong checksum, ``rewrapped`` for numbers that are not octal,
            ``unsafe-name`` for a name that is not UTF-8.
    """
    name, mode, size, time, checksum, kind, magic, prefix = _LAYOUT.unpack(block)
    blank = block[: _CHECKSUM.start] + b" " * 8 + block[_CHECKSUM.stop :]
    if _number(checksum) != sum(blank):
        raise damaged("the checksum of a header is wrong")
    front = _until_nul(prefix) + b"/" if magic == _USTAR and _until_nul(prefix) else b""
    return Header(text(front + _until_nul(name)), _number(size), _number(mode), _number(time), kind)


def records(content: bytes) -> Mapping[bytes, bytes]:
    """The pax records in ``content``, the last of equal keys. Raises VerificationError, ``rewrapped``."""
    found: dict[bytes, bytes] = {}
    position = 0
    while position < len(content):
        start = _RECORD.match(content, position)
        end = position + int(start[1]) if start else 0
        key, equals, value = content[start.end() if start else 0 : end].partition(b"=")
        if not equals or value[-1:] != b"\n" or end > len(content):
            raise unreadable("a pax record is malformed")
        found[key] = value[:-1]
        position = end
    return found


def decimal(value: bytes) -> int:
    """A number in a pax record. Raises VerificationError, ``rewrapped``."""
    if not _DECIMAL.fullmatch(value):
        raise unreadable("a pax record has a malformed size")
    return int(value)


def text(name: bytes) -> str:
    """A name as text. Raises VerificationError, ``unsafe-name``."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        raise refused(f"the name {name!r} is not UTF-8", "unsafe-name") from None


def _number(field: bytes) -> int:
    found = _OCTAL.fullmatch(field)
    if not found:
        raise unreadable("a number in a tar header is not written in octal digits")
    return int(found[1] or b"0", 8)


def _until_nul(field: bytes) -> bytes:
    return bytes(field.partition(b"\0")[0])
