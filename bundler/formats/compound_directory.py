"""Builds the directory tree of a compound file, in which each entry has one place.

An entry is taken from a list before its links are followed, and cannot be taken twice: neither a circle nor an entry in
two places is possible, and no loop is longer than the list. Depth is limited, siblings are walked without recursion.

Source: [MS-CFB] v12, section 2.6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from bundler.errors import VerificationError
from bundler.formats.compound_errors import malformed, trailing

ENTRY: Final = 128
_NO_ENTRY: Final = 0xFFFFFFFF
_MAX_DEPTH: Final = 8
_FORBIDDEN: Final = frozenset("\0/\\:!")
"""Characters that no name may hold ([MS-CFB] 2.6.1; a zero ends a name). Windows creates none: a reader that meets one
cuts the name off or takes it for a path. The codes of Windows Installer's stream names are all above U+3800."""

EntryKind = Literal["root", "storage", "stream"]
_KINDS: Final[dict[int, EntryKind]] = {1: "storage", 2: "stream", 5: "root"}


@dataclass(frozen=True)
class Entry:
    """A directory entry ([MS-CFB] 2.6.1); the parts that a signature covers are kept as raw bytes."""

    name: str
    raw_name: bytes
    """UTF-16LE, without the terminating zero."""
    kind: EntryKind
    clsid: bytes
    state: bytes
    created: bytes
    modified: bytes
    start: int
    size: int
    """Bytes; 0 for a storage."""
    children: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class _Raw:
    """A directory entry with its links, before the tree is built."""

    entry: Entry
    left: int
    right: int
    child: int


def _raw_entry(raw: bytes, wide_sizes: bool) -> _Raw | None:
    """Unpack one directory entry ([MS-CFB] 2.6.1); None if it is free (2.6.3)."""
    name, length, kind, colour, left, right, child, clsid, state, created, modified, start, size = struct.unpack(
        "<64sHBBIII16s4s8s8sIQ", raw
    )
    if kind == 0:
        # A free entry has room for hidden bytes. Writers use both 0 and "no entry" for its links.
        if any(raw[:68]) or any(raw[80:]) or any(link not in {0, _NO_ENTRY} for link in (left, right, child)):
            trailing("a free directory entry is not empty")
        return None
    if kind not in _KINDS or colour > 1 or length % 2 or not 4 <= length <= 64 or any(name[length - 2 :]):
        malformed("a directory entry is invalid")
    # Version 3 uses 32 bits of the size; readers differ in whether they ignore the others.
    if size >> 32 and not wide_sizes:
        malformed("a stream is larger than its version allows")
    raw_name = name[: length - 2]
    text = raw_name.decode("utf-16-le", "surrogatepass")
    if not _FORBIDDEN.isdisjoint(text):
        malformed(f"a name in its directory holds a character that names cannot hold: {text!a}")
    entry = Entry(
        text,
        *(raw_name, _KINDS[kind], clsid, state, created, modified, start, size),
    )
    return _Raw(entry, left, right, child)


def _order(name: str) -> tuple[int, bytes]:
    """The sort key of siblings, by which names are compared ([MS-CFB] 2.6.4): shorter first, then upper case."""
    upper = "".join(c.upper() if len(c.upper()) == 1 else c for c in name).encode("utf-16-be", "surrogatepass")
    return len(upper), upper


class Directory:
    """Builds nested entries from the trees of raw entries; each entry is used once."""

    def __init__(self, raw: bytes, wide_sizes: bool) -> None:
        chunks = (raw[at : at + ENTRY] for at in range(0, len(raw), ENTRY))
        self._entries = [_raw_entry(chunk, wide_sizes) for chunk in chunks]
        self._left = {index for index, found in enumerate(self._entries) if found}

    def root(self) -> Entry:
        """The root with all below it. Raises ``malformed``, ``duplicate-name``, ``trailing-data``."""
        first = self._take(0)
        if (
            first.entry.kind != "root"
            or first.entry.name != "Root Entry"
            or (first.left, first.right) != (_NO_ENTRY, _NO_ENTRY)
        ):
            malformed("its first directory entry is not the root")
        root = self._storage(first, 0)
        if self._left:
            trailing("a directory entry belongs to no storage")
        return root

    def _take(self, index: int) -> _Raw:
        found = self._entries[index] if index < len(self._entries) else None
        if found is None or index not in self._left:
            malformed("its directory is not a tree")
        self._left.discard(index)
        return found

    def _storage(self, raw: _Raw, depth: int) -> Entry:
        if depth > _MAX_DEPTH:
            malformed("its storages are nested too deep")
        children = tuple(self._child(found, depth) for found in self._siblings(raw.child))
        keys = [_order(child.name) for child in children]
        if len(set(keys)) != len(keys):
            raise VerificationError("two streams have names that differ only in case", reason="duplicate-name")
        # Windows finds a name by binary search: in a tree out of order it sees other streams than a full walk.
        if keys != sorted(keys):
            malformed("its directory is not in order")
        entry = raw.entry
        size = entry.size if entry.kind == "root" else 0
        covered = (entry.name, entry.raw_name, entry.kind, entry.clsid, entry.state, entry.created, entry.modified)
        return Entry(*covered, entry.start, size, children)

    def _child(self, raw: _Raw, depth: int) -> Entry:
        if raw.entry.kind == "storage":
            return self._storage(raw, depth + 1)
        if raw.entry.kind != "stream" or raw.child != _NO_ENTRY or any(raw.entry.clsid):
            malformed("a stream has children or a class")
        return raw.entry

    def _siblings(self, top: int) -> list[_Raw]:
        """The binary tree below ``top`` in order, without recursion: a hostile tree can be very deep."""
        found: list[_Raw] = []
        pending: list[_Raw] = []
        at = top
        while at != _NO_ENTRY or pending:
            if at != _NO_ENTRY:
                pending.append(self._take(at))
                at = pending[-1].left
            else:
                found.append(pending.pop())
                at = found[-1].right
        return found


def streams(entry: Entry) -> Iterator[Entry]:
    """The streams in a storage and in those below it."""
    for child in entry.children:
        if child.kind == "stream":
            yield child
        else:
            yield from streams(child)
