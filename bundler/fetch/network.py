"""Network settings: proxy, trusted CAs, timeouts, retries. Apart from the transport: its libraries load slowly."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.errors import UsageError

if TYPE_CHECKING:
    from bundler.fetch.vendor_roots import Vendor


def _unheard(_: str) -> None:
    """Drop a remark."""


@dataclass(frozen=True)
class Network:
    """How this computer reaches the upstream."""

    proxy: str | None = field(default=None, repr=False)
    """``http://HOST:PORT``; empty for none; None to take it from ``environment``. May hold a password: never shown."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Holds ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE`` and ``SSL_CERT_FILE``."""
    ca_file: Path | None = None
    """PEM certificates of further CAs, trusted in addition to the public ones."""
    vendors: tuple[Vendor, ...] | None = field(default=None, repr=False)
    """Vendors with roots that are trusted for their own hosts; None: those that ship with the program."""
    detail: Callable[[str], None] = field(default=_unheard, repr=False, compare=False)
    """Receives remarks for ``-v``."""
    warn: Callable[[str], None] = field(default=_unheard, repr=False, compare=False)
    """Receives warnings."""
    connect_timeout: float = 15.0
    """Seconds to connect."""
    stall_timeout: float = 60.0
    """Seconds without data after which a connection is aborted."""
    min_rate: int = 64
    """KiB a minute below which a download is aborted, and continued by the next attempt."""
    retries: int = 5
    """Failures in a row, without new bytes, before a download gives up."""
    backoff: float = 1.0
    """Seconds before the first retry; doubled for each further one."""
    backoff_limit: float = 30.0
    """Longest wait before a retry, in seconds, where the server asks for none."""
    retry_after_limit: float = 300.0
    """Longest ``Retry-After`` that is obeyed, in seconds; the download fails at a longer one."""


def require_usable(network: Network) -> None:
    """Raise UsageError if the CA file cannot be read."""
    if network.ca_file:
        load_ca(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), network.ca_file)


def load_ca(context: ssl.SSLContext, file: Path) -> None:
    """Let ``context`` trust the CAs in ``file`` (PEM). Raises UsageError for a file without certificates."""
    try:
        context.load_verify_locations(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the CA file {file} cannot be used: {error.strerror or error}",
            do="give a file with one or more PEM certificates (-----BEGIN CERTIFICATE-----)",
        ) from error
