"""Formats what a manifest or a lock states as lines of text."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import singledispatch

from bundler.formats import json_codec
from bundler.model.evidence import ChainLink, Document
from bundler.model.script_action import Action
from bundler.model.seal import Signer
from bundler.model.target import Target


def size_and_digest(size: int, sha256: str) -> tuple[str, ...]:
    """A file's size and digest, a line each."""
    return (f"{size} bytes", f"SHA-256 {sha256}")


@singledispatch
def shown(found: object) -> tuple[str, ...]:
    """``found`` as text, a line for each item."""
    return (str(found if isinstance(found, (str, int, Target)) else json_codec.to_tree(found)),)


@shown.register
def _(found: bool) -> tuple[str, ...]:
    return ("yes" if found else "no",)


@shown.register
def _(found: tuple) -> tuple[str, ...]:  # type: ignore[type-arg]
    return tuple(line for item in found for line in shown(item))


@shown.register
def _(found: datetime) -> tuple[str, ...]:
    return (_time(found),)


@shown.register
def _(found: ChainLink) -> tuple[str, ...]:
    valid = f"{_time(found.not_before)} to {_time(found.not_after)}"
    return (f"certificate {found.subject}, issued by {found.issuer}, {valid}, SHA-256 {found.sha256}",)


@shown.register
def _(found: Document) -> tuple[str, ...]:
    return (f"from {found.url}", *size_and_digest(found.size, found.sha256))


@shown.register
def _(found: Action) -> tuple[str, ...]:
    condition = f" (only with {found.only_with})" if found.only_with else ""
    return ("".join(piece for piece, _ in found.pieces()) + condition,)


@shown.register
def _(found: Signer) -> tuple[str, ...]:
    valid = f"valid {_time(found.not_before)} to {_time(found.not_after)}"
    return (found.name, f"certificate SHA-256 {found.sha256}", valid, found.algorithm)


def _time(moment: datetime) -> str:
    """ISO 8601 in UTC, with microseconds where there are any, so that every difference is visible."""
    if moment.utcoffset() is None:
        return moment.isoformat()
    try:
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except OverflowError:  # the first and the last day of the calendar
        return moment.isoformat()
