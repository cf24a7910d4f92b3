"""Compares rpm versions.

The order of rpm's own comparison (rpm-version(7), "rpmvercmp"): runs of letters and runs of digits, separated by
everything else; digits sort after letters; ``~`` before anything, even the end; ``^`` after the end, before all else.
"""

from __future__ import annotations

import re

_SEGMENT = re.compile(r"~|\^|[0-9]+|[A-Za-z]+")
_MAX_LENGTH = 256
_EVR = re.compile(r"(?:(?P<epoch>[0-9]{1,9}):)?(?P<version>[A-Za-z0-9._+~^]+)(?:-(?P<release>[A-Za-z0-9._+~^]+))?")

_TILDE, _END, _CARET, _LETTERS, _DIGITS = range(5)
Segment = tuple[int, int, str]
Key = tuple[int, tuple[Segment, ...], tuple[Segment, ...]]


def is_version(text: str) -> bool:
    """Whether ``text`` is ``[epoch:]version[-release]`` in rpm's characters."""
    return len(text) <= _MAX_LENGTH and _EVR.fullmatch(text) is not None


def key(evr: str) -> Key:
    """A sort key that orders ``[epoch:]version[-release]`` as rpm does.

    Raises ValueError for what :func:`is_version` does not accept.
    """
    match = _EVR.fullmatch(evr)
    if match is None:
        raise ValueError(f"{evr!r} is not an rpm version")
    return int(match["epoch"] or "0"), _segments(match["version"]), _segments(match["release"] or "")


def _segments(text: str) -> tuple[Segment, ...]:
    return (*map(_segment, _SEGMENT.findall(text)), (_END, 0, ""))


def _segment(text: str) -> Segment:
    if text == "~":
        return (_TILDE, 0, "")
    if text == "^":
        return (_CARET, 0, "")
    return (_DIGITS, int(text), "") if text.isdigit() else (_LETTERS, 0, text)
