"""Serves the lab's packages at the paths of the real upstream, and changes them over time.

Every real host is a folder below one address. The paths are those that Microsoft documents for the Windows agent
(agent-release-notes.md, manage-agent.md), and those of packages.microsoft.com as its configuration packages name them.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar, cast

from bundler.lab import agent, deb, installer, repositories, rpm
from bundler.lab.agent import Release
from bundler.lab.authority import Authority
from bundler.lab.openpgp import SigningKey

_Made = TypeVar("_Made")

MSI_NAME = "AzureConnectedMachineAgent.msi"
HIS_HOSTS = ("gbl.his.arc.azure.com", "gbl.his.arc.azure.us", "gbl.his.arc.azure.cn")
PACKAGES_HOST = "packages.microsoft.com"
DOWNLOAD_HOST = "download.microsoft.com"
SHORT_HOST = "aka.ms"

_MONTH = 30 * 24 * 60
"""Minutes."""

_X64 = ("amd64",)
_BOTH = ("amd64", "arm64")
_RPM_X64 = ("x86_64",)
_RPM_BOTH = ("x86_64", "aarch64")


@dataclass(frozen=True)
class Distribution:
    """One repository of packages.microsoft.com."""

    path: str
    """``ubuntu/22.04``."""
    architectures: tuple[str, ...]
    codename: str = ""
    """Of an apt suite; empty for yum."""
    modern: bool = False
    """Made after April 2025, so signed by the 2025 key."""
    first: tuple[int, int] = (1, 0)
    """The oldest ``MAJOR.MINOR`` in it."""


DISTRIBUTIONS = (
    Distribution("ubuntu/18.04", _X64, "bionic"),
    Distribution("ubuntu/20.04", _BOTH, "focal"),
    Distribution("ubuntu/22.04", _BOTH, "jammy"),
    Distribution("ubuntu/24.04", _BOTH, "noble"),
    Distribution("ubuntu/26.04", _X64, "resolute", modern=True, first=(1, 67)),
    Distribution("debian/11", _X64, "bullseye"),
    Distribution("debian/12", _BOTH, "bookworm"),
    Distribution("debian/13", _X64, "trixie", modern=True),
    Distribution("rhel/7", _RPM_X64),
    Distribution("rhel/8", _RPM_BOTH),
    Distribution("rhel/9", _RPM_BOTH),
    Distribution("rhel/9.0", _RPM_BOTH),
    Distribution("rhel/10", _RPM_BOTH, modern=True, first=(1, 62)),
    Distribution("sles/12", _RPM_X64),
    Distribution("sles/15", _RPM_BOTH),
    Distribution("sles/16", _RPM_X64, modern=True, first=(1, 62)),
    Distribution("amazonlinux/2", _RPM_BOTH),
    Distribution("amazonlinux/2023", _RPM_BOTH),
)
"""Distributions with packages in the upstream; Azure Linux has its own repositories."""


@dataclass(frozen=True)
class Content:
    """The response to a path."""

    body: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Moved:
    """A redirect to host and path, as a path below the lab's address."""

    path: str


@dataclass(frozen=True)
class _State:
    """What the upstream has published at one time."""

    releases: tuple[Release, ...]
    moves: int = 0
    """Minutes after the first state."""
    rebuilt: Mapping[str, int] = field(default_factory=dict)
    """By Windows build: how often it was built again under its old version."""

    def key(self) -> tuple[object, ...]:
        return self.releases, self.moves, tuple(sorted(self.rebuilt.items()))


class Upstream:
    """All hosts and what they serve; built on first use, and safe to use from several threads."""

    def __init__(
        self,
        authority: Authority,
        releases: Iterable[Release] = agent.RELEASES,
        *,
        stuffing: int = 0,
        index_stuffing: int = 0,
    ) -> None:
        """Serve ``releases`` (oldest first).

        Each package is ``stuffing`` bytes larger than it needs to be; each index is, once unpacked, larger by
        ``index_stuffing``.
        """
        self._authority = authority
        self._stuffing = stuffing
        self._blank = index_stuffing
        self._history = [_State(tuple(releases))]
        self._stale: _State | None = None
        self._held: dict[tuple[object, ...], object] = {}
        self._lock = threading.RLock()

    @property
    def releases(self) -> tuple[Release, ...]:
        """What is published now, oldest first."""
        return self._state.releases

    @property
    def _state(self) -> _State:
        return self._stale or self._history[-1]

    def publish(self, release: Release) -> None:
        """Publish a further build."""
        state = self._history[-1]
        self._move(replace(state, releases=(*state.releases, release)))

    def replace(self, version: str) -> None:
        """Build a release again: the same version, other bytes. ``version`` is its build on any of the systems.

        Raises:
            KeyError: there is no such release.
        """
        state = self._history[-1]
        known = {word: one.windows for one in state.releases for word in (one.windows, one.deb, one.rpm)}
        build = known[version]
        self._move(replace(state, rebuilt={**state.rebuilt, build: state.rebuilt.get(build, 0) + 1}))

    def step_back(self) -> None:
        """Serve the state before the last change; before the first, one without the newest release, a month older.

        It is properly signed: only its dates show its age. The next change, or :meth:`step_forward`, ends it.
        """
        with self._lock:
            *before, last = self._history
            older = replace(last, releases=last.releases[:-1], moves=last.moves - _MONTH)
            self._stale = before[-1] if before else older

    def step_forward(self) -> None:
        """Serve the newest state again."""
        with self._lock:
            self._stale = None

    def find(self, path: str) -> Content | Moved | None:
        """The response to ``path`` (``/host/…``, unquoted), or None."""
        host, _, rest = path.lstrip("/").partition("/")
        with self._lock:
            if host in HIS_HOSTS:
                return self._windows_by_version(rest)
            if host == PACKAGES_HOST:
                return self._packages(rest)
            if host == DOWNLOAD_HOST:
                return self._windows_by_place(rest)
            return self._short(rest) if host == SHORT_HOST else None

    def _move(self, state: _State) -> None:
        with self._lock:
            self._history.append(replace(state, moves=state.moves + 1))
            self._stale = None

    @property
    def _start(self) -> datetime:
        return self._authority.since + agent.HISTORY

    def _date(self) -> datetime:
        """Time at which the present state was published: never later than the lab's clock."""
        return self._start - timedelta(days=1) + timedelta(minutes=self._state.moves)

    # Windows

    def _newest(self, minor: str) -> Release | None:
        fitting = [release for release in self.releases if minor in ("latest", release.minor)]
        return max(fitting, key=lambda release: _numbers(release.windows), default=None)

    def _windows_by_version(self, rest: str) -> Content | None:
        """Answer ``azcmagent/<latest or MAJOR.MINOR>/AzureConnectedMachineAgent.msi``."""
        folder, _, name = rest.rpartition("/")
        release = self._newest(folder.removeprefix("azcmagent/"))
        known = folder.startswith("azcmagent/") and name == MSI_NAME and release
        return self._msi(release) if known and release else None

    def _windows_by_place(self, rest: str) -> Content | None:
        for release in self.releases:
            if rest == _place(release):
                return self._msi(release)
        return None

    def _short(self, rest: str) -> Moved | None:
        """Answer ``AzureConnectedMachineAgent`` and ``AzureConnectedMachineAgent-<MAJOR.MINOR>``."""
        name, _, minor = rest.partition("-")
        release = self._newest(minor or "latest") if name == "AzureConnectedMachineAgent" else None
        return Moved(f"/{DOWNLOAD_HOST}/{_place(release)}") if release else None

    def _msi(self, release: Release) -> Content:
        times = self._state.rebuilt.get(release.windows, 0)
        built = self._start - release.age

        def make() -> bytes:
            return installer.windows_agent(
                release.windows, built, self._authority, stuffing=self._stuffing, remark=_remark(times)
            )

        return Content(self._once(("msi", release, times), make))

    # Linux

    def _packages(self, rest: str) -> Content | None:
        if rest.startswith("keys/"):
            old, new = self._authority.key.armored(), self._authority.key_2025.armored()
            keys = {"microsoft.asc": old, "microsoft-2025.asc": new, "microsoft-rolling.asc": old + new}
            key = keys.get(rest.removeprefix("keys/"))
            return Content(key.encode(), "application/pgp-keys") if key else None
        folder, _, place = rest.partition("/prod/")
        for distribution in DISTRIBUTIONS:
            if distribution.path == folder:
                files = self._repository(distribution)
                return Content(files[place]) if place in files else None
        return None

    def _repository(self, distribution: Distribution) -> dict[str, bytes]:
        state = self._state.key()
        return self._once(("repository", distribution, *state), lambda: self._made_repository(distribution))

    def _made_repository(self, distribution: Distribution) -> dict[str, bytes]:
        key = self._authority.key_2025 if distribution.modern else self._authority.key
        wanted = [
            (release, architecture)
            for release in self.releases
            if _numbers(release.minor) >= distribution.first
            for architecture in distribution.architectures
        ]
        if distribution.codename:
            suite = repositories.AptSuite(
                distribution.path.replace("/", " "), distribution.codename, distribution.architectures
            )
            debs = [self._deb(*each, key) for each in wanted]
            return repositories.apt(suite, debs, key, self._date(), blank=self._blank)
        rpms = [self._rpm(*each, key) for each in wanted]
        return repositories.yum(rpms, key, self._date(), blank=self._blank)

    def _deb(self, release: Release, architecture: str, key: SigningKey) -> repositories.BuiltDeb:
        times = self._state.rebuilt.get(release.windows, 0)

        def make() -> repositories.BuiltDeb:
            built = self._start - release.age
            package = agent.linux_package(
                release.deb, architecture, built, stuffing=self._stuffing, remark=_remark(times)
            )
            return repositories.BuiltDeb(package, deb.build(package, key))

        return self._once(("deb", release, architecture, times, key.fingerprint), make)

    def _rpm(self, release: Release, architecture: str, key: SigningKey) -> rpm.BuiltRpm:
        times = self._state.rebuilt.get(release.windows, 0)

        def make() -> rpm.BuiltRpm:
            built = self._start - release.age
            package = agent.linux_package(
                release.rpm, architecture, built, stuffing=self._stuffing, remark=_remark(times)
            )
            return rpm.build(package, key)

        return self._once(("rpm", release, architecture, times, key.fingerprint), make)

    def _once(self, what: tuple[object, ...], make: Callable[[], _Made]) -> _Made:
        """Build something on first use, and cache it."""
        if what not in self._held:
            self._held[what] = make()
        return cast("_Made", self._held[what])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _place(release: Release) -> str:
    """Path of a release's MSI below download.microsoft.com: an arbitrary GUID, as there."""
    guid = uuid.uuid5(uuid.NAMESPACE_URL, f"lab:{release.windows}")
    return f"download/L/A/B/{guid}/{MSI_NAME}"


def _remark(times: int) -> str:
    return f"Rebuilt {times} times under the same version." if times else ""
