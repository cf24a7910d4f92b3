"""The lock: the pins of a definition's packages, and the time when they were resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from bundler.model.artifact import PackageKind
from bundler.model.evidence import Document, Evidence, PackageFacts
from bundler.model.frozen import Moment, frozen
from bundler.model.target import Target

LOCK_SCHEMA = "arc-bundler/lock/2"
LOCK_SCHEMA_1 = "arc-bundler/lock/1"
"""The schema up to 0.3.0, without :attr:`Lock.fields` and :attr:`Pin.asked`; still read."""
LOCK_FORMER_KEYS = frozenset({"taken"})
"""Keys of the form that was written before 0.2.0, under the schema number 1."""


@frozen
class RepositoryState:
    """The age of a repository's signed metadata, to detect a rollback."""

    origin: str
    """The repository's base address, with its suite."""
    date: Moment
    """``Date`` of an apt ``Release``; the newest ``timestamp`` in a ``repomd.xml``. UTC."""


@frozen
class Pin:
    """An artifact resolved to exact, verified bytes."""

    name: str
    kind: PackageKind
    place: str
    targets: tuple[Target, ...]
    filename: str
    """Name below ``payload/<place>/``."""
    url: str
    """The requested address; ``file:`` for a local file."""
    redirects: tuple[str, ...] = ()
    """Every address that ``url`` redirected to; the last one served the bytes."""
    size: int
    """Bytes."""
    sha256: str
    facts: PackageFacts
    evidence: tuple[Evidence, ...]
    repository: RepositoryState | None = None
    asked: Moment | None = None
    """When upstream was last asked for it, as of the lock's last change; UTC. None: unknown (a lock of 0.3.0)."""

    @property
    def path(self) -> str:
        """Path inside the bundle."""
        return f"payload/{self.place}/{self.filename}"

    @property
    def documents(self) -> tuple[Document, ...]:
        """The repository documents of its evidence."""
        return tuple(document for evidence in self.evidence for document in evidence.documents)


@frozen
class Lock:
    """``bundle.lock``: what ``lock`` writes and ``build --locked`` uses."""

    schema: str = LOCK_SCHEMA
    name: str
    version: str
    """The bundle's version, with date, agent version and variables filled in."""
    created: Moment
    """UTC, whole seconds: the only time that a build from this lock uses."""
    definition: str
    """SHA-256 of the definition's canonical form, without comments: detects that the two do not fit any more."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each field of the definition that is not at its default, by dotted name: tells what changed.
    Empty: unknown (a lock of 0.3.0)."""
    anchors: str
    """Name of the trust anchors that the pins were verified with."""
    anchors_sha256: str
    pins: tuple[Pin, ...]
