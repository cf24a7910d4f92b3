"""Writes Windows Installer databases.

The database is a compound file: a pool of strings, one stream a table with its values column by column, two tables
that describe all others, and streams for what is embedded. The Windows SDK documents the tables ("Windows Installer,
Database Tables"); the storage is as msitools' libmsi and Wine's msi.dll read it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from uuid import UUID

from bundler.lab import compound_file

DATABASE_CLASS = UUID("000c1084-0000-0000-c000-000000000046")
"""The root storage's class of an installation package."""

_SUMMARY_FORMAT = UUID("f29f85e0-4ff9-1068-ab91-08002b27b3d9")
"""FMTID_SummaryInformation ([MS-OLEPS], section 2.25.1)."""
_SUMMARY_STREAM = "\x05SummaryInformation"

_CODE_PAGE = 1252
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_TABLE_MARK = "\u4840"

_VALID, _LOCALIZABLE, _SHORT, _STRING, _NULLABLE, _KEY = 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000

Cell = str | int | None


@dataclass(frozen=True)
class Column:
    """A column, in the SDK's notation ("Column Definition Format").

    ``s72`` is text, ``l64`` text that may be translated, ``i2`` and ``i4`` are numbers; capitals may be empty.
    """

    name: str
    kind: str
    key: bool = False

    @property
    def is_text(self) -> bool:
        """Whether cells are strings."""
        return self.kind[0] in "slSL"

    @property
    def width(self) -> int:
        """Bytes of a cell; of a string it is the place in the pool that is stored."""
        return 2 if self.is_text else int(self.kind[1:])

    @property
    def type(self) -> int:
        """The bits that describe it in ``_Columns``."""
        bits = _VALID | int(self.kind[1:])
        bits |= _STRING | _SHORT if self.is_text else 0
        bits |= _SHORT if self.kind[1:] == "2" else 0
        bits |= _LOCALIZABLE if self.kind[0] in "lL" else 0
        bits |= _NULLABLE if self.kind[0].isupper() else 0
        return bits | (_KEY if self.key else 0)


@dataclass(frozen=True)
class Table:
    """A table and its rows."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Summary:
    """The summary information, which is readable without opening the database."""

    title: str
    subject: str
    author: str
    comments: str
    template: str
    """``x64;1033``: platform and language."""
    package_code: UUID
    """Differs between any two packages that differ."""
    created: datetime


def write(tables: Sequence[Table], streams: Mapping[str, bytes], summary: Summary) -> bytes:
    """Make a package of ``tables`` with embedded ``streams`` (a cabinet ``#name`` is the stream ``name``).

    The same arguments give the same bytes.

    Raises:
        ValueError: there are more than 65535 strings, or a text is not in Windows' Western code page.
    """
    described = [*_catalogue(tables), *tables]
    pool = _Pool(text for table in described for row in table.rows for text in row if isinstance(text, str))
    held = {_TABLE_MARK + _encoded(table.name): _stored(table, pool) for table in described}
    held[_TABLE_MARK + _encoded("_StringPool")] = pool.index()
    held[_TABLE_MARK + _encoded("_StringData")] = pool.data()
    held |= {_encoded(name): content for name, content in streams.items()}
    held[_SUMMARY_STREAM] = _summary(summary)
    return compound_file.write(held, DATABASE_CLASS.bytes_le)


def _catalogue(tables: Sequence[Table]) -> tuple[Table, Table]:
    """Make ``_Tables`` and ``_Columns``, which do not describe themselves."""
    names = tuple((table.name,) for table in tables)
    columns = tuple(
        (table.name, number, column.name, column.type)
        for table in tables
        for number, column in enumerate(table.columns, start=1)
    )
    return (
        Table("_Tables", (Column("Name", "s64", key=True),), names),
        Table(
            "_Columns",
            (
                Column("Table", "s64", key=True),
                Column("Number", "i2", key=True),
                Column("Name", "s64"),
                Column("Type", "i2"),
            ),
            columns,
        ),
    )


class _Pool:
    """The strings of a database, each once, with how often it is used."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._uses: dict[str, int] = {}
        for text in texts:
            if text:
                self._uses[text] = self._uses.get(text, 0) + 1
        if len(self._uses) > 0xFFFF:
            raise ValueError("too many strings for a database with short references")
        self._places = {text: place for place, text in enumerate(self._uses, start=1)}

    def place(self, text: str) -> int:
        """Index of a string, from 1; 0 for the empty one."""
        return self._places[text] if text else 0

    def index(self) -> bytes:
        """Pack the code page, then length and number of uses of each string."""
        sizes = (struct.pack("<HH", len(_bytes(text)), uses) for text, uses in self._uses.items())
        return struct.pack("<I", _CODE_PAGE) + b"".join(sizes)

    def data(self) -> bytes:
        """Pack the strings themselves."""
        return b"".join(_bytes(text) for text in self._uses)


def _bytes(text: str) -> bytes:
    return text.encode("cp1252")


def _stored(table: Table, pool: _Pool) -> bytes:
    """Pack a table: rows in the order of their stored keys, then column by column."""
    numbered = [
        tuple(_number(cell, column, pool) for cell, column in zip(row, table.columns, strict=True))
        for row in table.rows
    ]
    keys = [place for place, column in enumerate(table.columns) if column.key]
    numbered.sort(key=lambda row: [row[place] for place in keys])
    return b"".join(
        row[place].to_bytes(column.width, "little") for place, column in enumerate(table.columns) for row in numbered
    )


def _number(cell: Cell, column: Column, pool: _Pool) -> int:
    """The stored value of a cell: a string's index, or a number plus half of its range; 0 for none."""
    if cell is None:
        return 0
    if isinstance(cell, str):
        return pool.place(cell)
    return cell + (1 << 8 * column.width - 1)


def _encoded(name: str) -> str:
    """Pack two characters of a stream's name into one, as the database does with its 64 letters."""
    out = []
    at = 0
    while at < len(name):
        first = _ALPHABET.find(name[at])
        second = _ALPHABET.find(name[at + 1]) if at + 1 < len(name) else -1
        if first >= 0 and second >= 0:
            out.append(chr(0x3800 + first + (second << 6)))
            at += 2
            continue
        out.append(chr(0x4800 + first) if first >= 0 else name[at])
        at += 1
    return "".join(out)


def _summary(summary: Summary) -> bytes:
    """Pack the property set ([MS-OLEPS], section 2.21; the numbers are those of the SDK's "Summary Property Set")."""
    time = _file_time(summary.created)
    code = f"{{{summary.package_code}}}".upper()
    properties = {
        1: struct.pack("<IhH", 2, _CODE_PAGE, 0),
        2: _text(summary.title),
        3: _text(summary.subject),
        4: _text(summary.author),
        5: _text("Installer"),
        6: _text(summary.comments),
        7: _text(summary.template),
        9: _text(code),
        12: time,
        13: time,
        # The oldest Windows Installer that serves (2.0), compressed sources, and read-only recommended.
        14: struct.pack("<Ii", 3, 200),
        15: struct.pack("<Ii", 3, 2),
        18: _text("arc-bundler LAB"),
        19: struct.pack("<Ii", 3, 2),
    }
    index, values = b"", b""
    for number, packed in properties.items():
        index += struct.pack("<II", number, 8 + 8 * len(properties) + len(values))
        values += packed
    section = struct.pack("<II", 8 + len(index) + len(values), len(properties)) + index + values
    head = struct.pack("<HHI16sI", 0xFFFE, 0, 0x00020006, b"", 1)
    return head + _SUMMARY_FORMAT.bytes_le + struct.pack("<I", 48) + section


def _text(text: str) -> bytes:
    packed = _bytes(text) + b"\0"
    return struct.pack("<II", 30, len(packed)) + packed + bytes(-len(packed) % 4)


def _file_time(time: datetime) -> bytes:
    """Pack a FILETIME: steps of 100 ns since 1601."""
    since = time - datetime(1601, 1, 1, tzinfo=timezone.utc)
    return struct.pack("<IQ", 64, int(since.total_seconds()) * 10**7)
