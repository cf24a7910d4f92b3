"""An address that somebody will contact because of a bundle."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import frozen


@frozen
class NetworkRequirement:
    """One address, who contacts it, by which way, when and what for."""

    host: str
    """A name, or a wildcard that a firewall takes."""
    names: tuple[str, ...] = ()
    """For a wildcard: the names behind it that are known."""
    port: int
    """TCP."""
    origin: Literal["server", "jump-host"]
    way: str
    """``direct``, ``proxy``, ``private-endpoint``, ``gateway``; ``jump-host`` for what no server contacts."""
    phase: str
    """``install``, ``connect`` or ``always``."""
    feature: str
    """``core``, or the feature that alone needs it."""
    required: bool
    """False: only its feature needs it."""
    why: str
    source: str
    """The document that says so."""
    note: str = ""


@frozen
class HostRecord:
    """What becomes a line of a hosts file, or an A record of a private zone."""

    host: str
    """The public name, in lower case, without a dot at the end."""
    address: str
    """IPv4 or IPv6, as :mod:`ipaddress` writes it."""
