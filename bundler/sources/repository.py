"""Shared steps of apt and yum repositories: fetching documents, and choosing a package."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from bundler.errors import NotThereError, UpstreamError
from bundler.fetch.request import Download, Fetch, Request
from bundler.fetch.request_info import redact_url
from bundler.model.anchor import Anchors
from bundler.model.artifact import Artifact
from bundler.model.evidence import Document, Evidence
from bundler.model.lock import RepositoryState
from bundler.sources.absence import not_there
from bundler.sources.location import Located
from bundler.trust.repository import Listed

_LOG = logging.getLogger(__name__)

_SHOWN = 12


class Promised(Protocol):
    """A document as signed metadata describes it."""

    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...


_Package = TypeVar("_Package", bound=Listed)


@dataclass(frozen=True)
class Repository:
    """One repository, and how to fetch from it."""

    base: str
    """Its address, without a slash at its end."""
    fetch: Fetch
    label: str
    """What is fetched from it, for messages."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The only host (``name`` or ``name:port``) that may serve its files: its own."""
        return (urlsplit(self.base).netloc.rpartition("@")[2],)

    def get(self, path: str, name: str, *, max_size: int, promised: Promised | None = None) -> Download:
        """Fetch the document at ``path`` below the base; ``name`` is for messages, ``max_size`` in bytes."""
        request = Request(
            url=f"{self.base}/{path}",
            label=f"{name} of {self.label}",
            hosts=self.hosts,
            max_size=max_size,
            size=promised.size if promised else None,
            sha256=promised.sha256 if promised else None,
        )
        try:
            return self.fetch(request)
        except NotThereError as error:
            if promised is None:
                raise
            raise _incomplete(error) from error

    def document(self, role: str, path: str, received: Download) -> Document:
        """Describe a fetched document; ``path`` is its path in the repository."""
        return Document(role=role, url=f"{self.base}/{path}", sha256=received.sha256, size=received.size)

    def located(self, artifact: Artifact, package: Listed, evidence: Evidence, state: RepositoryState) -> Located:
        """The location of ``package``, which the verified chain ``evidence`` lists for ``artifact``."""
        return Located(
            artifact=artifact,
            url=f"{self.base}/{package.path}",
            filename=PurePosixPath(package.path).name,
            hosts=self.hosts,
            version=package.version,
            size=package.size,
            sha256=package.sha256,
            evidence=evidence,
            repository=state,
        )

    def choose(
        self,
        packages: Iterable[_Package],
        artifact: Artifact,
        order: Callable[[str], object],
        anchors: Anchors,
    ) -> _Package:
        """The newest package that ``artifact`` accepts.

        Args:
            packages: as the repository lists them.
            artifact: the request.
            order: sort key of a version, of the package's family.
            anchors: tell who the publisher is, for messages.

        Raises:
            NotThereError: there is none; it names the versions that exist.
        """
        listed = sorted(packages, key=lambda package: order(package.version), reverse=True)  # type: ignore[arg-type,return-value]
        for package in listed:
            if artifact.accepts(package.version):
                _LOG.debug("%s: %s, of %d listed", artifact.place, package.version, len(listed))
                return package
        where = f"the repository {redact_url(self.base)}"
        if not listed:
            raise not_there(artifact, self.base, f"{where} has none for {artifact.architecture}", anchors)
        versions = list(dict.fromkeys(package.version for package in listed))
        more = (f"and {len(versions) - _SHOWN} older ones",) if len(versions) > _SHOWN else ()
        raise not_there(
            artifact,
            self.base,
            f"{where} has no version {artifact.version} for {artifact.architecture}",
            anchors,
            details=("It has:", *versions[:_SHOWN], *more),
            do="request one of these, or latest",
        )


def _incomplete(error: NotThereError) -> UpstreamError:
    """The error for a document that signed metadata list, and that is not there."""
    return UpstreamError(
        f"{error.what}, although its signed metadata list it",
        details=error.details,
        do="run the same command again later: a repository or a mirror can be incomplete while it is updated; "
        "if it stays so, tell its operator",
    )
