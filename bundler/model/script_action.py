"""The actions of a bundle's scripts on a server: sentences, with the parameters apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Literal

from bundler.model.frozen import frozen

Platform = Literal["linux", "windows"]


@frozen
class Action:
    """One thing that a script does."""

    text: str
    """A sentence; each ``{}`` in it stands for the next of ``values``."""
    values: tuple[str, ...] = ()
    """This bundle's parameters in the script: what a reviewer checks."""
    only_with: str = ""
    """The switch that it needs; empty: it is always done."""

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """The sentence in pieces, each with whether it is a parameter. Values beyond the sentence's come last."""
        for words, parameter in zip_longest(self.text.split("{}"), self.values):
            if words:
                yield words, False
            if parameter is not None:
                yield parameter, True


@frozen
class Step:
    """One step of a script, under the name that it prints."""

    name: str
    """``verify``, ``preflight``, ``install``, ``configure``, ``connect``, ``confirm``, ``receipt``, ``uninstall``."""
    actions: tuple[Action, ...]


@frozen
class ScriptActions:
    """One script, from its first step to its last."""

    platform: Platform
    script: str
    """Its path in the bundle."""
    steps: tuple[Step, ...]
