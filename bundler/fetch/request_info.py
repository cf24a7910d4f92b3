"""What is known of a request when it fails."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bundler.fetch.vendor_roots import Vendor


@dataclass(frozen=True)
class RequestInfo:
    """The request that failed."""

    url: str
    proxy: str | None
    connect_timeout: float
    """Seconds."""
    stall_timeout: float
    """Seconds."""
    proxy_proved: bool = False
    """Whether the proxy has led to a host before: then it is the right one, and its failure may pass."""
    context: ssl.SSLContext | None = field(default=None, repr=False)
    """What verified the host's certificate."""
    vendors: tuple[Vendor, ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        """The host, with its port where one is written."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def redact_url(url: str) -> str:
    """``url`` as it may be shown and logged: without credentials and query, which can hold a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def authority(url: str) -> str:
    """Host and port for comparison: lower case, the port left out where it is 443 (RFC 9110, 4.2.3)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    return host if parts.port in (None, 443) else f"{host}:{parts.port}"
