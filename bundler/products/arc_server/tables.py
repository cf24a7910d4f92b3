"""The facts about the agent, from ``bundler/data/arc_server``; each table is read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from bundler.formats import json_codec
from bundler.model.artifact import PackageKind
from bundler.model.frozen import frozen
from bundler.products.arc_server.root_table import Roots


@frozen
class System:
    """One version of an operating system."""

    os: str
    version: str
    kind: PackageKind
    repository: str
    """Folder of ``prod`` below the base of the Linux repositories; empty where there is none (Windows, Azure Linux)."""
    suite: str
    """An apt repository's suite; empty for others."""
    architectures: tuple[str, ...]
    disputed: tuple[str, ...]
    """Those of ``architectures`` on which Microsoft's own sources disagree."""
    minimum: str
    """The first agent that knows it, ``MAJOR.MINOR``; empty: any."""
    last: str
    """The last agent that supports it, ``MAJOR.MINOR``; empty: still the newest."""
    supported: str
    """``yes``, ``limited``, ``ended``, or ``unlisted`` (the installer knows it, the list does not)."""
    note: str
    source: str


@frozen
class Systems:
    """``systems.json``."""

    source: str
    note: str
    systems: tuple[System, ...]

    def of(self, os: str) -> tuple[System, ...]:
        """All versions of ``os``."""
        return tuple(system for system in self.systems if system.os == os)

    def find(self, os: str, version: str) -> System | None:
        """The exact version; a Windows without one stands for every supported one."""
        of = self.of(os)
        if os == "windows" and not version:
            return of[0]
        return next((system for system in of if system.version == version), None)


@frozen
class Release:
    """One agent's month of release."""

    version: str
    month: str
    """``YYYY-MM``."""
    source: str


@frozen
class PlannedChange:
    """A change of the agent's behaviour that is announced."""

    change: str
    version: str
    """``MAJOR.MINOR``: announced, or counted from the month."""
    month: str
    """``YYYY-MM``."""
    source: str


@frozen
class Agents:
    """``agents.json``."""

    source: str
    support_months: int
    support_source: str
    releases: tuple[Release, ...]
    planned: tuple[PlannedChange, ...] = ()

    def changing(self, change: str) -> str:
        """The first agent, ``MAJOR.MINOR``, that is to behave in another way; empty where none is announced."""
        return next((planned.version for planned in self.planned if planned.change == change), "")


@frozen
class CloudHosts:
    """Where one cloud keeps the packages."""

    name: str
    windows: str
    linux: str
    hosts: tuple[str, ...]
    """Hosts at which a redirect of the MSI may end."""
    note: str
    source: str


@frozen
class Msi:
    """How the MSI's addresses are made."""

    file: str
    oldest: str
    """The oldest agent that has an address by version."""
    oldest_source: str


@frozen
class Clouds:
    """``clouds.json``."""

    source: str
    clouds: tuple[CloudHosts, ...]
    msi: Msi

    def of(self, name: str) -> CloudHosts:
        """The cloud called ``name``; its shape was checked, so it is there."""
        return next(cloud for cloud in self.clouds if cloud.name == name)


@frozen
class OwnName:
    """What one kind of the agent's packages calls itself."""

    kind: PackageKind
    name: str
    """An MSI's ``ProductName``; a deb's or an rpm's name."""
    lab_name: str
    """The same of a lab's stand-in."""


@frozen
class OwnNames:
    """``packages.json``."""

    source: str
    lab_source: str
    packages: tuple[OwnName, ...]

    def of(self, kind: PackageKind, *, lab: bool) -> str:
        """The name that a package of ``kind`` must give itself."""
        own = next(package for package in self.packages if package.kind == kind)
        return own.lab_name if lab else own.name


@frozen
class EndpointRow:
    """One address that the agent or a feature of Azure Arc needs."""

    cloud: str
    host: str
    """``{region}`` and ``{his}`` are filled in; ``*`` is a wildcard for firewalls."""
    port: int
    resource: str
    """Path below the host, where only that is needed."""
    phase: Literal["install", "connect", "always"]
    feature: str
    required: bool
    private_link: bool
    gateway: Literal["", "direct", "through"]
    peering: Literal["yes", "no", "unknown"]
    """Whether ExpressRoute Microsoft peering carries it."""
    bypass: str
    """The ``proxy.bypass`` keyword that covers it; empty for none."""
    windows_only: bool
    source: str
    note: str


@frozen
class EndpointTable:
    """``endpoints.json``."""

    source: str
    note: str
    endpoints: tuple[EndpointRow, ...]


@frozen
class BypassKeyword:
    """A word of ``proxy.bypass``."""

    name: str
    minimum: str
    """The first agent that knows it, ``MAJOR.MINOR``."""
    covers: str
    source: str


@frozen
class Bypass:
    """``bypass.json``."""

    source: str
    keywords: tuple[BypassKeyword, ...]


@frozen
class Limits:
    """``limits.json``: lengths in characters, ``tags`` a count."""

    source: str
    tags: int
    tag_name: int
    tag_value: int
    tag_forbidden: str
    tag_reserved: tuple[str, ...]
    resource_group: int
    resource_name: int
    resource_name_source: str
    reserved_source: str
    reserved_names: tuple[str, ...]
    """Words, in upper case, that no resource can have as its whole name; letter case does not count."""
    reserved_parts: tuple[str, ...]
    """Words that cannot be in a name at all."""
    reserved_starts: tuple[str, ...]
    """Words that cannot begin a name."""

    def reserved_word(self, name: str) -> str:
        """The word for which Azure Resource Manager refuses ``name``; empty where there is none."""
        upper = name.upper()
        whole = (word for word in self.reserved_names if word == upper)
        part = (word for word in self.reserved_parts if word in upper)
        start = (word for word in self.reserved_starts if upper.startswith(word))
        return next((word for found in (whole, part, start) for word in found), "")


@frozen
class ServiceCommunity:
    """The BGP community of one service."""

    bypass: str
    """The ``proxy.bypass`` keyword of the same service."""
    name: str
    community: str
    source: str


@frozen
class RegionCommunity:
    """The BGP community of one region."""

    name: str
    community: str
    source: str


@frozen
class Communities:
    """``communities.json``."""

    source: str
    note: str
    services: tuple[ServiceCommunity, ...]
    regions: tuple[RegionCommunity, ...]

    def region(self, name: str) -> RegionCommunity | None:
        """The region's, where the table has it."""
        return next((region for region in self.regions if region.name == name), None)


def _read(name: str) -> bytes:
    return (files("bundler.data.arc_server") / name).read_bytes()


@cache
def systems() -> Systems:
    """The supported operating systems."""
    return json_codec.from_json(Systems, _read("systems.json"))


@cache
def agents() -> Agents:
    """The agents' months of release."""
    return json_codec.from_json(Agents, _read("agents.json"))


@cache
def clouds() -> Clouds:
    """Where each cloud's packages are."""
    return json_codec.from_json(Clouds, _read("clouds.json"))


@cache
def own_names() -> OwnNames:
    """What the agent's packages call themselves."""
    return json_codec.from_json(OwnNames, _read("packages.json"))


@cache
def endpoints() -> EndpointTable:
    """The addresses of every cloud."""
    return json_codec.from_json(EndpointTable, _read("endpoints.json"))


@cache
def bypass() -> Bypass:
    """The words of ``proxy.bypass``."""
    return json_codec.from_json(Bypass, _read("bypass.json"))


@cache
def limits() -> Limits:
    """What Azure Resource Manager takes."""
    return json_codec.from_json(Limits, _read("limits.json"))


@cache
def roots() -> Roots:
    """The roots of Azure's certificates and of the agent's signature."""
    return json_codec.from_json(Roots, _read("roots.json"))


@cache
def communities() -> Communities:
    """The BGP communities of ExpressRoute Microsoft peering."""
    return json_codec.from_json(Communities, _read("communities.json"))
