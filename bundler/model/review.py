"""The content of a review: facts under their names, and findings by how much they matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["stop", "look", "know", "ordinary"]


@dataclass(frozen=True)
class ReviewFinding:
    """One thing that was checked for the reviewer."""

    level: Level
    """``stop``: not to be approved for production; ``look``: to be decided by a person; ``know``; ``ordinary``."""
    title: str
    text: str
    code: str = ""
    """An identifier that it speaks of, to be compared letter by letter."""


@dataclass(frozen=True)
class Labelled:
    """A fact under its name."""

    label: str
    text: str
    code: bool = False
    """Whether it is an identifier, to be compared letter by letter."""
    wide: bool = False
