"""Collects what differs between an archive and the one that our writer makes of the same files.

A reader accepts only what a release writes, because unpackers differ in how they read everything else. A container has
a module that computes its form, shared by its writer and its reader. A reader compares and goes on as long as it can: a
link, an unsafe name or changed content is a better reason than a header by another tool. After the last member the
deviations become the reason ``rewrapped``.
"""

from __future__ import annotations

from bundler.errors import VerificationError
from bundler.integrity.findings import RewrappedError

_MOST = 3
"""Deviations that are shown. An archive by another tool has one for each file, and what to do would be lost below."""


class Form:
    """The deviations of one archive from what our writer makes."""

    def __init__(self) -> None:
        self._deviations: list[str] = []
        self._more = 0

    def note(self, deviation: str) -> None:
        """Keep ``deviation``, one sentence without a full stop; of many, the first ones and the number of the rest."""
        if deviation in self._deviations:
            return
        if len(self._deviations) < _MOST:
            self._deviations.append(deviation)
        else:
            self._more += 1

    def compare(self, what: str, found: object, written: object) -> None:
        """Note that ``what`` differs, unless what was ``found`` is what our writer has ``written``."""
        if found != written:
            self.note(f"{what} is not as arc-bundler writes it")

    def require_ours(self) -> None:
        """Raise :class:`RewrappedError` where anything was noted. Called once, after the last member was read."""
        if self._deviations:
            raise RewrappedError([*self._deviations, *([f"and {self._more} more"] if self._more else [])])


def unreadable(deviation: str) -> VerificationError:
    """The error for an archive in a foreign form that is not read on, because unpackers may differ from here."""
    error = RewrappedError([deviation])
    return VerificationError(error.what, reason=error.reason, details=error.details, do=error.do)
