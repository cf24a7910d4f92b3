"""Find, fetch and judge the packages; pin what was believed; see when upstream moves, and when it moves back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from bundler.errors import LockError, NotBelieved
from bundler.fetch.download import Downloader
from bundler.fetch.request import Fetch, Received, Request
from bundler.flow import judge
from bundler.flow.site import Site
from bundler.formats import records
from bundler.model.artifact import Artifact
from bundler.model.lock import Lock, Pin, RepositoryState
from bundler.model.target import Target
from bundler.model.value import value
from bundler.pack.staging import write_file
from bundler.products.arc_server.definition import digest, version
from bundler.sources import apt, file, url, yum
from bundler.sources.located import Located

# The agent's packages are 70 to 104 MB (facts: releases 1.50 to 1.67); ten times that is no agent.
_MAX_PACKAGE = 1_000_000_000
# A pin with its evidence has 6 kB; a lock of every target has 200 kB.
_MAX_LOCK = 4 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Allowances:
    """Steps back that somebody asked for in so many words."""

    older: bool = False
    """Accept an older repository state or agent than the lock has."""
    replaced: bool = False
    """Accept other bytes under a version that the lock has."""


@value
class Move:
    """One difference between a lock and what upstream has now."""

    place: str
    what: Literal["new-package", "gone", "version", "bytes", "definition", "anchors"]
    was: str
    now: str


@dataclass(frozen=True)
class Taken:
    """A fresh lock, and how it differs from the one before."""

    lock: Lock
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class _Asked:
    """What a definition asks for and a lock answers, whatever the versions are."""

    place: str
    name: str
    kind: str
    architecture: str
    targets: tuple[Target, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.architecture} at {self.place} for {' '.join(map(str, self.targets))}"


def read(path: Path) -> Lock | None:
    """The lock at ``path``; None where there is none. Raises LockError where it cannot be understood."""
    try:
        with path.open("rb") as file:
            document = file.read(_MAX_LOCK + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"the lock at {path} cannot be read: {error}") from error
    if len(document) > _MAX_LOCK:
        raise LockError(f"{path} is larger than {_MAX_LOCK} bytes: it is no lock")
    try:
        lock = records.from_json(Lock, document)
        _require_digests(lock)
    except ValueError as error:
        raise LockError(
            f"the lock at {path} is damaged or of another release: {error}",
            do="take it anew with `arc-bundler lock`",
        ) from error
    return lock


def _require_digests(lock: Lock) -> None:
    """Digests name files in the store, so they must be digests. Raises ValueError."""
    for pin in lock.pins:
        documents = (document for evidence in pin.evidence for document in evidence.documents)
        for sha256, size in ((pin.sha256, pin.size), *((held.sha256, held.size) for held in documents)):
            if not _SHA256.fullmatch(sha256) or size < 0:
                raise ValueError(f"pins.{pin.place}: {sha256!r} with {size} bytes is no file's digest")


def write(lock: Lock, path: Path) -> None:
    """Write the lock under its name at once, or not at all. Raises WriteError."""
    write_file(path, records.to_json(lock))


def require_fit(lock: Lock, site: Site, path: Path) -> None:
    """Refuse a lock that was taken for another definition, or judged by other anchors. Raises LockError."""
    wrong = _contradictions(lock, site)
    if wrong:
        raise LockError(
            f"the lock at {path} does not fit any more: {' and '.join(move.what for move in wrong)} changed",
            details=[f"{move.what}: {move.was} in the lock, {move.now} now" for move in wrong],
            do="look at what changed, then take the lock anew with `arc-bundler lock`",
        )
    if lock.name != site.definition.name or _wanted(site) != _pinned(lock):
        raise LockError(
            f"the lock at {path} was edited: it does not pin what the definition asks for",
            details=[f"pinned: {', '.join(map(str, _pinned(lock)))}", f"wanted: {', '.join(map(str, _wanted(site)))}"],
            do="look who changed it, then take the lock anew with `arc-bundler lock`",
        )


def _wanted(site: Site) -> list[_Asked]:
    return [_Asked(a.place, a.name, a.kind, a.architecture, a.targets) for a in site.artifacts]


def _pinned(lock: Lock) -> list[_Asked]:
    return [_Asked(pin.place, pin.name, pin.kind, pin.facts.architecture, pin.targets) for pin in lock.pins]


def _contradictions(lock: Lock, site: Site) -> Sequence[Move]:
    wanted = digest(site.definition)
    moves = []
    if lock.definition != wanted:
        moves.append(Move(place="", what="definition", was=lock.definition[:12], now=wanted[:12]))
    if lock.anchors_sha256 != site.anchors_sha256:
        was, now = f"{lock.anchors} {lock.anchors_sha256[:12]}", f"{site.anchors.name} {site.anchors_sha256[:12]}"
        moves.append(Move(place="", what="anchors", was=was, now=now))
    return moves


def take(
    site: Site,
    downloader: Downloader,
    *,
    at: datetime,
    environment: Mapping[str, str],
    previous: Lock | None = None,
    allow: Allowances = Allowances(),
) -> Taken:
    """Resolve every artifact, fetch it, judge it, and pin it: nothing is pinned that was not believed.

    ``at`` becomes the lock's time. Raises UpstreamError, NotBelieved, LockError (a step back).
    """
    states = _states(previous)

    def locating(artifact: Artifact) -> Callable[[Fetch], Located]:
        return lambda fetch: _Search(site, fetch, at, states, allow.older).locate(artifact)

    located = downloader.together([locating(artifact) for artifact in site.artifacts])
    received = downloader.fetch_all([_request(found) for found in located])
    pins = tuple(_pin(site, found, held, at) for found, held in zip(located, received, strict=True))
    if previous:
        _refuse_steps_back(previous, pins, allow)
    lock = Lock(
        name=site.definition.name,
        version=version(site.definition, at.date(), environment, {pin.place: pin.facts.version for pin in pins}),
        taken=at,
        definition=digest(site.definition),
        anchors=site.anchors.name,
        anchors_sha256=site.anchors_sha256,
        pins=pins,
    )
    return Taken(lock, (*_contradictions(previous, site), *_moves(previous, pins)) if previous else ())


@dataclass(frozen=True)
class _Search:
    """What every source needs to know to look for an artifact."""

    site: Site
    fetch: Fetch
    at: datetime
    states: Mapping[str, RepositoryState]
    """The repository states of the lock before, by origin."""
    allow_older: bool

    def locate(self, artifact: Artifact) -> Located:
        return _LOCATE[artifact.origin.kind](artifact, self)


def _by_metadata(locate: Callable[..., Located]) -> Callable[[Artifact, _Search], Located]:
    """A search in a repository of either family: by its signed metadata."""

    def located(artifact: Artifact, search: _Search) -> Located:
        return locate(
            artifact,
            search.fetch,
            anchors=search.site.anchors,
            at=search.at,
            states=search.states,
            allow_older=search.allow_older,
        )

    return located


def _by_url(artifact: Artifact, _: _Search) -> Located:
    return url.locate(artifact)


def _by_file(artifact: Artifact, search: _Search) -> Located:
    return file.locate(artifact, search.site.path.parent)


_LOCATE: Mapping[str, Callable[[Artifact, _Search], Located]] = {
    "apt": _by_metadata(apt.locate),
    "yum": _by_metadata(yum.locate),
    "url": _by_url,
    "file": _by_file,
}


def _states(previous: Lock | None) -> dict[str, RepositoryState]:
    pins = previous.pins if previous else ()
    return {pin.repository.origin: pin.repository for pin in pins if pin.repository}


def _request(found: Located) -> Request:
    return Request(
        url=found.url,
        label=f"{found.filename} for {found.artifact.place}",
        hosts=found.hosts,
        max_size=found.size or _MAX_PACKAGE,
        size=found.size,
        sha256=found.sha256,
    )


def _pin(site: Site, found: Located, held: Received, at: datetime) -> Pin:
    artifact = found.artifact
    try:
        with held.path.open("rb") as package:
            judged = judge.package(package, artifact.kind, anchors=site.anchors, at=at)
        judge.require_wanted(judged.facts, artifact, site.anchors)
    except NotBelieved as error:
        raise _about(error, found) from error
    evidence = (judged.evidence, found.evidence) if found.evidence else (judged.evidence,)
    return Pin(
        name=artifact.name,
        kind=artifact.kind,
        place=artifact.place,
        targets=artifact.targets,
        filename=found.filename,
        url=_written(artifact, held),
        redirects=held.redirects,
        size=held.size,
        sha256=held.sha256,
        facts=judged.facts,
        evidence=evidence,
        repository=found.repository,
    )


def _written(artifact: Artifact, held: Received) -> str:
    """The address as the lock keeps it; of a file at hand, as the definition says it: no path of this host is kept."""
    return f"file:{Path(artifact.origin.path).as_posix()}" if artifact.origin.kind == "file" else held.url


def _about(error: NotBelieved, found: Located) -> NotBelieved:
    return NotBelieved(
        f"{found.artifact.place}: {error.what}",
        reason=error.reason,
        details=(*error.details, f"it came from {found.url}"),
        do=error.do,
    )


def _refuse_steps_back(previous: Lock, pins: Sequence[Pin], allow: Allowances) -> None:
    before = {pin.place: pin for pin in previous.pins}
    for pin in pins:
        was = before.get(pin.place)
        if was is None:
            continue
        if not allow.older and _older(pin.facts.version, was.facts.version):
            raise LockError(
                f"{pin.place}: upstream now has {pin.facts.version}, the lock already had {was.facts.version}",
                do="look why upstream went back, for that is suspicious; if you mean it, say `--allow-older`",
            )
        if not allow.replaced and pin.facts.version == was.facts.version and pin.sha256 != was.sha256:
            raise NotBelieved(
                f"{pin.place}: version {pin.facts.version} has other bytes than when the lock was taken",
                reason="replaced",
                details=[f"locked: {was.sha256}", f"now:    {pin.sha256}"],
                do="ask its publisher, for a published version should never change; "
                "if they confirm it, say `--allow-replaced`",
            )


def _older(version: str, than: str) -> bool:
    """Compare agent versions, which are numbers with dots (and a dash before an rpm's release)."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.replace("-", ".").split("."))


def _moves(previous: Lock, pins: Sequence[Pin]) -> tuple[Move, ...]:
    before = {pin.place: pin for pin in previous.pins}
    after = {pin.place: pin for pin in pins}
    moves = [
        Move(place=place, what="gone", was=pin.facts.version, now="")
        for place, pin in before.items()
        if place not in after
    ]
    for place, pin in after.items():
        was = before.get(place)
        if was is None:
            moves.append(Move(place=place, what="new-package", was="", now=pin.facts.version))
        elif was.facts.version != pin.facts.version:
            moves.append(Move(place=place, what="version", was=was.facts.version, now=pin.facts.version))
        elif was.sha256 != pin.sha256:
            moves.append(Move(place=place, what="bytes", was=was.sha256, now=pin.sha256))
    return tuple(moves)


def keep_time(fresh: Lock, previous: Lock) -> Lock:
    """The fresh lock, under the previous one's time where nothing else differs.

    So that taking a lock again with nothing moved leaves the file as it was.
    """
    same = replace(fresh, taken=previous.taken)
    return same if same == previous else fresh
