"""The errors of this program: what happened, details, what to do next, and the exit code.

Errors are raised anywhere and turned into an exit in one place, :mod:`bundler.cli.main`.
The codes are part of the interface that pipelines rely on (``docs/cli-exit-codes.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar


class BundlerError(Exception):
    """A failure that a user can act on.

    ``what`` states what is wrong, and where. It follows "error: ", so it begins in lower case (except for a name or a
    path) and has no full stop.
    ``details`` are further lines, shown indented: whole sentences, or data (``promised: …``).
    ``do`` is the next step. It follows "What to do: ", so it is an imperative that begins in lower case and has no full
    stop; semicolons separate clauses. Empty where there is nothing to do.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "internal"

    def __init__(self, what: str, *, details: Sequence[str] = (), do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.details = tuple(details)
        self.do = do


class UsageError(BundlerError):
    """Wrong use of the command line."""

    exit_code = 2
    kind = "usage"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a definition.

    ``path`` is dotted, with list positions from 0 (``targets.0.os``); ``line`` counts from 1, 0 where unknown.
    ``allowed`` states what would be right, ``source`` names the document that the rule comes from.
    ``severity`` is ``warning`` for a fault that only ``--strict`` refuses, and ``note`` for what is no fault: another
    word that was understood.
    """

    path: str
    message: str
    allowed: str = ""
    source: str = ""
    line: int = 0
    severity: str = "error"


class DefinitionError(BundlerError):
    """The definition is wrong; ``faults`` holds all of its faults."""

    exit_code = 3
    kind = "definition"

    def __init__(self, what: str, *, faults: Sequence[Fault] = (), details: Sequence[str] = (), do: str = "") -> None:
        super().__init__(what, details=details, do=do)
        self.faults = tuple(faults)


class LockError(BundlerError):
    """The lock is missing, stale, or contradicts the definition."""

    exit_code = 4
    kind = "lock"


class UpstreamError(BundlerError):
    """The network or the upstream did not return what was requested."""

    exit_code = 5
    kind = "upstream"


class NotThereError(UpstreamError):
    """The upstream answered that it does not have what was requested."""

    reason = "not-there"


class IndexDisagreesError(UpstreamError):
    """A signed index and the package that it lists differ, although the package's own signature holds."""

    reason = "index-disagrees"


class VerificationError(BundlerError):
    """A file or a bundle failed verification.

    ``reason`` is a short, stable word for programs and tests (``digest-mismatch``, ``wrong-publisher``, …).
    """

    exit_code = 6
    kind = "verification"

    def __init__(self, what: str, *, reason: str, details: Sequence[str] = (), do: str = "") -> None:
        super().__init__(what, details=details, do=do)
        self.reason = reason


@contextmanager
def about(subject: str, *, details: Sequence[str] = (), do: str = "") -> Iterator[None]:
    """Prefix a VerificationError in the block with ``subject``, add ``details``, and ``do`` where it has none."""
    try:
        yield
    except VerificationError as error:
        raise VerificationError(
            f"{subject}: {error.what}",
            reason=error.reason,
            details=(*error.details, *details),
            do=error.do or do,
        ) from error


class WriteError(BundlerError):
    """Writing failed: space, permissions, the container, or an output that exists already."""

    exit_code = 7
    kind = "write"


class SigningError(BundlerError):
    """Signing failed: key, passphrase or certificate."""

    exit_code = 8
    kind = "signing"


class PolicyError(BundlerError):
    """A policy refuses what would otherwise work."""

    exit_code = 9
    kind = "policy"
