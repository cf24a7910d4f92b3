"""The plan of a build: its steps, each with the reason."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import frozen

Verb = Literal["keep", "resolve", "fetch", "reuse", "verify", "render", "write", "skip"]


@frozen
class Action:
    """One step of a plan."""

    verb: Verb
    subject: str
    """The object: an address, a path in the bundle, an output."""
    reason: str
    """Why the step is needed, or skipped."""
    size: int = 0
    """Bytes that it moves, where that is known."""


@frozen
class Plan:
    """A build's steps in order."""

    name: str
    version: str
    actions: tuple[Action, ...]
