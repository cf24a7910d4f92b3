"""Reads an apt ``Release`` file: its date, and the indexes with their digests.

The fields of the Debian wiki's "DebianRepository/Format" and apt-secure(8). Digests weaker than SHA-256 are not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from bundler.formats.deb822 import Paragraph, single
from bundler.formats.parse_error import ParseError
from bundler.formats.repodata import is_inside

_ENTRY = re.compile(r"([0-9a-f]{64})[ \t]+([0-9]{1,15})[ \t]+(\S+)")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    r" (UTC|GMT|Z|[+-]0000)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+~-]*")


class AptReleaseError(ParseError):
    """The text is not a valid ``Release`` file."""


@dataclass(frozen=True)
class IndexFile:
    """A file that a ``Release`` lists."""

    path: str
    """Below the folder of the ``Release``."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Release:
    """The fields of a ``Release`` file that are used."""

    suite: str
    codename: str
    date: datetime
    """UTC."""
    valid_until: datetime | None
    """UTC; None where the repository sets no such limit."""
    architectures: tuple[str, ...]
    components: tuple[str, ...]
    by_hash: bool
    """Whether files are also served under their digests, so that a reader never sees a half-updated repository."""
    files: Mapping[str, IndexFile]
    """By path."""


def parse(text: bytes) -> Release:
    """Read the ``text`` of a ``Release`` file, without its signature.

    Raises:
        AptReleaseError: no ``Date``, no ``SHA256``, a path outside of the repository or listed twice, invalid names.
        Deb822Error: the text is not one paragraph.
    """
    fields = single(text)
    if "Date" not in fields:
        raise AptReleaseError("the Release file has no Date")
    return Release(
        suite=fields.get("Suite", ""),
        codename=fields.get("Codename", ""),
        date=_date(fields["Date"]),
        valid_until=_date(fields["Valid-Until"]) if "Valid-Until" in fields else None,
        architectures=_words(fields, "Architectures"),
        components=_words(fields, "Components"),
        by_hash=fields.get("Acquire-By-Hash", "").lower() == "yes",
        files=_files(fields),
    )


def _words(fields: Paragraph, name: str) -> tuple[str, ...]:
    words = tuple(fields.get(name, "").split())
    if not all(map(_WORD.fullmatch, words)):
        raise AptReleaseError(f"the Release file's {name} holds an invalid name")
    return words


def _date(text: str) -> datetime:
    """Parse a date as in RFC 5322, in English and UTC: the format allows no other zone."""
    match = _DATE.fullmatch(" ".join(text.split()))
    if match is None or match[2] not in _MONTHS:
        raise AptReleaseError("a date in the Release file is invalid")
    day, month, year, hour, minute, second = match[1], _MONTHS.index(match[2]) + 1, *match.groups()[2:6]
    try:
        moment = datetime(int(year), month, int(day), int(hour), int(minute), tzinfo=timezone.utc)
        return moment + timedelta(seconds=int(second))
    except (ValueError, OverflowError):
        raise AptReleaseError("a date in the Release file is invalid") from None


def _files(fields: Paragraph) -> dict[str, IndexFile]:
    if "SHA256" not in fields:
        raise AptReleaseError("the Release file has no SHA256 digests", reason="weak-digest")
    found: dict[str, IndexFile] = {}
    for line in fields["SHA256"].split("\n"):
        if not line.strip():
            continue
        match = _ENTRY.fullmatch(line.strip())
        if match is None:
            raise AptReleaseError("a line of the Release file's digests is malformed")
        entry = IndexFile(path=match[3], size=int(match[2]), sha256=match[1])
        if not is_inside(entry.path):
            raise AptReleaseError(f"a path leaves the repository: {entry.path!r}", reason="unsafe-path")
        if found.setdefault(entry.path, entry) != entry:
            raise AptReleaseError(f"the Release file lists {entry.path} twice, differently", reason="duplicate")
    return found
