"""Faults that the lab's server can simulate, and the chains of certificates that it can present."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Certificate = Literal[
    "good",
    "other-host",
    "expired",
    "unknown",
    "new-root",
    "new-root-unbridged",
    "new-root-impostor",
    "negative-serial",
]
"""The server's certificate: its own; one for another host, of the past, or of an unknown CA; one below the new root,
with the bridge to the lab's root, without it, or below a root with the same name and another key; one with a negative
serial number, as some inspecting proxies issue them."""
CERTIFICATES: tuple[Certificate, ...] = get_args(Certificate)

PORTAL = b"""<!DOCTYPE html>
<html><head><title>LAB guest network</title></head>
<body><h1>Please sign in to the LAB guest network</h1></body></html>
"""
"""Answer of a captive portal in place of the upstream."""


@dataclass(frozen=True)
class Status:
    """Answer with this status."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"LAB: simulated answer\n"


@dataclass(frozen=True)
class Redirect:
    """Send the caller to ``location``: itself (a loop), ``http:``, a foreign host."""

    location: str
    code: int = 302


@dataclass(frozen=True)
class Portal:
    """Answer every request with 200 and a portal's page."""


@dataclass(frozen=True)
class Truncated:
    """Promise the whole, send ``after`` bytes and close as if that were all."""

    after: int


@dataclass(frozen=True)
class Reset:
    """Promise the whole, send ``after`` bytes and reset the connection."""

    after: int


@dataclass(frozen=True)
class Stalled:
    """Promise the whole, send ``after`` bytes and then nothing, with the connection open."""

    after: int = 0


@dataclass(frozen=True)
class WrongLength:
    """Promise ``more`` bytes than there are (fewer, where negative), send what there is and close."""

    more: int


@dataclass(frozen=True)
class Slow:
    """Send no more than ``bytes_per_second``."""

    bytes_per_second: int


@dataclass(frozen=True)
class Instead:
    """Serve these bytes in the place of the true ones, with status 200 and everything else right."""

    body: bytes


@dataclass(frozen=True)
class IgnoreRange:
    """Answer a request for a part with the whole."""


Behaviour = Status | Redirect | Portal | Truncated | Reset | Stalled | WrongLength | Slow | Instead | IgnoreRange
