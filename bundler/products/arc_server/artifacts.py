"""The packages that a definition needs, and where they are looked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from bundler.model.artifact import AptOrigin, Artifact, FileOrigin, Origin, UrlOrigin, YumOrigin
from bundler.products.arc_server import layout, tables
from bundler.products.arc_server.agent_version import AgentVersion
from bundler.products.arc_server.definition import Definition, GivenPackage, WantedTarget
from bundler.products.arc_server.tables import System

_LINUX_PACKAGE = "azcmagent"
_WINDOWS_PACKAGE = "AzureConnectedMachineAgent"


@dataclass(frozen=True)
class _Need:
    """What one target needs; equal needs become one artifact."""

    system: System
    architecture: str
    version: str
    origin: Origin
    place: str


def artifacts(definition: Definition, folder: Path = Path()) -> tuple[Artifact, ...]:
    """The packages in the order in which targets first need them.

    Targets that take the same package from the same place share one artifact. Relative paths of given packages start
    from ``folder``, the definition's own. The definition is one that :func:`~bundler.definition.load.load` let
    pass.
    """
    shared: dict[tuple[Origin, str, str], tuple[_Need, list[WantedTarget]]] = {}
    for wanted in definition.targets:
        need = _need(definition, wanted, folder)
        shared.setdefault((need.origin, need.architecture, need.version), (need, []))[1].append(wanted)
    found = [
        Artifact(
            name=_WINDOWS_PACKAGE if need.system.kind == "msi" else _LINUX_PACKAGE,
            kind=need.system.kind,
            place=need.place,
            architecture=need.architecture,
            version=need.version,
            targets=tuple(dict.fromkeys(one.target for one in wanted)),
            origin=need.origin,
        )
        for need, wanted in shared.values()
    ]
    return _apart(found)


def _need(definition: Definition, wanted: WantedTarget, folder: Path) -> _Need:
    system = tables.systems().find(wanted.os, wanted.version)
    if system is None:
        raise LookupError(f"{wanted.target} is not known here: the definition was not checked")
    architecture = layout.word(system, wanted.architecture)
    version = definition.requested_version(wanted)
    origin = _origin(definition, system, version, given_package(definition, wanted), folder)
    return _Need(system, architecture, version, origin, layout.place(system, architecture))


def given_package(definition: Definition, wanted: WantedTarget) -> GivenPackage | None:
    """The package that the admin gives for ``wanted``, if any."""
    name = str(wanted.target)
    return next((package for package in definition.upstream.packages if package.target == name), None)


def _origin(definition: Definition, system: System, version: str, given: GivenPackage | None, folder: Path) -> Origin:
    if given is not None and given.path:
        return FileOrigin(path=str(folder / given.path))
    if given is not None:
        return UrlOrigin(url=given.url, hosts=_hosts(given.url, definition))
    if system.kind == "msi":
        return _msi_origin(definition, version)
    base = (definition.upstream.linux or tables.clouds().of(definition.cloud).linux).rstrip("/")
    below = definition.upstream.repositories.get(system.repository, f"{system.repository}/prod")
    repository = f"{base}/{below.strip('/')}"
    if system.kind == "deb":
        return AptOrigin(base=repository, suite=system.suite, component="main", package=_LINUX_PACKAGE)
    return YumOrigin(base=repository, package=_LINUX_PACKAGE)


def _msi_origin(definition: Definition, version: str) -> UrlOrigin:
    cloud = tables.clouds().of(definition.cloud)
    base = (definition.upstream.windows or cloud.windows).rstrip("/")
    # A full build has no address of its own: its MAJOR.MINOR is fetched, and the file must then be that build.
    part = AgentVersion(version).release_text
    url = f"{base}/{part}/{tables.clouds().msi.file}"
    own = cloud.hosts if not definition.upstream.windows else ()
    return UrlOrigin(url=url, hosts=tuple(dict.fromkeys((*own, *_hosts(url, definition)))))


def _hosts(url: str, definition: Definition) -> tuple[str, ...]:
    return tuple(dict.fromkeys((urlsplit(url).netloc, *definition.upstream.hosts)))


def _apart(found: list[Artifact]) -> tuple[Artifact, ...]:
    """Two artifacts that would lie in one folder are each called by their first target instead."""
    times = Counter(artifact.place for artifact in found)
    return tuple(
        replace(artifact, place=layout.own_place(artifact.targets[0], artifact.architecture))
        if times[artifact.place] > 1
        else artifact
        for artifact in found
    )
