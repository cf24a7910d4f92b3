"""Where a package was found, and what is already known of it."""

from __future__ import annotations

from dataclasses import dataclass

from bundler.model.artifact import Artifact
from bundler.model.evidence import Evidence
from bundler.model.lock import RepositoryState


@dataclass(frozen=True)
class Located:
    """A package at an address, before its own bytes are fetched."""

    artifact: Artifact
    url: str
    filename: str
    hosts: tuple[str, ...]
    version: str | None = None
    """From signed metadata; None where only the package itself can tell."""
    size: int | None = None
    sha256: str | None = None
    evidence: Evidence | None = None
    """The believed repository chain, its documents in the store; None for a bare address."""
    repository: RepositoryState | None = None
