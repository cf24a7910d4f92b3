"""A bundle's zip in parts, to be put together otherwise than any release does."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from bundler.model.tree import Blob, Tree


@dataclass(frozen=True)
class Member:
    """One member: what both headers say, and where one of them says something else."""

    name: bytes
    content: bytes
    fields: Mapping[str, int | bytes]
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    """What the header before the content says otherwise."""
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    """What the directory says otherwise."""
    packed: bytes | None = None
    """The content as it is stored; None: as it is."""
    before: bytes = b""
    """Bytes before the header."""
    after: bytes = b""
    """Bytes behind the content, such as a data descriptor."""
    listed: bool = True
    """Whether the directory lists it."""
    written: bool = True
    """Whether its header and content are there; otherwise the directory lists it at the place of the one before."""

    @property
    def stored(self) -> bytes:
        return self.content if self.packed is None else self.packed


@dataclass(frozen=True)
class Zip:
    """All members in the order of their contents, and what is around them."""

    members: tuple[Member, ...]
    front: bytes = b""
    gap: bytes = b""
    """Bytes between the last content and the directory."""
    behind: bytes = b""
    """Bytes between the directory and the end."""
    end: Mapping[str, int | bytes] = field(default_factory=dict)
    tail: bytes = b""
    directory_reversed: bool = False
    shifted: int = 0
    """Added to every stated offset."""

    def member(self, name: str) -> Member:
        return next(one for one in self.members if one.name.endswith(b"/" + name.encode()))

    def with_member(self, path: str, /, **changes: object) -> Zip:
        """The zip with a changed member."""
        old = self.member(path)
        members = tuple(replace(one, **changes) if one == old else one for one in self.members)  # type: ignore[arg-type]
        return replace(self, members=members)

    def both(self, path: str, /, **fields: int | bytes) -> Zip:
        """The zip with other fields in both headers of a member."""
        return self.with_member(path, local=fields, central=fields)

    def plus(self, *members: Member) -> Zip:
        return replace(self, members=(*self.members, *members))

    def raw(self) -> bytes:
        """The whole zip."""
        body, central, place = bytearray(self.front), [], 0
        for one in self.members:
            if one.written:
                body += one.before
                place = len(body)
                body += _local(one) + one.stored + one.after
            if one.listed:
                central.append(_central(one, place + self.shifted))
        body += self.gap
        directory = b"".join(central[::-1] if self.directory_reversed else central)
        end = {
            "disk": 0,
            "first": 0,
            "here": len(central),
            "count": len(central),
            "size": len(directory),
            "offset": len(body) + self.shifted,
            "comment": b"",
            **self.end,
        }
        comment = end.pop("comment")
        assert isinstance(comment, bytes)
        closing = struct.pack("<4s4H2LH", b"PK\5\6", *end.values(), len(comment)) + comment
        return bytes(body) + directory + self.behind + closing + self.tail


def member(name: str, content: bytes, *, mode: int = 0o100644, at: int = 0, **changes: object) -> Member:
    """A stored member, as a release writes it."""
    moment = datetime.fromtimestamp(at or 315_532_800, timezone.utc)
    fields = {
        "made": 20,
        "system": 3,
        "version": 20,
        "flags": 0 if name.isascii() else 0x800,
        "method": 0,
        "time": moment.hour << 11 | moment.minute << 5 | moment.second // 2,
        "date": (moment.year - 1980) << 9 | moment.month << 5 | moment.day,
        "crc": zlib.crc32(content),
        "size": len(content),
        "extra": b"",
        "comment": b"",
        "disk": 0,
        "internal": 0,
        "external": mode << 16,
    }
    return Member(name.encode(), content, fields, **changes)  # type: ignore[arg-type]


def of_tree(tree: Tree) -> Zip:
    """The zip of a tree, as a release writes it."""
    at = int(tree.time.timestamp())
    return Zip(
        tuple(
            member(
                f"{tree.name}/{entry.path}",
                entry.content.path.read_bytes() if isinstance(entry.content, Blob) else entry.content,
                mode=0o100000 | entry.mode,
                at=at,
            )
            for entry in tree.entries
        )
    )


def _local(one: Member) -> bytes:
    said = {**one.fields, "packed": len(one.stored), "name": one.name, **one.local}
    name, extra = said["name"], said["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    keys = ("version", "flags", "method", "time", "date", "crc", "packed", "size")
    numbers = [said[key] for key in keys]
    return struct.pack("<4s5H3L2H", b"PK\3\4", *numbers, len(name), len(extra)) + name + extra


def _central(one: Member, place: int) -> bytes:
    said = {**one.fields, "packed": len(one.stored), "name": one.name, "offset": place, **one.central}
    name, extra, comment = said["name"], said["extra"], said["comment"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    assert isinstance(comment, bytes)
    head = [said[key] for key in ("made", "system", "version")]
    middle = [said[key] for key in ("flags", "method", "time", "date", "crc", "packed", "size")]
    last = [said[key] for key in ("disk", "internal", "external", "offset")]
    fixed = struct.pack("<4s4B4H3L5H2L", b"PK\1\2", *head, 0, *middle, len(name), len(extra), len(comment), *last)
    return fixed + name + extra + comment
