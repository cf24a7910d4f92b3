"""Reads the files of a bundle in one pass: hashes all, and keeps the documents for later checks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from bundler.integrity import sums
from bundler.integrity.findings import Finding, from_findings

EVIDENCE = "evidence/"
MAX_DOCUMENT = 64 << 20
"""Bytes of one document; a repository's index has a few million."""
MAX_DOCUMENTS = 256 << 20
"""Bytes of all documents together, which are kept in memory."""

MAX_SEAL = 1 << 20
"""Bytes of one seal or approval; with a chain of certificates it has a hundredth of that."""

Sink = Callable[[str], IO[bytes] | None]
"""Called with the path of every file that is not a document; returns the file to copy it to, or None."""


class Member(Protocol):
    """One file of a bundle, before it is read."""

    @property
    def path(self) -> str:
        """From the bundle's root, with ``/``."""

    @property
    def top(self) -> str | None:
        """The folder that holds the bundle; None where its name does not matter."""

    @property
    def size(self) -> int:
        """Bytes, by the container's headers."""

    @property
    def mode(self) -> int | None:
        """Permission bits; None where the container has none that mean anything."""

    @property
    def time(self) -> int | None:
        """Modification time in seconds since 1970, as the container has it; None where it does not matter."""

    @property
    def time_step(self) -> int:
        """Seconds in which the container counts time."""

    def chunks(self) -> Iterator[bytes]:
        """The content, once."""


@dataclass(frozen=True)
class HashedFile:
    """One file after reading."""

    path: str
    top: str | None
    size: int
    mode: int | None
    sha256: str
    time: int | None
    time_step: int


def _limit(path: str) -> int:
    """Bytes that the document at ``path`` may have."""
    return MAX_SEAL if sums.is_seal(path) else MAX_DOCUMENT


class HashingReader:
    """Hashes files and keeps the documents."""

    def __init__(self, sink_for: Sink) -> None:
        self._sink_for = sink_for
        self._held = 0
        self.documents: dict[str, bytes] = {}
        """The files below ``evidence/``, and those that the manifest does not list, by path."""

    def read(self, member: Member) -> HashedFile:
        """Read ``member``. Raises :class:`~bundler.errors.VerificationError`, ``document-too-large``."""
        digest = hashlib.sha256()
        size = 0
        for chunk in self._kept(member):
            digest.update(chunk)
            size += len(chunk)
        return HashedFile(
            path=member.path,
            top=member.top,
            size=size,
            mode=member.mode,
            sha256=digest.hexdigest(),
            time=member.time,
            time_step=member.time_step,
        )

    def _kept(self, member: Member) -> Iterator[bytes]:
        """The chunks of ``member``, each also written to its document or sink."""
        if member.path.startswith(EVIDENCE) or not sums.is_listed(member.path):
            yield from self._hold(member)
            return
        sink = self._sink_for(member.path)
        for chunk in member.chunks():
            if sink is not None:
                sink.write(chunk)
            yield chunk

    def _hold(self, member: Member) -> Iterator[bytes]:
        parts = []
        size = 0
        for chunk in member.chunks():
            size += len(chunk)
            self._held += len(chunk)
            if size > _limit(member.path) or self._held > MAX_DOCUMENTS:
                raise from_findings([Finding("document-too-large", f"{member.path!a} is too large for a document")])
            parts.append(chunk)
            yield chunk
        self.documents[member.path] = b"".join(parts)
