"""Findings about a bundle, and the one error that reports them with advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bundler.errors import VerificationError

_SHOWN = 20
DO_NOT_USE = "do not use it; ask the person who built it, through a separate channel"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    reason: str
    """The reason word of :class:`~bundler.errors.VerificationError`."""
    what: str


# Reasons that do not mean a changed bundle: what the error says then, and what to do.
_OTHER_CAUSES = {
    "older-manifest": (
        "the bundle was made before arc-bundler 0.2.0, in a form that is not read any more",
        "build it again",
    ),
    "newer-manifest": (
        "the bundle was made by a newer arc-bundler",
        "upgrade arc-bundler, then run the same command again",
    ),
    "rewrapped": (
        "this archive was not written by arc-bundler: it was packed again, or changed",
        "unpack it into an empty folder and verify that folder with the same command; or copy the archive again",
    ),
}

# The finding that gives the error its reason is the one that tells most about the cause: the first of this list. A file
# that is missing is a better reason than the sums that differ because of it.
_WEIGHT = (
    "unsafe-name",
    "newer-manifest",
    "older-manifest",
    "missing-manifest",
    "malformed-manifest",
    "wrong-folder",
    "extra-file",
    "missing-file",
    "size-mismatch",
    "digest-mismatch",
    "sums-mismatch",
    "rewrapped",
    "mode-mismatch",
)


class RewrappedError(VerificationError):
    """Every file of an archive was read, but our writer makes another archive of them.

    Raised after the last file, so that :func:`bundler.integrity.check.check` can prefer a graver finding.
    """

    def __init__(self, deviations: Sequence[str]) -> None:
        what, do = _OTHER_CAUSES["rewrapped"]
        super().__init__(what, reason="rewrapped", details=deviations, do=do)


def from_findings(findings: Sequence[Finding]) -> VerificationError:
    """The one error for all ``findings`` (at least one); the first 20 become its details."""
    ranked = sorted(findings, key=lambda finding: _WEIGHT.index(finding.reason) if finding.reason in _WEIGHT else -1)
    more = len(ranked) - _SHOWN
    what, do = _OTHER_CAUSES.get(
        ranked[0].reason,
        (
            "bundle verification failed",
            "do not use it; copy it again from where it was built, and compare the digest with what the build printed",
        ),
    )
    return VerificationError(
        what,
        reason=ranked[0].reason,
        details=[finding.what for finding in ranked[:_SHOWN]] + ([f"… and {more} more"] if more > 0 else []),
        do=do,
    )


def seal_error(what: str, reason: str, *, details: Sequence[str] = (), do: str = DO_NOT_USE) -> VerificationError:
    """The error for an intact bundle without the signatures that are required."""
    return VerificationError(what, reason=reason, details=details, do=do)
