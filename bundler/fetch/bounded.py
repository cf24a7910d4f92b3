"""Bounds what a server can make its reader wait for, and read, before and between the bytes of a body.

:mod:`http.client` waits anew for every piece, skips any number of ``100 Continue`` responses (RFC 9110, 15.2.1) and of
trailer fields (RFC 9112, 7.1.2), and reads 6 MB of header fields. Here, one deadline and one amount hold for all bytes
from the request to the end of the header fields, and again for each piece of the body with all that surrounds it.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable
from typing import Any

HEADERS = 256 << 10
"""Bytes of interim responses and header fields together; servers send a few thousand."""
AROUND_PIECE = 256 << 10
"""Bytes around one piece of a body: sizes of chunks, and trailer fields."""


class TooSlowError(OSError):
    """The deadline passed; the message says for what."""


class TooMuchError(OSError):
    """More bytes than the limit; the message says of what."""


class Guard(io.RawIOBase):
    """Reads from a socket, within a deadline and an amount that are set before each step."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, stall: float, clock: Callable[[], float]) -> None:
        """``stall``: seconds that the socket may be silent."""
        self._raw, self._sock, self._stall, self._clock = raw, sock, stall, clock
        self._what, self._until, self._left = "", 0.0, 0
        self._silent = True
        """Whether nothing has arrived of what was last allowed."""

    def allow(self, what: str, seconds: float, size: int) -> None:
        """From now on ``what`` may take ``seconds`` and ``size`` bytes."""
        self._what, self._until, self._left = what, self._clock() + seconds, size
        self._silent = True

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read some bytes. Raises TooSlowError, TooMuchError, TimeoutError where the socket is silent, and OSError."""
        self._require_time()
        if self._left <= 0:
            raise TooMuchError(f"sent more {self._what} than any server needs")
        self._sock.settimeout(min(self._stall, self._until - self._clock()))
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            if not self._silent:
                self._require_time()
            raise
        self._left -= count or 0
        self._silent = False
        return count

    def _require_time(self) -> None:
        if self._clock() >= self._until:
            raise TooSlowError(f"did not complete its {self._what} in time")

    def close(self) -> None:
        """Close the socket's file, too."""
        try:
            self._raw.close()
        finally:
            super().close()


def response_class(stall: float, clock: Callable[[], float]) -> type[http.client.HTTPResponse]:
    """The class of responses that are read through a :class:`Guard`, which is their attribute ``guard``.

    Args:
        stall: seconds for all header fields, from the request on, and for each piece of a body.
        clock: seconds that never go back.
    """

    class Bounded(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.guard = Guard(self.fp.detach(), sock, stall, clock)
            self.guard.allow("header fields", stall, HEADERS)
            self.fp = io.BufferedReader(self.guard)

    return Bounded
