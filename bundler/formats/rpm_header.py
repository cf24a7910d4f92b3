"""Reads one header of an rpm package: its index and its store.

The layout of rpm's "RPM header" document (``format_header.md``): an intro of 16 bytes, an index of 16-byte entries, and
a store. The rules of rpm's ``hdrblobVerifyInfo`` and ``hdrblobVerifyRegion`` (``lib/header.c``) hold here too: whatever
rpm refuses is refused. A header's *region* is the part that its signature covers.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import BinaryIO

from bundler.formats.parse_error import ParseError

MAGIC = b"\x8e\xad\xe8\x01\x00\x00\x00\x00"
REGION_SIZE = 16
SIGNATURE_REGION = 62
MAIN_REGION = 63
"""Tags of the two headers' regions."""

_INTRO = struct.Struct(">8sII")
_ENTRY = struct.Struct(">IiiI")
_MAX_VALUES = 1 << 16  # of a tag that is read; real packages require a few hundred others
_MAX_ENTRIES = 4096  # real packages have about a hundred tags
_FIRST_TAG = 100  # below are regions; HEADER_I18NTABLE in rpm's header.c


class RpmError(ParseError):
    """The file is not an rpm package, or its headers break the rules."""


class Type(IntEnum):
    """Types of entries; rpm's "RPM header" document."""

    CHAR = 1
    INT8 = 2
    INT16 = 3
    INT32 = 4
    INT64 = 5
    STRING = 6
    BIN = 7
    STRING_ARRAY = 8
    I18N_STRING = 9


_TYPES = frozenset(Type)
_WIDTHS = {Type.CHAR: 1, Type.INT8: 1, Type.INT16: 2, Type.INT32: 4, Type.INT64: 8, Type.BIN: 1}
_STRINGS = {Type.STRING, Type.STRING_ARRAY, Type.I18N_STRING}
_INTEGERS = {Type.INT8: "B", Type.INT16: "H", Type.INT32: "I", Type.INT64: "Q"}
_ALIGNMENT = {Type.INT16: 2, Type.INT32: 4, Type.INT64: 8}


@dataclass(frozen=True)
class Entry:
    """An entry of the index, within the store."""

    tag: int
    type: Type
    offset: int
    count: int
    size: int
    """Bytes of its data."""

    @property
    def end(self) -> int:
        """The offset after its data."""
        return self.offset + self.size

    @property
    def alignment(self) -> int:
        """Of its offset, in bytes."""
        return _ALIGNMENT.get(self.type, 1)


@dataclass(frozen=True)
class Header:
    """One parsed header: every entry is within the store, no tag occurs twice."""

    blob: bytes = field(repr=False)
    """The whole header with its intro: what a header signature covers."""
    entries: Mapping[int, Entry] = field(repr=False)
    """By tag, in the order of the index."""
    store: memoryview = field(repr=False)

    def __contains__(self, tag: int) -> bool:
        return tag in self.entries

    def binary(self, tag: int) -> bytes | None:
        """The bytes of ``tag``; None if the header does not have it. Raises :class:`RpmError` for another type."""
        entry = self._entry(tag, {Type.BIN})
        return None if entry is None else bytes(self.store[entry.offset : entry.offset + entry.count])

    def strings(self, tag: int) -> tuple[str, ...]:
        """The strings of ``tag``; empty if the header does not have it. Raises :class:`RpmError` if not UTF-8."""
        entry = self._entry(tag, _STRINGS)
        if entry is None:
            return ()
        parts = bytes(self.store[entry.offset : entry.end - 1]).split(b"\0")
        try:
            return tuple(part.decode("utf-8") for part in parts)
        except UnicodeDecodeError:
            raise RpmError(f"the text of tag {tag} is not UTF-8") from None

    def string(self, tag: int) -> str:
        """The first string of ``tag``; empty if the header does not have it."""
        return next(iter(self.strings(tag)), "")

    def integers(self, tag: int) -> tuple[int, ...]:
        """The numbers of ``tag``; empty if the header does not have it."""
        entry = self._entry(tag, set(_INTEGERS))
        if entry is None:
            return ()
        return struct.unpack_from(f">{entry.count}{_INTEGERS[entry.type]}", self.store, entry.offset)

    def _entry(self, tag: int, types: set[Type]) -> Entry | None:
        entry = self.entries.get(tag)
        if entry is not None and entry.type not in types:
            raise RpmError(f"tag {tag} has the wrong type")
        # Each value becomes an object of 50 bytes and more.
        if entry is not None and entry.type is not Type.BIN and entry.count > _MAX_VALUES:
            raise RpmError(f"tag {tag} has more values than any real one that is read", reason="too-big")
        return entry


def read(file: BinaryIO, max_store: int, region: int) -> Header:
    """Read a header from ``file``, which stands at its start.

    Args:
        file: the package.
        max_store: bytes that the store may have.
        region: the tag of its region.

    Raises:
        RpmError: ``malformed``, ``truncated``, ``too-big``, ``duplicate``.
    """
    intro = file.read(_INTRO.size)
    if len(intro) < _INTRO.size:
        raise RpmError("the file ends before a header", reason="truncated")
    magic, count, store_size = _INTRO.unpack(intro)
    if magic != MAGIC:
        raise RpmError("a header does not start with its magic bytes")
    if not 0 < count <= _MAX_ENTRIES or store_size > max_store:
        raise RpmError("a header claims to be larger than any real one", reason="too-big")
    body = file.read(count * _ENTRY.size + store_size)
    if len(body) < count * _ENTRY.size + store_size:
        raise RpmError("the file ends inside a header", reason="truncated")
    store = memoryview(body)[count * _ENTRY.size :]
    entries = _entries(body, count, store)
    found = Header(intro + body, {entry.tag: entry for entry in entries}, store)
    if len(found.entries) != len(entries):
        raise RpmError("a header holds a tag twice", reason="duplicate")
    _check_region(found, region)
    return found


def _entries(body: bytes, count: int, store: memoryview) -> list[Entry]:
    """The entries in the order of the index, which is the order of their data, without overlap."""
    first = _entry(body, 0, store)
    entries, end = [first], 0
    for index in range(1, count):
        entry = _entry(body, index, store, after=end)
        if entry.end > first.offset and entry.offset < first.end:
            raise RpmError(f"the data of tag {entry.tag} overlaps the end of the region")
        entries.append(entry)
        end = entry.end
    return entries


def _entry(body: bytes, index: int, store: memoryview, after: int = 0) -> Entry:
    tag, kind, offset, count = _ENTRY.unpack_from(body, index * _ENTRY.size)
    if kind not in _TYPES:
        raise RpmError(f"tag {tag} has an unknown type")
    if tag < _FIRST_TAG and index:
        raise RpmError(f"tag {tag} is the tag of a region")
    if not 0 <= offset <= len(store) or not 0 < count <= len(store) - offset:
        raise RpmError(f"tag {tag} is outside of its header")
    if offset < after:
        raise RpmError(f"the data of tag {tag} overlaps other data")
    found = Type(kind)
    if offset % _ALIGNMENT.get(found, 1):
        raise RpmError(f"the data of tag {tag} has an odd place")
    if found is Type.STRING and count != 1:
        raise RpmError(f"tag {tag} has more strings than its type allows")
    base = len(body) - len(store)
    size = _strings_size(body, base + offset, tag, count) if found in _STRINGS else count * _WIDTHS[found]
    if size > len(store) - offset:
        raise RpmError(f"tag {tag} is longer than its header")
    return Entry(tag, found, offset, count, size)


def _strings_size(body: bytes, start: int, tag: int, count: int) -> int:
    """Bytes of ``count`` strings, each with its zero: whole blocks are counted, and the last one is searched."""
    at, left = start, count
    for block in (1 << 16, 1 << 8):
        while at < len(body) and (inside := body.count(b"\0", at, at + block)) < left:
            at, left = at + block, left - inside
    for _ in range(left):
        at = body.find(b"\0", at) + 1
        if not at:
            raise RpmError(f"a string of tag {tag} has no end")
    return at - start


def _check_region(header: Header, region: int) -> None:
    """Require that the first entry is the region, with a trailer that points back over the index."""
    first = next(iter(header.entries.values()))
    if (first.tag, first.type, first.count) != (region, Type.BIN, REGION_SIZE):
        raise RpmError("the header does not start with its region: its tags would not be signed")
    tag, kind, offset, count = _ENTRY.unpack_from(header.store, first.offset)
    whole = len(header.entries) * _ENTRY.size
    if (tag, kind, count) != (region, Type.BIN, REGION_SIZE) or offset % _ENTRY.size or not 0 < -offset <= whole:
        raise RpmError("the header's region has no valid end")


def spans_everything(header: Header) -> bool:
    """Whether the region covers the whole header, so that every tag is signed."""
    first = next(iter(header.entries.values()))
    _, _, offset, _ = _ENTRY.unpack_from(header.store, first.offset)
    return first.end == len(header.store) and -offset == len(header.entries) * _ENTRY.size
