"""Resolves artifacts to pins: finds, fetches and verifies the packages that upstream has now."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bundler.errors import VerificationError, about
from bundler.fetch.download import Downloader
from bundler.fetch.request import Download
from bundler.flow import package_kinds, verify_package
from bundler.flow.lock_keep import file_url
from bundler.flow.lock_receive import Receiving, request_for
from bundler.flow.lock_search import Search
from bundler.flow.project import Project
from bundler.model.artifact import Artifact
from bundler.model.lock import Lock, Pin
from bundler.sources.location import Located

_LOG = logging.getLogger(__name__)


def pins(
    artifacts: Sequence[Artifact],
    project: Project,
    downloader: Downloader,
    *,
    at: datetime,
    previous: Lock | None,
    allow_older: bool,
) -> tuple[Pin, ...]:
    """Find, fetch, verify and pin each of ``artifacts``; nothing is pinned that was not verified.

    Args:
        artifacts: What to ask upstream for.
        project: The loaded definition.
        downloader: Fetches metadata and packages.
        at: Time of asking; signatures are verified for it.
        previous: The lock to replace, as a floor for the repositories' dates.
        allow_older: Accept an older state of a repository.

    Raises:
        UpstreamError: a package cannot be found or fetched.
        VerificationError: a package or its metadata cannot be verified.

    """
    states = {pin.repository.origin: pin.repository for pin in previous.pins if pin.repository} if previous else {}
    search = Search(project, at, states, allow_older)
    _LOG.debug("resolving %d artifacts", len(artifacts))
    located = downloader.together([partial(search.locate, artifact) for artifact in artifacts])
    wanted = [request_for(found, search.largest) for found in located]
    receiving = Receiving(search, dict(zip(wanted, located, strict=True)), partial(_as_listed, project, at))
    received = downloader.fetch_all(wanted, receiving.recover)
    return tuple(
        _pin(project, receiving.located[request], held, at) for request, held in zip(wanted, received, strict=True)
    )


def _as_listed(project: Project, at: datetime, found: Located, held: Download) -> package_kinds.VerifiedPackage:
    """Verify a package by its own signature, and that it is the version that its repository lists."""
    verified = _verified(project, found.artifact, held, at)
    verify_package.require_requested(verified.facts, found.artifact, project.anchors, product=project.product)
    if verified.facts.version != found.version:
        raise VerificationError(
            f"the package is version {verified.facts.version}; the index lists {found.version}", reason="wrong-version"
        )
    return verified


def _pin(project: Project, found: Located, held: Download, at: datetime) -> Pin:
    artifact = found.artifact
    with about(artifact.place, details=[f"it came from {found.url}"]):
        verified = _verified(project, artifact, held, at)
        verify_package.require_requested(verified.facts, artifact, project.anchors, product=project.product)
    evidence = (*verified.evidence, *([found.evidence] if found.evidence else []))
    url = file_url(artifact.origin) if artifact.origin.kind == "file" else held.url
    return Pin(
        name=artifact.name,
        kind=artifact.kind,
        place=artifact.place,
        targets=artifact.targets,
        filename=found.filename,
        url=url,
        redirects=held.redirects,
        size=held.size,
        sha256=held.sha256,
        facts=verified.facts,
        evidence=evidence,
        repository=found.repository,
        asked=at,
    )


def _verified(project: Project, artifact: Artifact, held: Download, at: datetime) -> package_kinds.VerifiedPackage:
    """Verify a downloaded package; of an unsigned one its SHA-256 is what the definition gives."""
    if artifact.kind == "unsigned":
        return package_kinds.admin_pin(
            artifact.name, artifact.version, artifact.architecture, held.sha256, project.anchors
        )
    archive = project.product.archive_rules(artifact.name) if artifact.kind == "zip" else None
    with held.path.open("rb") as package:
        return package_kinds.verify_package(package, artifact.kind, anchors=project.anchors, at=at, archive=archive)
