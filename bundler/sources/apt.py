"""Where in an apt repository is the wanted package?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from bundler.errors import UpstreamError
from bundler.fetch.request import Fetch, Received, Request
from bundler.formats import deb_version
from bundler.formats.apt_release import IndexFile, Release
from bundler.model.anchor import Anchors
from bundler.model.artifact import AptOrigin, Artifact
from bundler.model.lock import RepositoryState
from bundler.sources import repository
from bundler.sources.located import Located
from bundler.trust.apt_chain import MAX_INDEX, MAX_RELEASE, AptChain


@dataclass(frozen=True)
class _Place:
    """One repository, and how to ask it."""

    origin: AptOrigin
    fetch: Fetch
    label: str

    @property
    def top(self) -> str:
        return f"{self.origin.base}/dists/{self.origin.suite}"

    def get(self, url: str, name: str, *, max_size: int, expected: IndexFile | None = None) -> Received:
        return self.fetch(
            Request(
                url=url,
                label=f"{name} of {self.label}",
                hosts=(repository.host(self.origin.base),),
                max_size=max_size,
                size=expected.size if expected else None,
                sha256=expected.sha256 if expected else None,
            )
        )


def state_origin(origin: AptOrigin) -> str:
    """The ``origin`` of this repository's :class:`RepositoryState`."""
    return f"{origin.base} {origin.suite}"


def locate(
    artifact: Artifact,
    fetch: Fetch,
    *,
    anchors: Anchors,
    at: datetime,
    states: Mapping[str, RepositoryState] | None = None,
    allow_older: bool = False,
) -> Located:
    """Find the package that ``artifact`` wants in its apt repository, by signed metadata alone.

    ``at`` is the time of judging; ``states`` are the repository states believed before, by their ``origin``, behind
    which nothing steps unless ``allow_older``. Raises :class:`NotBelieved` as :class:`AptChain`, what ``fetch``
    raises, and :class:`UpstreamError` where the repository has no such package.
    """
    if not isinstance(artifact.origin, AptOrigin):
        raise TypeError(f"{artifact.name} does not come from an apt repository")
    place = _Place(artifact.origin, fetch, artifact.place)
    chain = AptChain(
        anchors,
        suite=place.origin.suite,
        component=place.origin.component,
        architecture=artifact.architecture,
    )
    inrelease = place.get(f"{place.top}/InRelease", "InRelease", max_size=MAX_RELEASE)
    state = state_origin(place.origin)
    older = (states or {}).get(state)
    release = chain.release(inrelease.path.read_bytes(), at, older=older, allow_older=allow_older)
    entry = chain.indexes()[0]
    index = _index(place, release, entry)
    chain.index(entry.path, index.path.read_bytes())
    package = repository.choose(chain.packages(place.origin.package), artifact, deb_version.key)
    return Located(
        artifact=artifact,
        url=f"{place.origin.base}/{package.path}",
        filename=PurePosixPath(package.path).name,
        hosts=(repository.host(place.origin.base),),
        version=package.version,
        size=package.size,
        sha256=package.sha256,
        evidence=chain.evidence(
            [
                repository.document("InRelease", f"{place.top}/InRelease", inrelease),
                repository.document(PurePosixPath(entry.path).name, f"{place.top}/{entry.path}", index),
            ]
        ),
        repository=RepositoryState(origin=state, date=release.date),
    )


def _index(place: _Place, release: Release, entry: IndexFile) -> Received:
    """Fetch the index, by its digest where the repository offers that: its name may hold a newer one already."""
    name = PurePosixPath(entry.path).name
    plain = f"{place.top}/{entry.path}"
    if release.by_hash:
        folder = plain.rpartition("/")[0]
        try:
            return place.get(f"{folder}/by-hash/SHA256/{entry.sha256}", name, max_size=MAX_INDEX, expected=entry)
        except UpstreamError:
            pass  # mirrors often lack these names; the plain one is judged just the same
    return place.get(plain, name, max_size=MAX_INDEX, expected=entry)
