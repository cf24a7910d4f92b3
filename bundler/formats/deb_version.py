"""Compares Debian versions.

The order of deb-version(7) and Debian Policy 5.6.12: epoch, then upstream version, then revision; within these,
runs of non-digits (letters before everything else, ``~`` before even the end) alternate with runs of digits.
"""

from __future__ import annotations

import re
from functools import cmp_to_key
from itertools import zip_longest

# A colon after the epoch's is part of the upstream version; without an epoch there is none.
_VERSION = re.compile(r"[0-9]{1,9}:[0-9][0-9A-Za-z.+~:-]*|[0-9][0-9A-Za-z.+~-]*")
_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
_MAX_LENGTH = 256

Part = tuple[tuple[int, ...], int]
_NOTHING: Part = ((0,), 0)
"""What follows a version's end: no letters, and zero."""


def is_version(text: str) -> bool:
    """Whether ``text`` is a valid version: allowed characters, and an upstream part that starts with a digit."""
    if len(text) > _MAX_LENGTH or not _VERSION.fullmatch(text):
        return False
    _, upstream, revision = split(text)
    return upstream[:1].isdigit() and revision != "" and ":" not in (revision or "")


def split(version: str) -> tuple[int, str, str | None]:
    """Split a version into epoch (0 if missing), upstream version, and revision (None if missing)."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    return (int(epoch), upstream, revision) if hyphen else (int(epoch), rest, None)


def compare(one: str, other: str) -> int:
    """Negative if ``one`` is older than ``other``, positive if it is newer, 0 if they are equal."""
    (epoch, *texts), (other_epoch, *other_texts) = split(one), split(other)
    if epoch != other_epoch:
        return epoch - other_epoch
    for text, other_text in zip(texts, other_texts, strict=True):
        for part, other_part in zip_longest(_parts(text), _parts(other_text), fillvalue=_NOTHING):
            if part != other_part:
                return 1 if part > other_part else -1
    return 0


key = cmp_to_key(compare)
"""A sort key that orders versions as dpkg does; for versions that :func:`is_version` accepts."""


def _parts(text: str | None) -> list[Part]:
    """Non-digits and numbers in turn.

    A part's letters end with 0, which is where the other text may go on: above ``~`` (-1), below all else.
    """
    return [((*map(_weight, letters), 0), int(digits or "0")) for letters, digits in _PARTS.findall(text or "")]


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256
