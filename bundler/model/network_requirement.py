"""Network requirements of one bundle: endpoints to open, names to resolve, routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from bundler.model.frozen import frozen


@frozen
class HostRecord:
    """What becomes a line of a hosts file, or an A or AAAA record of a private zone."""

    host: str
    """The public name, in lower case, without a dot at the end."""
    address: str
    """IPv4 or IPv6, as :mod:`ipaddress` writes it."""


@frozen
class NetworkRequirement:
    """One address that a server or the jump host opens: by which way, when and what for."""

    host: str
    """A name, or a wildcard that a firewall takes."""
    names: tuple[str, ...] = ()
    """For a wildcard: the names behind it that are known; empty: none is."""
    port: int
    """TCP."""
    origin: Literal["server", "jump-host"]
    """Which of the two opens the connection. A proxy or gateway opens it onwards."""
    way: str
    """``direct``, ``proxy``, ``private-endpoint``, ``gateway``; ``jump-host`` for what no server contacts."""
    phase: str
    """``install``, ``connect`` or ``always``."""
    feature: str
    """``core``, or the feature that alone needs it."""
    required: bool
    """False: only its feature needs it."""
    why: str
    tag: str = ""
    """Service tag by which a cloud's firewall knows its addresses; empty where none is documented."""
    source: str
    """The document that states it."""
    note: str = ""


@frozen
class ZoneRecord:
    """One A or AAAA record of a private zone."""

    zone: str
    name: str
    address: str


@frozen
class Route:
    """One BGP community for a route filter."""

    community: str
    what: str


@frozen
class UnroutedAddress:
    """An address that the chosen route may not carry."""

    host: str
    carried: Literal["no", "unknown"]
    required: bool


@frozen
class NetworkRequirements:
    """All that the network team needs, for one definition."""

    title: str
    """What they are for, in a few words: the heading of each form."""
    about: Mapping[str, str] = field(default_factory=dict)
    """The parts of the definition that they depend on, by the product's own words."""
    proxy: str = ""
    """The servers' proxy; empty for none."""
    ways: Mapping[str, str]
    """A heading for each :attr:`NetworkRequirement.way`, in the order in which they are shown."""
    allow: tuple[NetworkRequirement, ...]
    """Required rows first, the jump host's last."""
    hosts_title: str = ""
    hosts: tuple[HostRecord, ...] = ()
    zones: tuple[ZoneRecord, ...] = ()
    routes_title: str = ""
    routes: tuple[Route, ...] = ()
    unrouted: tuple[UnroutedAddress, ...] = ()
    """What the servers reach directly and the routes do not carry, or no document states it."""
    uncertain: tuple[str, ...] = ()
    """What sources disagree on or leave open, each a sentence."""
