"""What is a rule? A question about a definition, the parts that it reads, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from bundler.products.arc_server.definition import Definition

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that makes no sense."""

    path: Path
    message: str
    allowed: str = ""
    source: str = ""
    """The document that the rule comes from."""
    severity: str = "error"


@dataclass(frozen=True)
class Case:
    """What a rule is asked about."""

    definition: Definition
    today: date | None
    """What an agent's age is counted to; None: age is not asked about."""


Judge = Callable[[Case], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule; ``reads`` are paths, with ``*`` at the end: each item by itself."""

    judge: Judge
    reads: tuple[Path, ...]

    def applies(self, broken: frozenset[Path]) -> bool:
        """Whether nothing that it reads is broken."""
        return not any(_touches(read, path) for read in self.reads for path in broken)


def rule(*reads: str) -> Callable[[Judge], Rule]:
    """Make a rule of a function that reads the dotted parts ``reads``."""
    return lambda judge: Rule(judge, tuple(tuple(read.split(".")) for read in reads))


def warning(path: Path, message: str, allowed: str = "", source: str = "") -> Finding:
    """A finding that only ``--strict`` refuses."""
    return Finding(path, message, allowed, source, "warning")


def _touches(read: Path, broken: Path) -> bool:
    if read[-1] == "*":  # one broken item says nothing about the others
        return len(broken) < len(read) and broken == read[: len(broken)]
    shared = min(len(read), len(broken))
    return read[:shared] == broken[:shared]
