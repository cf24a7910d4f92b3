"""Does a definition make sense? Each rule names what it reads and the document that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from bundler.products.arc_server.definition import Definition

Path = tuple[str | int, ...]

SAMPLE: dict[str, Any] = {
    "name": "sample",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "rg-sample",
    "location": "japaneast",
    "authentication": {"method": "device-code"},
    "targets": [{"os": "ubuntu", "version": "22.04"}],
}
"""A right definition: what stands in for a broken part while the rest is judged."""


@dataclass(frozen=True)
class Finding:
    """One thing that makes no sense."""

    path: Path
    message: str
    allowed: str = ""
    source: str = ""
    severity: str = "error"


def check(definition: Definition, broken: frozenset[Path], today: date | None) -> tuple[Finding, ...]:
    """All findings; what rests on a ``broken`` part is not judged."""
    return ()
