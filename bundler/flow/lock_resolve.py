"""Resolves artifacts to pins: finds, fetches and verifies the packages that upstream has now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bundler.errors import about
from bundler.fetch.download import Downloader
from bundler.fetch.request import Download, Fetch, Request
from bundler.flow import package_kinds, verify_package
from bundler.flow.lock_keep import file_url
from bundler.flow.project import Project
from bundler.model.artifact import Artifact
from bundler.model.lock import Lock, Pin, RepositoryState
from bundler.sources import apt, yum
from bundler.sources.location import Located, locate_file, locate_url
from bundler.trust.advice import advising

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

    def locating(artifact: Artifact) -> Callable[[Fetch], Located]:
        return lambda fetch: _Search(project, fetch, at, states, allow_older).locate(artifact)

    _LOG.debug("resolving %d artifacts", len(artifacts))
    located = downloader.together([locating(artifact) for artifact in artifacts])
    received = downloader.fetch_all([_request(found, project.product.largest_package) for found in located])
    return tuple(_pin(project, found, held, at) for found, held in zip(located, received, strict=True))


@dataclass(frozen=True)
class _Search:
    """What every source needs to find an artifact."""

    project: Project
    fetch: Fetch
    at: datetime
    states: Mapping[str, RepositoryState]
    """Repository states of the previous lock, by origin."""
    allow_older: bool

    def locate(self, artifact: Artifact) -> Located:
        kind = artifact.origin.kind
        if kind == "url":
            return locate_url(artifact)
        if kind == "file":
            return locate_file(artifact, self.project.path.parent)
        locate = apt.locate if kind == "apt" else yum.locate
        with advising(self.project.anchors):
            return locate(
                artifact,
                self.fetch,
                anchors=self.project.anchors,
                at=self.at,
                states=self.states,
                allow_older=self.allow_older,
            )


def _request(found: Located, largest: int) -> Request:
    return Request(
        url=found.url,
        label=f"{found.filename} for {found.artifact.place}",
        hosts=found.hosts,
        max_size=found.size or largest,
        size=found.size,
        sha256=found.artifact.sha256 or found.sha256,
    )


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
