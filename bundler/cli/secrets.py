"""How a secret comes in: never from the command line, and never shown by an error."""

from __future__ import annotations

from pathlib import Path

from bundler.errors import UsageError


def line(place: Path, what: str) -> str:
    """The text of the file at ``place`` without its line end; ``what`` names the file for a person.

    Raises :class:`UsageError` where it cannot be read.
    """
    try:
        return place.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise UsageError(f"{what} {place} cannot be read: {error.strerror or error}") from error
    except UnicodeError:  # its message would show what it stumbled over: a part of the secret
        raise UsageError(f"{what} {place} is not UTF-8 text") from None
