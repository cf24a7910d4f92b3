"""Where in a yum repository is the wanted package?"""

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
    """Find the package that ``artifact`` wants in its yum repository, by signed metadata alone.

    ``at`` is the time of judging; ``states`` are the repository states believed before, by their ``origin`` (the base
    address), behind which nothing steps unless ``allow_older``. Raises :class:`VerificationError` as :class:`YumChain`,
    what ``fetch`` raises, and :class:`UpstreamError` where the repository has no such package.
    """
    if not isinstance(artifact.origin, YumOrigin):
        raise TypeError(f"{artifact.name} does not come from a yum repository")
    base = artifact.origin.base
    place = repository.Repository(base, fetch, artifact.place)
    chain = YumChain(anchors)
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
    package = repository.choose(
        chain.packages(artifact.origin.package, artifact.architecture), artifact, rpm_version.key
    )
    evidence = chain.evidence(
        [
            place.document("repomd.xml", REPOMD, document),
            place.document("repomd.xml.asc", f"{REPOMD}.asc", signature),
            place.document(f"primary.xml{_suffix(repomd.primary)}", repomd.primary.path, primary),
        ]
    )
    return place.located(artifact, package, evidence, RepositoryState(origin=base, date=repomd.date))


def _suffix(data: Data) -> str:
    """``.gz``, ``.xz``, ``.zst`` or nothing: the name in the chain has no digest before it."""
    suffix = PurePosixPath(data.path).suffix
    return "" if suffix == ".xml" else suffix
