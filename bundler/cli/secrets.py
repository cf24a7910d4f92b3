"""How a secret comes in: never from the command line, and never shown by an error."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from bundler.cli.console import Console
from bundler.errors import UsageError

_LARGEST = 1 << 20
"""Bytes of a file with a secret: a wrong path may name anything."""


def line(place: Path, what: str) -> str:
    """The text of the file at ``place`` without its line end, or its byte order mark; ``what`` names it for a person.

    Raises :class:`UsageError` where it cannot be read.
    """
    try:
        return content(place, what).decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeError:  # its message would show what it stumbled over: a part of the secret
        raise UsageError(f"{what} {place} is not UTF-8 text") from None


def content(place: Path, what: str) -> bytes:
    """The bytes of the file at ``place``. Raises :class:`UsageError` where it cannot be read, is empty, or is huge."""
    try:
        with place.open("rb") as file:
            held = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{what} {place} cannot be read: {error.strerror or error}", do="give the path of a file that you may read"
        ) from error
    if not held or len(held) > _LARGEST:
        raise UsageError(f"{what} {place} is empty, or larger than {_LARGEST} bytes", do="give the right file")
    return held


def is_encodable(text: str) -> bool:
    """Whether ``text`` has no half characters, which stand for a variable's bytes that are no UTF-8."""
    return not any(unicodedata.category(letter) == "Cs" for letter in text)


def secret(console: Console, place: Path | None) -> str:
    """The servers' secret, from its file or its variable; empty where nobody gave one."""
    return line(place, "the secret's file") if place else console.environment.get("ARC_BUNDLER_SECRET", "")
