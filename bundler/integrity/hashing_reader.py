"""What are the files of a bundle? One reading of each: all are hashed, and the documents are held for what follows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from bundler.integrity import sums
from bundler.integrity.findings import Finding, from_findings

EVIDENCE = "evidence/"
MAX_DOCUMENT = 64 << 20
"""Bytes of one document of evidence: a repository's index has a few million."""
MAX_DOCUMENTS = 256 << 20
"""Bytes of all documents, which are held in memory."""

Sink = Callable[[str], IO[bytes] | None]
"""Asked for every file that is no document whether its content is wanted; gives the file to write it to."""


class Member(Protocol):
    """One file of a bundle that is being read."""

    @property
    def path(self) -> str:
        """From the bundle's root, with ``/``."""

    @property
    def top(self) -> str | None:
        """The folder that the bundle is in; None where that may be called anything."""

    @property
    def size(self) -> int:
        """Bytes, as the container declares."""

    @property
    def mode(self) -> int | None:
        """Permission bits; None where the container keeps none that mean anything."""

    def chunks(self) -> Iterator[bytes]:
        """The content, once."""


@dataclass(frozen=True)
class HashedFile:
    """One file that was read."""

    path: str
    top: str | None
    size: int
    mode: int | None
    sha256: str


class HashingReader:
    """Hashes what passes, and holds the documents."""

    def __init__(self, sink_for: Sink) -> None:
        self._sink_for = sink_for
        self._held = 0
        self.documents: dict[str, bytes] = {}
        """The files below ``evidence/``, and those that nothing lists, by path."""

    def read(self, member: Member) -> HashedFile:
        """Read ``member``. Raises :class:`~bundler.errors.VerificationError`, ``document-too-large``."""
        digest = hashlib.sha256()
        size = 0
        for chunk in self._kept(member):
            digest.update(chunk)
            size += len(chunk)
        return HashedFile(member.path, member.top, size, member.mode, digest.hexdigest())

    def _kept(self, member: Member) -> Iterator[bytes]:
        """The chunks of ``member``, each passed on to where it is held."""
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
            if size > MAX_DOCUMENT or self._held > MAX_DOCUMENTS:
                raise from_findings(
                    [Finding("document-too-large", f"{member.path!a} is larger than any such document")]
                )
            parts.append(chunk)
            yield chunk
        self.documents[member.path] = b"".join(parts)
