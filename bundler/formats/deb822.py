"""Reads the paragraphs of Debian control files.

The syntax of deb822(5): paragraphs separated by empty lines, ``Name: value`` fields, continuation lines that start with
a space or a tab. Refused is what other readers may read differently, because then they would install something else
than what was verified: a field that occurs twice, a name in two spellings, a comment, a control character.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from bundler.formats.parse_error import ParseError

_NAME = re.compile(rb"[!\"$-,./-9;-~][!-9;-~]*")  # printable US-ASCII without colon, not beginning with # or -
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_MAX_LINE = 1 << 20
_MAX_PARAGRAPH = 8 << 20


class Deb822Error(ParseError):
    """The text is not a sequence of deb822 paragraphs, or has a field twice."""


class Paragraph(Mapping[str, str]):
    """Fields by name, case-insensitive; a value's lines are joined by newlines, without their leading space."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def paragraphs(file: BinaryIO) -> Iterator[Paragraph]:
    """Read paragraphs from ``file``, one at a time; no line longer than 1 MiB is kept in memory.

    Raises:
        Deb822Error: ``malformed``, ``duplicate``, ``too-big``.
    """
    gathered = _Gathered()
    while line := file.readline(_MAX_LINE + 1):
        text = line.removesuffix(b"\n").removesuffix(b"\r")
        if text.strip(b" \t"):
            gathered.add(text)
        elif gathered.fields:
            yield gathered.paragraph()
            gathered = _Gathered()
    if gathered.fields:
        yield gathered.paragraph()


def single(text: bytes) -> Paragraph:
    """Read ``text`` as one paragraph. Raises Deb822Error if there is not exactly one."""
    found = list(paragraphs(io.BytesIO(text)))
    if len(found) != 1:
        raise Deb822Error(f"there are {len(found)} paragraphs instead of one")
    return found[0]


class _Gathered:
    """The lines of one paragraph so far."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}
        self._last: list[str] | None = None
        self._size = 0

    def add(self, line: bytes) -> None:
        self._size += len(line)
        if len(line) >= _MAX_LINE or self._size > _MAX_PARAGRAPH:
            raise Deb822Error("a line or a paragraph is longer than any real one", reason="too-big")
        if _CONTROL.search(line):
            raise Deb822Error("the text holds a control character")
        if line[:1] in b" \t":
            if self._last is None:
                raise Deb822Error("a continuation line comes before any field")
            self._last.append(_text(line[1:]).rstrip(" \t"))
            return
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            raise Deb822Error("a line is neither a field nor a continuation")
        key = name.decode("ascii").lower()
        if key in self.fields:
            raise Deb822Error(f"the field {name.decode('ascii')} occurs twice in one paragraph", reason="duplicate")
        self._last = self.fields[key] = [_text(value).strip(" \t")]

    def paragraph(self) -> Paragraph:
        return Paragraph({name: "\n".join(value) for name, value in self.fields.items()})


def _text(value: bytes) -> str:
    # Descriptions of old packages are not all UTF-8. The fields that matter are ASCII, and checked where they are used.
    return value.decode("utf-8", "replace")
