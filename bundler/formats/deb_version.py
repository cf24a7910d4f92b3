"""Which of two Debian versions is newer?

The order of deb-version(7) and Debian Policy 5.6.12: epoch, then upstream version, then revision; within these,
runs of non-digits (letters before everything else, ``~`` before even the end) alternate with runs of digits.
"""

from __future__ import annotations

import re

_VERSION = re.compile(r"(?:[0-9]{1,9}:)?[0-9][0-9A-Za-z.+~:-]*")
_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
_MAX_LENGTH = 256

Part = tuple[tuple[int, ...], int]
Key = tuple[int, tuple[Part, ...], tuple[Part, ...]]


def is_version(text: str) -> bool:
    """Whether ``text`` is a version: its letters allowed, its upstream part beginning with a digit."""
    if len(text) > _MAX_LENGTH or not _VERSION.fullmatch(text):
        return False
    _, upstream, revision = split(text)
    return upstream[:1].isdigit() and revision != "" and ":" not in (revision or "")


def split(version: str) -> tuple[int, str, str | None]:
    """Part a version into epoch (0 where there is none), upstream version, and revision (None where there is none)."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    return (int(epoch), upstream, revision) if hyphen else (int(epoch), rest, None)


def key(version: str) -> Key:
    """A sort key that orders versions as dpkg does; for versions that :func:`is_version` accepts."""
    epoch, upstream, revision = split(version)
    return epoch, _parts(upstream), _parts(revision or "0")


def _parts(text: str) -> tuple[Part, ...]:
    """Non-digits and numbers in turn.

    A part's letters end with 0, which is where the other text may go on: above ``~`` (-1), below all else.
    """
    found = [((*map(_weight, letters), 0), int(digits or "0")) for letters, digits in _PARTS.findall(text)]
    while found and found[-1] == ((0,), 0):  # an absent part counts as empty letters and zero
        found.pop()
    return (*found, ((0,), 0))


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256
