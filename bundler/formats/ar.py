"""Lists the members of a Unix ``ar`` archive, and their offsets.

The variant of Debian packages (deb(5)): an 8-byte magic, then for every member a 60-byte header and its bytes, padded
with a newline to an even offset. Long names (GNU ``//`` tables, BSD ``#1/``) do not occur in packages and are refused,
because readers resolve them differently.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import BinaryIO

from bundler.formats.parse_error import ParseError, looks_like_a_page

MAGIC = b"!<arch>\n"
_HEADER_SIZE = 60
_MAX_MEMBERS = 64

# name 16, mtime 12, owner 6, group 6, mode 8 (octal), size 10, end mark 2: ar(5), "common" archives. Numbers are
# decimal without zeros before them, as dpkg and ar write them: no signature covers these headers.
_NUMBER = rb"(?:0|[1-9][0-9]*) *"
_HEADER = re.compile(
    rb"(?P<name>[!-.0-~]{1,16})/? *(?<=\A.{16})"
    rb"%b(?<=\A.{28})%b(?<=\A.{34})%b(?<=\A.{40})[0-7]+ *(?<=\A.{48})"
    rb"(?P<size>0|[1-9][0-9]*) *(?<=\A.{58})`\n\Z" % (_NUMBER, _NUMBER, _NUMBER),
    re.DOTALL,
)


class ArError(ParseError):
    """The bytes are not an ``ar`` archive, or hold more than its members.

    ``rest`` is what follows the last member in place of a header, if it is shorter than one.
    """

    rest: bytes | None = None


@dataclass(frozen=True)
class Member:
    """One member: its name and its bytes' place in the file."""

    name: str
    offset: int
    """Of the member's first byte, from the start of the file."""
    size: int
    """Bytes, without padding."""


def members(file: BinaryIO) -> tuple[Member, ...]:
    """List the members of an archive in order, reading only their headers.

    Every byte of the file must belong to a member, its header or its padding: other bytes would not be signed.

    Raises:
        ArError: ``malformed``, ``truncated``, ``trailing-data``, ``html``.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    _check_magic(file.read(len(MAGIC) + 64))
    found: list[Member] = []
    at = len(MAGIC)
    while at < end:
        member = _member(file, at, end)
        found.append(member)
        if len(found) > _MAX_MEMBERS:
            raise ArError(f"the archive has more than {_MAX_MEMBERS} members")
        # Members start at even offsets, with one newline as padding.
        at = member.offset + member.size
        if at % 2 and at != end:
            file.seek(at)
            if file.read(1) != b"\n":
                raise ArError(f"the padding after member {member.name} is not a newline", reason="trailing-data")
            at += 1
    return tuple(found)


def _check_magic(head: bytes) -> None:
    if head.startswith(MAGIC):
        return
    if looks_like_a_page(head):
        raise ArError("the file is an HTML page, not an ar archive", reason="html")
    if MAGIC.startswith(head):
        raise ArError("the file ends before its first member", reason="truncated")
    raise ArError("the file is not an ar archive")


def _member(file: BinaryIO, at: int, end: int) -> Member:
    file.seek(at)
    header = file.read(_HEADER_SIZE)
    match = _HEADER.match(header)
    if match is None:
        if at > len(MAGIC) and header[-2:] == b"`\n":
            raise ArError(f"the header of the member at offset {at} is invalid", reason="member-header")
        if at > len(MAGIC):
            error = ArError(f"bytes at offset {at} belong to no member", reason="trailing-data")
            error.rest = header if len(header) < _HEADER_SIZE else None
            raise error
        raise ArError("the header of the first member is invalid", reason="truncated" if end < at + 60 else "malformed")
    member = Member(match["name"].decode("ascii"), at + _HEADER_SIZE, int(match["size"]))
    if member.offset + member.size > end:
        raise ArError(f"the file ends inside its member {member.name}", reason="truncated")
    return member
