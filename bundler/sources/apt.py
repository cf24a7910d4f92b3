"""Finds a package in an apt repository."""

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
from bundler.sources.absence import naming_missing_repository, naming_offer
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
    """Find the package that ``artifact`` requests in its apt repository, from signed metadata.

    Args:
        artifact: the request; its origin is an apt repository.
        fetch: fetches a document into the store.
        anchors: trust anchors for the metadata's signature.
        at: time to verify for.
        states: repository states of the previous lock by ``origin``; an older one is a rollback.
        allow_older: accept a rollback.

    Raises:
        VerificationError: the metadata does not verify, or is older.
        UpstreamError: the repository has no such package, or a document cannot be fetched.
    """
    if not isinstance(artifact.origin, AptOrigin):
        raise TypeError(f"{artifact.name} does not come from an apt repository")
    origin = artifact.origin
    place = repository.Repository(origin.base, fetch, artifact.place)
    top = f"dists/{origin.suite}"
    chain = AptChain(anchors, suite=origin.suite, component=origin.component, architecture=artifact.architecture)
    with naming_missing_repository(artifact, origin.base, anchors):
        inrelease = place.get(f"{top}/InRelease", "InRelease", max_size=MAX_RELEASE)
    state = state_origin(origin.base, origin.suite)
    older = (states or {}).get(state)
    with naming_offer(artifact, origin.base, anchors):
        release = chain.release(inrelease.path.read_bytes(), at, older=older, allow_older=allow_older)
        entry = chain.indexes()[0]
    index = _index(place, top, entry, by_hash=release.by_hash)
    chain.index(entry.path, index.path.read_bytes())
    package = place.choose(chain.packages(origin.package), artifact, deb_version.key, anchors)
    evidence = chain.evidence(
        [
            place.document("InRelease", f"{top}/InRelease", inrelease),
            place.document(PurePosixPath(entry.path).name, f"{top}/{entry.path}", index),
        ]
    )
    return place.located(artifact, package, evidence, RepositoryState(origin=state, date=release.date))


def _index(place: repository.Repository, top: str, entry: IndexFile, *, by_hash: bool) -> Download:
    """Fetch the index by its digest where the repository offers that: its name may serve a newer one already."""
    name = PurePosixPath(entry.path).name
    plain = f"{top}/{entry.path}"
    if by_hash:
        folder = plain.rpartition("/")[0]
        try:
            return place.get(f"{folder}/by-hash/SHA256/{entry.sha256}", name, max_size=MAX_INDEX, promised=entry)
        except UpstreamError:
            pass  # mirrors often lack these names; the plain one is verified all the same
    return place.get(plain, name, max_size=MAX_INDEX, promised=entry)
