"""How does this computer reach others, and whom does it believe there? Apart from what speaks HTTP, slow to load."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bundler.errors import UsageError


@dataclass(frozen=True)
class Network:
    """How this computer reaches others."""

    proxy: str | None = field(default=None, repr=False)
    """``http://HOST:PORT``; empty for none; None to take it from ``environment``. May hold a password: never shown."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE`` and ``SSL_CERT_FILE`` are read."""
    ca_file: Path | None = None
    """PEM certificates of further authorities; they are believed beside the public ones, not instead of them."""
    connect_timeout: float = 15.0
    """Seconds to connect."""
    stall_timeout: float = 60.0
    """Seconds without bytes after which a connection is given up."""
    retries: int = 5
    """Failures in a row, with nothing gained, that are borne."""
    backoff: float = 1.0
    """Seconds before the first retry; doubled for each further one."""
    backoff_limit: float = 30.0
    """Seconds that a wait of our own choosing lasts at most."""
    retry_after_limit: float = 300.0
    """Seconds that a server may make us wait; a longer wish ends the download with its own error."""


def require_usable(network: Network) -> None:
    """Raise UsageError for a CA file that is none."""
    if network.ca_file:
        load_ca(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), network.ca_file)


def load_ca(context: ssl.SSLContext, file: Path) -> None:
    """Have ``context`` believe the authorities in ``file``, PEM. Raises UsageError for a file that is none."""
    try:
        context.load_verify_locations(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the CA file {file} cannot be used: {error.strerror or error}",
            do="give a file with one or more PEM certificates (-----BEGIN CERTIFICATE-----)",
        ) from error
