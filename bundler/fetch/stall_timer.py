"""Detects a connection that trickles: too few bytes within the stall timeout, or within a minute."""

from __future__ import annotations

from collections.abc import Callable

from bundler.errors import UpstreamError
from bundler.fetch import failures
from bundler.fetch.request_info import RequestInfo
from bundler.fetch.retry import TransientError

MINUTE = 60.0
_TRICKLE = 1024
"""Bytes; fewer than these within the stall timeout count as none."""


class StallTimer:
    """Watches the bytes of one body.

    The floor of bytes a minute is held for every minute, and so for the whole transfer: a fast beginning is no credit
    for hours of trickling. A download that it aborts continues where it stopped, as after any lost connection.
    """

    def __init__(self, clock: Callable[[], float], request: RequestInfo, min_rate: int) -> None:
        """``min_rate``: KiB a minute."""
        self._host, self._clock = request.host, clock
        self._windows = [
            _Window(request.stall_timeout, _TRICKLE, "a longer --timeout", clock()),
            _Window(MINUTE, min_rate << 10, "a lower --min-rate", clock()),
        ]

    def touch(self, size: int) -> None:
        """Count ``size`` more bytes. Raises TransientError."""
        now = self._clock()
        for window in self._windows:
            if window.is_too_slow(size, now):
                what = f"{self._host} sent {window.last} bytes in {window.seconds:g} s"
                least = f"at least {window.least} bytes are required; {window.way_out} allows less"
                raise TransientError(UpstreamError(what, details=[least], do=failures.CONTINUE))


class _Window:
    """Counts the bytes of ``seconds``, then begins again."""

    def __init__(self, seconds: float, least: int, way_out: str, now: float) -> None:
        """``way_out``: the option with which fewer bytes are enough."""
        self.seconds, self.least, self.way_out = seconds, least, way_out
        self.last = 0
        """Bytes of the latest whole window."""
        self._since, self._bytes = now, 0

    def is_too_slow(self, size: int, now: float) -> bool:
        """Count ``size`` more bytes; whether a window has ended with fewer than the least in each of its lengths."""
        self._bytes += size
        lasted = now - self._since
        if lasted < self.seconds:
            return False
        self.last, self._since, self._bytes = self._bytes, now, 0
        return self.last < self.least * lasted / self.seconds
