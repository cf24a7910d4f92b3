"""What a product makes of the words in a definition before they are validated: another name for a known thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bundler.definition.rules import Finding, Path


@dataclass(frozen=True)
class Understood:
    """A definition in the words of the schema, and what was replaced."""

    tree: Any
    """As YAML gives it, with the schema's words."""
    notes: tuple[Finding, ...] = ()
    """What was replaced, for the definition's author; severity ``note`` or ``warning``."""
    answers: Mapping[Path, Finding] = field(default_factory=dict)
    """What to say instead of the schema's fault, by the path that has it: a better suggestion."""
    spelled: Mapping[Path, str] = field(default_factory=dict)
    """By path of an item that was replaced: its words as they were written."""


def unchanged(tree: Any) -> Understood:
    """For a product that knows no other words."""
    return Understood(tree)
