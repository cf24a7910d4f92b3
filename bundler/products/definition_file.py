"""Loads a definition file by the product that it names."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from bundler.definition import load as loading
from bundler.definition.load import Loaded
from bundler.products import registry


def load(path: Path, text: bytes, *, today: date | None = None, strict: bool = False) -> Loaded[Any]:
    """Load ``text``, the content of the definition at ``path``.

    Args:
        path: Its file, for messages and as the start of relative paths.
        text: Its bytes.
        today: The day that the age of versions is counted to; None checks no age.
        strict: Whether warnings are errors.

    Raises:
        DefinitionError: With every fault.
        ProductFault: The product that it names cannot be used.
    """
    written = loading.parse(path, text)
    name = loading.product(path, written, default=registry.DEFAULT, known=registry.names())
    return loading.load(path, written, registry.get(name).definition, today=today, strict=strict)


def schema(product: str = registry.DEFAULT) -> dict[str, Any]:
    """The JSON Schema of a definition of ``product``. Raises UnknownProduct, ProductFault."""
    return loading.schema(registry.get(product).definition.kind)
