"""Loads a definition file with the product that it names."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from bundler.definition import load as loading
from bundler.definition.load import DefinitionType, Loaded
from bundler.products.arc_server import rules
from bundler.products.arc_server.canonical import normal
from bundler.products.arc_server.definition import Definition

_ARC = DefinitionType(Definition, lambda: rules.RULES, rules.SAMPLE, normal)


def load(path: Path, text: bytes, *, today: date | None = None, strict: bool = False) -> Loaded[Definition]:
    """Load ``text``, the content of the definition at ``path``; the arguments are those of the generic loading.

    Raises DefinitionError with every fault.
    """
    written = loading.parse(path, text)
    loading.product(path, written, default="arc-server", known=("arc-server",))
    return loading.load(path, written, _ARC, today=today, strict=strict)


def schema() -> dict[str, Any]:
    """The JSON Schema of a definition."""
    return loading.schema(Definition)
