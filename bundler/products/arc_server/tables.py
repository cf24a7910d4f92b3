"""Which facts about Arc does the product know? The tables of ``bundler/data/arc_server``, read once each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from bundler.formats import records
from bundler.model.artifact import PackageKind
from bundler.model.value import value


@value
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


@value
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


@value
class Release:
    """One agent's month of release."""

    version: str
    month: str
    """``YYYY-MM``."""


@value
class Agents:
    """``agents.json``."""

    source: str
    support_months: int
    support_source: str
    releases: tuple[Release, ...]


@value
class CloudHosts:
    """Where one cloud's packages are."""

    name: str
    windows: str
    linux: str
    hosts: tuple[str, ...]
    """Hosts at which a redirect of the MSI may end."""
    suffix: str
    note: str


@value
class Msi:
    """How the MSI's addresses are made."""

    file: str
    oldest: str
    """The oldest agent that has an address by version."""
    oldest_source: str


@value
class Clouds:
    """``clouds.json``."""

    source: str
    clouds: tuple[CloudHosts, ...]
    msi: Msi

    def of(self, name: str) -> CloudHosts:
        """The cloud called ``name``; its shape was checked, so it is there."""
        return next(cloud for cloud in self.clouds if cloud.name == name)


def _read(name: str) -> bytes:
    return (files("bundler.data.arc_server") / name).read_bytes()


@cache
def systems() -> Systems:
    """The supported operating systems."""
    return records.from_json(Systems, _read("systems.json"))


@cache
def agents() -> Agents:
    """The agents' months of release."""
    return records.from_json(Agents, _read("agents.json"))


@cache
def clouds() -> Clouds:
    """Where each cloud's packages are."""
    return records.from_json(Clouds, _read("clouds.json"))
