"""The description of a product's definitions that the product supplies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bundler.definition.rules import Rule
from bundler.definition.understood import Understood, unchanged

_D = TypeVar("_D")


@dataclass(frozen=True)
class DefinitionType(Generic[_D]):
    """The type of one product's definitions."""

    kind: type[_D]
    """The value that a definition becomes; its schema follows from it."""
    rules: Sequence[Rule[_D]]
    """Those of the product and the common ones (:mod:`.common_rules`)."""
    sample: Mapping[str, Any]
    """A small valid definition: its parts stand in for broken ones while the rest is checked."""
    canonical: Callable[[_D], _D]
    """The definition with each value in its one spelling, so that equal meanings have equal digests."""
    understand: Callable[[Any], Understood] = unchanged
    """The definition's tree in the schema's words, where people write others for the same things."""
