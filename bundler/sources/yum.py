"""Finds a package in a yum repository."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath

from bundler.fetch.request import Fetch
from bundler.formats import rpm_version
from bundler.formats.repodata import Data
from bundler.model.anchor import Anchors
from bundler.model.artifact import Artifact, YumOrigin
from bundler.model.lock import RepositoryState
from bundler.sources import repository
from bundler.sources.absence import naming_missing_repository
from bundler.sources.location import Located
from bundler.trust.yum_chain import MAX_PRIMARY, MAX_REPOMD, MAX_SIGNATURE, REPOMD, YumChain


def locate(
    artifact: Artifact,
    fetch: Fetch,
    *,
    anchors: Anchors,
    at: datetime,
    states: Mapping[str, RepositoryState] | None = None,
    allow_older: bool = False,
) -> Located:
    """Find the package that ``artifact`` requests in its yum repository, from signed metadata.

    Args:
        artifact: the request; its origin is a yum repository.
        fetch: fetches a document into the store.
        anchors: trust anchors for the metadata's signature.
        at: time to verify for.
        states: repository states of the previous lock by ``origin`` (the base address); an older one is a rollback.
        allow_older: accept a rollback.

    Raises:
        VerificationError: the metadata does not verify, or is older.
        UpstreamError: the repository has no such package, or a document cannot be fetched.
    """
    if not isinstance(artifact.origin, YumOrigin):
        raise TypeError(f"{artifact.name} does not come from a yum repository")
    base = artifact.origin.base
    place = repository.Repository(base, fetch, artifact.place)
    chain = YumChain(anchors)
    with naming_missing_repository(artifact, base, anchors):
        document = place.get(REPOMD, "repomd.xml", max_size=MAX_REPOMD)
    signature = place.get(f"{REPOMD}.asc", "repomd.xml.asc", max_size=MAX_SIGNATURE)
    repomd = chain.repomd(
        document.path.read_bytes(),
        signature.path.read_bytes(),
        at,
        older=(states or {}).get(base),
        allow_older=allow_older,
    )
    primary = place.get(repomd.primary.path, "primary.xml", max_size=MAX_PRIMARY, promised=repomd.primary)
    chain.primary(primary.path.read_bytes())
    listed = chain.packages(artifact.origin.package, artifact.architecture)
    package = place.choose(listed, artifact, rpm_version.key, anchors)
    evidence = chain.evidence(
        [
            place.document("repomd.xml", REPOMD, document),
            place.document("repomd.xml.asc", f"{REPOMD}.asc", signature),
            place.document(f"primary.xml{_suffix(repomd.primary)}", repomd.primary.path, primary),
        ]
    )
    return place.located(artifact, package, evidence, RepositoryState(origin=base, date=repomd.date))


def _suffix(data: Data) -> str:
    """``.gz``, ``.xz``, ``.zst`` or nothing: the role's name is without the digest of the file's name."""
    suffix = PurePosixPath(data.path).suffix
    return "" if suffix == ".xml" else suffix
