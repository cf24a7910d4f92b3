"""Computes the tar of a bundle byte for byte: what our writer writes, and the only thing that our reader accepts.

POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header". The installed :mod:`tarfile` is not asked, so
that the bytes and the verdict are the same with every Python. The choices that the standard leaves open are those of
``tarfile.PAX_FORMAT``, with which 0.1.0 and 0.2.0 wrote: no prefix, a pax record only for a name above 100 characters
or beyond ASCII, or for a size of 8 GiB or more, and ``././@PaxHeader`` as the name of the records.
"""

from __future__ import annotations

import struct

BLOCK = 512
"""Bytes; headers and contents are filled to whole blocks."""
RECORD = 20 * BLOCK
"""Bytes; the whole archive is filled to whole records."""
FILE, EXTENDED = b"0", b"x"
"""Types of the two kinds of headers that there are."""

_LAYOUT = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 8s 32s 32s 8s 8s 155s 12x")
_MAGIC = b"ustar\x0000"
_CHECKSUM_AT = 148
_LONGEST = 100
"""Characters of a name without a pax record."""
_OCTAL_LIMIT = 8**11
"""The first number that twelve octal digits and a NUL do not hold."""
_RECORDS_NAME = b"././@PaxHeader"


def headers(name: str, size: int, mode: int, time: int) -> bytes:
    """All blocks before the content of a file.

    Args:
        name: with the bundle's folder in front.
        size: bytes.
        mode: permission bits.
        time: seconds since 1970, one that :func:`can_hold`.

    """
    records = b""
    if len(name) > _LONGEST or not name.isascii():
        records += _record(b"path", name.encode())
    if size >= _OCTAL_LIMIT:
        records += _record(b"size", str(size).encode())
    extended = b""
    if records:
        extended = _header(_RECORDS_NAME, len(records), 0, 0, EXTENDED) + records + padding(len(records))
    short = name.encode("ascii", "replace")[:_LONGEST]
    return extended + _header(short, size if size < _OCTAL_LIMIT else 0, mode, time, FILE)


def can_hold(time: int) -> bool:
    """Whether a header can hold ``time``, in seconds since 1970."""
    return 0 <= time < _OCTAL_LIMIT


def padding(size: int) -> bytes:
    """The zeros after a content of ``size`` bytes."""
    return bytes(-size % BLOCK)


def end(length: int) -> bytes:
    """The zeros that end an archive after ``length`` bytes of members: two blocks, then the rest of the record."""
    return bytes(2 * BLOCK + -(length + 2 * BLOCK) % RECORD)


def _record(key: bytes, value: bytes) -> bytes:
    """One pax record: its own length in decimal, a blank, the key, an equals sign, the value, a line feed."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _header(name: bytes, size: int, mode: int, time: int, kind: bytes) -> bytes:
    blank = _LAYOUT.pack(
        name,
        _octal(mode, 7),
        _octal(0, 7),  # owner and group: 0, without names
        _octal(0, 7),
        _octal(size, 11),
        _octal(time, 11),
        b" " * 8,  # the checksum is computed over blanks in its own place
        kind,
        b"",
        _MAGIC,
        b"",
        b"",
        b"",
        b"",
        b"",
    )
    checksum = b"%06o\0 " % sum(blank)
    return blank[:_CHECKSUM_AT] + checksum + blank[_CHECKSUM_AT + len(checksum) :]


def _octal(number: int, digits: int) -> bytes:
    if not 0 <= number < 8**digits:  # a field would be cut short silently
        raise ValueError(f"{number} has more than {digits} octal digits")
    return b"%0*o\0" % (digits, number)
