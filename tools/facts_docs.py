"""Reads the tables of Microsoft's documents (Markdown) as rows, for :mod:`facts`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_DATE = re.compile(r"(?m)^ms\.date:\s*(\d\d)/(\d\d)/(\d{4})")
_EXCERPT = "<!-- excerpt -->"


@dataclass(frozen=True)
class Table:
    """One table below a heading."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Document:
    """One page."""

    path: Path
    text: str

    @property
    def date(self) -> str:
        """``ms.date`` as ``YYYY-MM-DD``; empty where it has none."""
        found = _DATE.search(self.text)
        return f"{found[3]}-{found[1]}-{found[2]}" if found else ""

    @property
    def is_excerpt(self) -> bool:
        """Whether rows are left out of it, so that a row that is not there says nothing."""
        return _EXCERPT in self.text

    @property
    def headings(self) -> list[str]:
        """The text of each heading."""
        return [heading for heading, _ in _blocks(self.text) if heading]

    @property
    def tables(self) -> list[Table]:
        """Each table with the heading above it."""
        found, heading = [], ""
        for text, table in _blocks(self.text):
            if table is None:
                heading = text
            else:
                found.append(Table(heading, tuple(table[0]), tuple(map(tuple, table[1:]))))
        return found

    @property
    def items(self) -> list[tuple[str, list[str]]]:
        """Each list of plain items, with the paragraph above it."""
        found: list[tuple[str, list[str]]] = []
        above = ""
        for line in self.text.splitlines():
            item = re.fullmatch(r"[-*] ([\w.]+)", line.strip())
            if not item:
                above = line.strip() or above
            elif found and found[-1][0] == above:
                found[-1][1].append(item[1])
            else:
                found.append((above, [item[1]]))
        return found


def find(folder: Path, name: str) -> Document | None:
    """The document that ends with ``name`` below ``folder``; one of the servers' own where there are several."""
    found = sorted(folder.rglob(Path(name).name))
    found = [path for path in found if path.as_posix().endswith(f"/{name}")]
    own = [path for path in found if "servers" in path.parts]
    chosen = next(iter(own or found), None)
    return Document(chosen, chosen.read_text(encoding="utf-8")) if chosen else None


def _blocks(text: str) -> Iterator[tuple[str, list[list[str]] | None]]:
    """Headings (with None) and tables (rows of cells, the first with the columns), in order."""
    tokens = MarkdownIt("commonmark").enable("table").parse(re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL))
    table: list[list[str]] = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            yield tokens[at + 1].content, None
        elif token.type == "table_open":
            table = []
        elif token.type == "tr_open":
            table.append(list(_cells(tokens, at)))
        elif token.type == "table_close":
            yield "", table


def _cells(tokens: list[Token], at: int) -> Iterator[str]:
    for token in tokens[at + 1 :]:
        if token.type == "tr_close":
            return
        if token.type == "inline":
            yield token.content.strip()
