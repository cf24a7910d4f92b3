"""Where in an apt repository is the wanted package?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath

from bundler.errors import UpstreamError
from bundler.fetch.request import Download, Fetch
from bundler.formats import deb_version
from bundler.formats.apt_release import IndexFile
from bundler.model.anchor import Anchors
from bundler.model.artifact import AptOrigin, Artifact
from bundler.model.lock import RepositoryState
from bundler.sources import repository
from bundler.sources.location import Located
from bundler.trust.apt_chain import MAX_INDEX, MAX_RELEASE, AptChain, state_origin


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
    which nothing steps unless ``allow_older``. Raises :class:`VerificationError` as :class:`AptChain`, what ``fetch``
    raises, and :class:`UpstreamError` where the repository has no such package.
    """
    if not isinstance(artifact.origin, AptOrigin):
        raise TypeError(f"{artifact.name} does not come from an apt repository")
    origin = artifact.origin
    place = repository.Repository(origin.base, fetch, artifact.place)
    top = f"dists/{origin.suite}"
    chain = AptChain(anchors, suite=origin.suite, component=origin.component, architecture=artifact.architecture)
    inrelease = place.get(f"{top}/InRelease", "InRelease", max_size=MAX_RELEASE)
    state = state_origin(origin.base, origin.suite)
    older = (states or {}).get(state)
    release = chain.release(inrelease.path.read_bytes(), at, older=older, allow_older=allow_older)
    entry = chain.indexes()[0]
    index = _index(place, top, entry, by_hash=release.by_hash)
    chain.index(entry.path, index.path.read_bytes())
    package = repository.choose(chain.packages(origin.package), artifact, deb_version.key)
    evidence = chain.evidence(
        [
            place.document("InRelease", f"{top}/InRelease", inrelease),
            place.document(PurePosixPath(entry.path).name, f"{top}/{entry.path}", index),
        ]
    )
    return place.located(artifact, package, evidence, RepositoryState(origin=state, date=release.date))


def _index(place: repository.Repository, top: str, entry: IndexFile, *, by_hash: bool) -> Download:
    """Fetch the index, by its digest where the repository offers that: its name may hold a newer one already."""
    name = PurePosixPath(entry.path).name
    plain = f"{top}/{entry.path}"
    if by_hash:
        folder = plain.rpartition("/")[0]
        try:
            return place.get(f"{folder}/by-hash/SHA256/{entry.sha256}", name, max_size=MAX_INDEX, promised=entry)
        except UpstreamError:
            pass  # mirrors often lack these names; the plain one is judged just the same
    return place.get(plain, name, max_size=MAX_INDEX, promised=entry)
