"""Does a definition make sense? One module a subject; each rule names what it reads and the document it comes from."""

from __future__ import annotations

from datetime import date
from typing import Any

from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.rules import (
    agent,
    authentication,
    certificates,
    identity,
    managed_identity,
    network,
    seal,
    tags,
    targets,
    upstream,
)
from bundler.products.arc_server.rules.rule import Case, Finding, Path, Rule

__all__ = ["RULES", "SAMPLE", "Finding", "check"]

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

_SUBJECTS = (
    identity,
    tags,
    authentication,
    network,
    certificates,
    managed_identity,
    agent,
    targets,
    upstream,
    seal,
)
RULES = tuple(thing for subject in _SUBJECTS for thing in vars(subject).values() if isinstance(thing, Rule))


def check(definition: Definition, broken: frozenset[Path], today: date | None) -> tuple[Finding, ...]:
    """All findings; a rule that reads a ``broken`` part is not asked."""
    case = Case(definition, today)
    return tuple(finding for rule in RULES if rule.applies(broken) for finding in rule.judge(case))
