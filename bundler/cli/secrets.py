"""Reads secrets from a file, a variable or a prompt: never from the command line, and never shown by an error."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from bundler.cli import held_secrets, told_warnings
from bundler.cli.console import Console
from bundler.errors import UsageError

_LARGEST = 1 << 20
"""Bytes of a file with a secret: a wrong path may name anything."""


@dataclass(frozen=True)
class SecretSource:
    """Where a secret comes from without a file."""

    variable: str
    prompt: str
    """What a terminal asks; empty: there is no prompt."""


SERVERS_SECRET = SecretSource("ARC_BUNDLER_SECRET", "")


def line(place: Path, what: str) -> str:
    """Read a secret of one line from a file, without its line end or byte order mark.

    Args:
        place: the file.
        what: names the file in an error.

    Raises:
        UsageError: it cannot be read, is empty, too large, or not UTF-8.
    """
    try:
        text = content(place, what).decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeError:  # its message would show a part of the secret
        raise UsageError(f"{what} {place} is not UTF-8 text") from None
    held_secrets.remember(text)
    return text


def content(place: Path, what: str) -> bytes:
    """The bytes of the file at ``place``. Raises :class:`UsageError` for one that is unreadable, empty or too large."""
    try:
        with place.open("rb") as file:
            held = file.read(_LARGEST + 1)
    except FileNotFoundError:  # the name may be the secret itself, given in the wrong place
        raise UsageError(
            f"{what} cannot be read: it does not exist", do="give the path of a file; what was given is not shown"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{what} {place} cannot be read: {error.strerror or error}", do="give the path of a readable file"
        ) from error
    if not held or len(held) > _LARGEST:
        raise UsageError(f"{what} {place} is empty, or larger than {_LARGEST} bytes", do="give the right file")
    held_secrets.remember(held)
    return held


def read(console: Console, place: Path | None, source: SecretSource, *, what: str) -> str:
    """Read a secret from its file, otherwise its variable, otherwise a prompt; empty where there is none.

    Args:
        console: gives the environment.
        place: the file, None without one.
        source: the variable and the prompt.
        what: names the file in an error.

    Raises:
        UsageError: the file cannot be read.
    """
    if place:
        return line(place, what)
    text = console.environment.get(source.variable, "")
    if not text and source.prompt and sys.stdin.isatty():
        text = click.prompt(source.prompt, hide_input=True, err=True, default="", show_default=False)
    held_secrets.remember(text)
    from bundler.formats import secret_forms  # only a command that reads a secret needs it

    if text and secret_forms.is_whole_word(text):
        told_warnings.warn(
            f"a secret of under {secret_forms.WHOLE_WORD} characters is left out of messages and logs only "
            "where it stands as a word of its own"
        )
    return text


def prompt_once(console: Console, place: Path | None, source: SecretSource, *, what: str) -> Callable[[], str]:
    """As :func:`read`, but only when it is needed, and once: a function that gives the secret."""
    held: list[str] = []

    def ask() -> str:
        if not held:
            held.append(read(console, place, source, what=what))
        return held[0]

    return ask


def is_encodable(text: str) -> bool:
    """Whether ``text`` has no surrogates, which stand for bytes of a variable that are not UTF-8."""
    return not any(unicodedata.category(letter) == "Cs" for letter in text)
