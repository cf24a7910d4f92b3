"""The warnings of this run: each is shown on standard error at once, and is in the JSON result, error or not."""

from __future__ import annotations

import click

from bundler.cli.held_secrets import redact
from bundler.render.escape_control import escape_line

_told: list[str] = []


def clear() -> None:
    """Forget all: a new command begins."""
    _told.clear()


def warn(sentence: str) -> None:
    """Show a warning, also with ``-q``: it is about what others will do with the result."""
    if keep(sentence):
        click.echo(escape_line(f"warning: {redact(sentence)}"), err=True)


def keep(sentence: str) -> bool:
    """Keep a warning that is shown elsewhere; False where it was kept before."""
    text = redact(sentence)
    if text in _told:
        return False
    _told.append(text)
    return True


def told() -> list[str]:
    """All warnings so far, in their order, without secrets: the ``warnings`` of a JSON document."""
    return list(_told)
