"""What is asked of the network, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One GET, with everything that bounds it."""

    url: str
    label: str
    """What a person would call it, for progress and errors: ``InRelease of ubuntu/22.04``."""
    hosts: tuple[str, ...]
    """Hosts (``name`` or ``name:port``) that may serve the bytes after redirects; the first one need not be asked."""
    max_size: int
    """Bytes; more is refused as it arrives, whatever ``Content-Length`` promised."""
    size: int | None = None
    """Bytes that signed metadata promises."""
    sha256: str | None = None
    """Digest that signed metadata promises; a file in the store with it is taken without asking the network."""


@dataclass(frozen=True)
class Download:
    """Bytes at rest in the store, whole and hashed."""

    path: Path
    sha256: str
    size: int
    url: str
    """The address that was asked."""
    redirects: tuple[str, ...] = ()
    """Every further address; the last one served the bytes."""


Fetch = Callable[[Request], Download]
"""How rooms above ask for bytes; raises UpstreamError, WriteError, or VerificationError where a promise is broken."""
