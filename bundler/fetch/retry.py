"""Try again, or not, and when? Back-off with jitter, and what the server asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bundler.errors import UpstreamError
from bundler.fetch.ranges import http_date

_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_LONGEST_EXPONENT = 20
_PROGRESS = 1024 * 1024
"""Bytes that must have come further than ever before for a failure to count as the first one again."""


class TransientError(Exception):
    """An attempt failed in a way that another one may not; ``error`` is what to say when none is left."""

    def __init__(self, error: UpstreamError, *, after: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.after = after
        """Seconds that the server asks us to wait."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110, 10.2.3): a number, or a date, seen from the server's ``Date``."""
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then, now = http_date(text), http_date(headers.get("Date", ""))
    if then is None or now is None:
        return None
    return max((then - now).total_seconds(), 0.0)


def backoff(failures: int, *, base: float, limit: float, random: Callable[[], float]) -> float:
    """Seconds before the next try after ``failures`` (from 1) in a row: doubling, half of it left to chance.

    The jitter keeps many clients that failed together from coming back together.
    """
    whole = min(base * 2.0 ** min(failures - 1, _LONGEST_EXPONENT), limit)
    return whole * (0.5 + random() / 2)


@dataclass
class RetryBudget:
    """How many failures are still borne: ``retries`` in a row without getting further."""

    retries: int
    failures: int = 0
    _furthest: int = field(default=0, init=False)

    def record_failure(self, offset: int) -> bool:
        """Note a failure with ``offset`` bytes held; whether another try is worth it."""
        if offset >= self._furthest + _PROGRESS:
            self._furthest, self.failures = offset, 0
        self.failures += 1
        return self.failures <= self.retries
