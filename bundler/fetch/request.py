"""The request for one file, and the finished download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ASKED_AGAIN = "asked again past caches (Cache-Control: no-cache): the same"
"""The line of an error for what a cache in between did not explain."""
MISMATCHES: Final = frozenset({"digest-mismatch", "size-mismatch"})
"""Reasons of a download that is not what was promised."""


@dataclass(frozen=True)
class Request:
    """One GET, with its limits."""

    url: str
    label: str
    """A name for people, in progress and errors: ``InRelease of ubuntu/22.04``."""
    hosts: tuple[str, ...]
    """Hosts (``name`` or ``name:port``) that may serve the bytes after redirects, besides the host of ``url``."""
    max_size: int
    """Bytes; a longer body is refused as it arrives, whatever its ``Content-Length``."""
    size: int | None = None
    """Bytes by signed metadata."""
    sha256: str | None = None
    """Digest by signed metadata; a file with it in the store is used without the network."""
    past_caches: bool = False
    """Ask caches on the way for what the upstream has now (``no-cache``, RFC 9111, 5.2.1.4)."""


@dataclass(frozen=True)
class Download:
    """A file in the store, complete and hashed."""

    path: Path
    sha256: str
    size: int
    url: str
    """The requested address."""
    redirects: tuple[str, ...] = ()
    """Every further address; the last one served the bytes."""


Fetch = Callable[[Request], Download]
"""Downloads one file. Raises UpstreamError, WriteError, or VerificationError where size or digest differ."""
