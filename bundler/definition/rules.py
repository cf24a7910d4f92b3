"""Rules about the sense of a definition: each names the parts that it reads and yields findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from types import ModuleType
from typing import Any, Generic, TypeVar

Path = tuple[str | int, ...]
_D_co = TypeVar("_D_co", covariant=True)
_C_contra = TypeVar("_C_contra", contravariant=True)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Finding:
    """One thing that makes no sense."""

    path: Path
    message: str
    allowed: str = ""
    source: str = ""
    """The document that the rule comes from."""
    severity: str = "error"
    """``error``, ``warning`` (which only ``--strict`` refuses) or ``note``."""


@dataclass(frozen=True)
class Case(Generic[_D_co]):
    """What a rule reads."""

    definition: _D_co
    today: date | None
    """The day that ages are counted to; None: rules about age find nothing."""
    spelled: Mapping[Path, str] = field(default_factory=dict)
    """By path of an item that has other words now: its words as they were written."""


@dataclass(frozen=True)
class Rule(Generic[_C_contra]):
    """One rule; ``reads`` are paths, with ``*`` at the end: each item by itself."""

    check: Callable[[Case[_C_contra]], Iterator[Finding]]
    reads: tuple[Path, ...]

    def applies(self, broken: frozenset[Path]) -> bool:
        """Whether nothing that it reads is broken."""
        for read, path in product(self.reads, broken):
            shared = min(len(read), len(path))
            if read[-1] == "*":  # one broken item says nothing about the others
                touched = len(path) < len(read) and path == read[: len(path)]
            else:
                touched = read[:shared] == path[:shared]
            if touched:
                return False
        return True


def rule(*reads: str) -> Callable[[Callable[[Case[_T]], Iterator[Finding]]], Rule[_T]]:
    """Make a rule of a function that reads the dotted parts ``reads``."""
    return lambda check: Rule(check, tuple(tuple(read.split(".")) for read in reads))


def note(path: Path, message: str, source: str = "") -> Finding:
    """What is so, and no fault: not even ``--strict`` refuses it."""
    return Finding(path, message, source=source, severity="note")


def warning(path: Path, message: str, allowed: str = "", source: str = "") -> Finding:
    """A finding that only ``--strict`` refuses."""
    return Finding(path, message, allowed, source, "warning")


def rules_of(*modules: ModuleType) -> tuple[Rule[Any], ...]:
    """Every rule that the modules define, in their order."""
    return tuple(found for module in modules for found in vars(module).values() if isinstance(found, Rule))


def check(
    rules: Iterable[Rule[_T]],
    definition: _T,
    *,
    broken: frozenset[Path] = frozenset(),
    today: date | None,
    spelled: Mapping[Path, str] | None = None,
) -> tuple[Finding, ...]:
    """All findings of ``rules``; a rule that reads a ``broken`` part is left out."""
    case = Case(definition, today, spelled or {})
    return tuple(finding for one in rules if one.applies(broken) for finding in one.check(case))
