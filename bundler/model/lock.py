"""The pins, and when they were taken."""

from __future__ import annotations

from bundler.model.artifact import PackageKind
from bundler.model.evidence import Document, Evidence, PackageFacts
from bundler.model.frozen import Moment, frozen
from bundler.model.target import Target

LOCK_SCHEMA = "arc-bundler/lock/1"
LOCK_FORMER_KEYS = frozenset({"taken"})
"""Keys of the form that was written before 0.2.0, under the same schema number."""


@frozen
class RepositoryState:
    """How new a repository's signed metadata is, so that a step back is seen."""

    origin: str
    """The repository's base address, with its suite."""
    date: Moment
    """``Date`` of an apt ``Release``; the newest ``timestamp`` in a ``repomd.xml``. UTC."""


@frozen
class Pin:
    """An artifact resolved to exact bytes that were believed."""

    name: str
    kind: PackageKind
    place: str
    targets: tuple[Target, ...]
    filename: str
    """Name below ``payload/<place>/``."""
    url: str
    """Where it was asked for; ``file:`` for a file the admin had."""
    redirects: tuple[str, ...] = ()
    """Every address after ``url`` on the way; the last one served the bytes."""
    size: int
    """Bytes."""
    sha256: str
    facts: PackageFacts
    evidence: tuple[Evidence, ...]
    repository: RepositoryState | None = None

    @property
    def path(self) -> str:
        """Path inside the bundle."""
        return f"payload/{self.place}/{self.filename}"

    @property
    def documents(self) -> tuple[Document, ...]:
        """The repository documents that the verdict rests on."""
        return tuple(document for evidence in self.evidence for document in evidence.documents)


@frozen
class Lock:
    """What ``lock`` writes and ``build --locked`` obeys."""

    schema: str = LOCK_SCHEMA
    name: str
    version: str
    """The bundle's version, with date, agent version and variables filled in."""
    created: Moment
    """UTC, whole seconds: the one time that a build from this lock knows."""
    definition: str
    """SHA-256 over the definition's meaning (not its comments): tells when the two no longer fit."""
    anchors: str
    """Name of the anchors that the pins were judged by."""
    anchors_sha256: str
    pins: tuple[Pin, ...]
