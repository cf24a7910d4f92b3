"""Retries: transient errors, the budget of attempts, and back-off with jitter or by ``Retry-After``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bundler.errors import UpstreamError
from bundler.fetch.ranges import http_date

_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_LONGEST_EXPONENT = 20
_PROGRESS = 1024 * 1024
"""New bytes that reset the retry counter."""


class TransientError(Exception):
    """An attempt failed in a way that the next one may not; ``error`` is reported when none is left."""

    def __init__(self, error: UpstreamError, *, after: float | None = None, retries: int | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.after = after
        """Seconds that the server asks to wait; None where it does not say."""
        self.retries = retries
        """How many retries a failure of this kind is worth; None: as many as usual."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110, 10.2.3): a number, or a date relative to the server's ``Date``."""
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then, now = http_date(text), http_date(headers.get("Date", ""))
    if then is None or now is None:
        return None
    return max((then - now).total_seconds(), 0.0)


def backoff(failures: int, *, base: float, limit: float, random: Callable[[], float]) -> float:
    """Seconds before the next attempt: doubled for each failure in a row, half of it random.

    The jitter keeps many clients that failed together from returning together.

    Args:
        failures: in a row, from 1.
        base: seconds after the first failure.
        limit: seconds at most.
        random: gives a number from 0 up to 1.
    """
    whole = min(base * 2.0 ** min(failures - 1, _LONGEST_EXPONENT), limit)
    return whole * (0.5 + random() / 2)


@dataclass
class RetryBudget:
    """Counts failures in a row without progress, of which ``retries`` are allowed."""

    retries: int
    failures: int = 0
    _furthest: int = field(default=0, init=False)

    def record_failure(self, offset: int, retries: int | None = None) -> bool:
        """Count a failure with ``offset`` bytes received; whether another attempt is allowed.

        ``retries``: how many are allowed after a failure of this kind, where they are fewer.
        """
        if offset >= self._furthest + _PROGRESS:
            self._furthest, self.failures = offset, 0
        self.failures += 1
        return self.failures <= (self.retries if retries is None else min(retries, self.retries))
