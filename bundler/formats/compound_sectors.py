"""Follows the chains of a compound file's sectors, each of which has one owner.

No loop here ends because a number in the file says so: a sector is claimed before it is followed, and claiming it twice
is an error. So a chain has at most as many steps as the file has sectors, whatever its tables say.

Source: [MS-CFB] v12, sections 2.3 (FAT) and 2.4 (mini FAT).
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from bundler.formats.compound_errors import malformed, truncated

END_OF_CHAIN: Final = 0xFFFFFFFE
FREE: Final = 0xFFFFFFFF

_LONGEST_COMPARISON: Final = 1 << 16

Run = tuple[int, int]
"""Offset and length."""


def numbers(raw: bytes | memoryview) -> array[int]:
    """Little-endian 32-bit numbers."""
    found = array("I", bytes(raw))
    if sys.byteorder == "big":
        found.byteswap()
    return found


def read_table(parts: Iterable[bytes | memoryview], units: int, unused: Collection[int]) -> array[int] | None:
    """A table of ``units`` numbers, in parts; None if one that follows is not ``unused``: it has no unit."""
    table = array("I")
    for part in parts:
        found = numbers(part)
        room = units - len(table)
        table += found[:room]
        if set(found[room:]) - set(unused):
            return None
    return table


def _contiguous(table: array[int], first: int) -> int:
    """The number of units from ``first`` on that follow each other on disk.

    Real files are almost contiguous. So whole blocks of the table are compared with a range, in sizes that double while
    they match and halve when they do not: much faster than following the chain entry by entry.
    """
    at, block = first, 1
    while block:
        block = min(block, len(table) - at)
        if block and table[at : at + block] == array("I", range(at + 1, at + block + 1)):
            at += block
            block = min(block * 2, _LONGEST_COMPARISON)
        else:
            block //= 2
    return min(at - first + 1, len(table) - first)


class Claims:
    """Which units of a file, or of its mini stream, have an owner."""

    def __init__(self, units: int) -> None:
        self._owned = bytearray(units)

    def claim(self, first: int, count: int) -> None:
        """Mark units as owned; a unit with two owners could be read as one thing and signed as another."""
        if first + count > len(self._owned):
            truncated("a chain of sectors extends past its end")
        if self._owned.find(1, first, first + count) != -1:
            malformed("two chains share a sector")
        self._owned[first : first + count] = b"\1" * count

    def unowned(self) -> Iterator[int]:
        """The units without an owner."""
        at = self._owned.find(0)
        while at != -1:
            yield at
            at = self._owned.find(0, at + 1)


class Allocation:
    """A table of chains (FAT or mini FAT) over claimed units ([MS-CFB] 2.3, 2.4)."""

    def __init__(self, table: array[int], units: int, claims: Claims | None = None) -> None:
        self._table = table + array("I", [FREE]) * (units - len(table))
        self._claims = claims or Claims(units)

    def is_free(self, at: int) -> bool:
        """Whether the table says that nothing is in a unit."""
        return self._table[at] == FREE

    def require_mark(self, at: int, mark: int) -> None:
        """Require that the table marks a unit of the tables themselves as one ([MS-CFB] 2.3)."""
        if self._table[at] != mark:
            malformed("a sector of the allocation table is not marked as one")

    def chain(self, start: int) -> list[Run]:
        """Claim the chain from ``start``: runs of (first unit, number of units).

        Each run is claimed before the next is looked up, so a chain that loops ends with an error.
        """
        runs = []
        at = start
        while at != END_OF_CHAIN:
            if at >= len(self._table):
                malformed("a chain of sectors points outside of the file")
            count = _contiguous(self._table, at)
            self._claims.claim(at, count)
            runs.append((at, count))
            at = self._table[at + count - 1]
        return runs

    def unowned(self) -> Iterator[int]:
        """The units without an owner; the table must mark them free, otherwise a chain leads to no stream."""
        for at in self._claims.unowned():
            if self._table[at] != FREE:
                malformed("allocated sectors belong to no stream")
            yield at
