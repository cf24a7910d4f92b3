"""Verifies a package by the signed metadata of its apt repository.

apt-secure(8):

1. ``InRelease`` is signed by a pinned key.
2. ``Packages`` has the digest that ``InRelease`` lists.
3. The package has the digest that ``Packages`` lists.

The chain takes bytes and does no I/O. It refuses documents in another order.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from bundler.errors import VerificationError
from bundler.formats import apt_release, deb_version
from bundler.formats.apt_release import IndexFile, Release
from bundler.formats.compressed import compression_of, open_decompressed
from bundler.formats.deb822 import Paragraph, paragraphs
from bundler.formats.parse_error import ParseError
from bundler.formats.repodata import is_inside
from bundler.model.anchor import Anchors
from bundler.model.evidence import Document, Evidence, PackageFacts
from bundler.model.lock import RepositoryState
from bundler.trust import openpgp, repository
from bundler.trust.advice import as_verification_error
from bundler.trust.openpgp import Signed
from bundler.trust.repository import NotOffered, Reverified, WrongOrder, require_step

MAX_RELEASE = 4 << 20
"""Bytes of an ``InRelease``; the biggest real ones have less than one million."""
MAX_INDEX = 64 << 20
"""Bytes of a ``Packages`` as it is served; Debian's own, with 60 000 packages, has 9 million."""
MAX_OPEN_INDEX = 512 << 20
"""Bytes of an unpacked ``Packages``, whatever ``InRelease`` says; Debian's own has 50 million."""

_SUFFIXES = (".xz", ".gz", ".zst", "")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*")


@dataclass(frozen=True)
class AptPackage:
    """A package as signed metadata describes it."""

    name: str
    version: str
    architecture: str
    path: str
    """Below the repository's base."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class _Index:
    """A verified index, unpacked each time it is read."""

    role: str
    content: bytes
    limit: int
    """Bytes that it may unpack to."""


class AptChain:
    """One repository's chain for one suite, component and architecture.

    Call :meth:`release`, :meth:`index`, then :meth:`packages`; any other order raises :class:`WrongOrder`.
    """

    def __init__(self, anchors: Anchors, *, suite: str, component: str, architecture: str) -> None:
        self._anchors = anchors
        self._suite = suite
        self._component = component
        self._architecture = architecture
        self._signed: Signed | None = None
        self._release: Release | None = None
        self._index: _Index | None = None

    def release(
        self,
        inrelease: bytes,
        at: datetime,
        *,
        older: RepositoryState | None = None,
        allow_older: bool = False,
        fresh: bool = True,
    ) -> Release:
        """Verify ``InRelease``: signature, suite, component, architecture and age.

        Args:
            inrelease: the document.
            at: time of verification, with zone.
            older: the last verified state, behind which the repository must not go back.
            allow_older: accept an older state all the same.
            fresh: also require that ``Valid-Until`` has not passed.

        Raises:
            VerificationError: reasons of :mod:`bundler.trust.openpgp` and ``malformed``, ``wrong-suite``,
                ``not-listed``, ``future-metadata``, ``expired-metadata``, ``rollback``.
        """
        if self._release is not None:
            raise WrongOrder("the chain has its InRelease already")
        # apt refuses text around the signed block, too.
        signed = openpgp.verify_clearsigned(inrelease, anchors=self._anchors, at=at, what="InRelease", alone=True)
        with as_verification_error("InRelease"):
            release = apt_release.parse(signed.content)
        self._check_suite(release)
        if fresh:
            _check_validity(release, at)
        repository.check_age(release.date, at, older, allow_older=allow_older, what="InRelease")
        self._check_offer(release)
        self._signed, self._release = signed, release
        return release

    def indexes(self) -> tuple[IndexFile, ...]:
        """The files of the index in a readable compression, the smallest first. Raises as :meth:`release`."""
        release = self._verified_release()
        listed = (release.files.get(f"{self._index_path()}{suffix}") for suffix in _SUFFIXES)
        found = sorted((entry for entry in listed if entry is not None), key=lambda entry: entry.size)
        if not found:
            where = f"{self._component} for {self._architecture}"
            raise NotOffered(f"InRelease lists no readable index of {where}")
        return tuple(found)

    def index(self, path: str, content: bytes) -> None:
        """Verify the index at ``path`` (one of :meth:`indexes`) by the size and digest in the ``Release``.

        Raises:
            VerificationError: ``not-listed``, ``digest-mismatch`` or ``too-big``.
        """
        if self._index is not None:
            raise WrongOrder("the chain has its index already")
        entry = next((entry for entry in self.indexes() if entry.path == path), None)
        if entry is None:
            raise VerificationError(f"InRelease does not list {path}", reason="not-listed")
        repository.check_digest(content, size=entry.size, sha256=entry.sha256, what=path)
        self._index = _Index(PurePosixPath(path).name, content, self._open_limit(path))

    def packages(self, name: str) -> tuple[AptPackage, ...]:
        """Every version of the package ``name`` for the architecture (or for all), in the order of the index.

        Raises:
            VerificationError: ``malformed``, ``too-big`` for an index that unpacks to too much, ``duplicate`` for a
                version listed twice, ``unsafe-path`` for a path outside of the repository.
        """
        index = self._verified_index()
        with as_verification_error(index.role):
            stream = open_decompressed(io.BytesIO(index.content), compression_of(index.role) or "", limit=index.limit)
            found = [_package(stanza) for stanza in paragraphs(stream) if stanza.get("Package") == name]
            return repository.unique(
                (one for one in found if one.architecture in {self._architecture, "all"}), "the index"
            )

    def evidence(self, documents: Sequence[Document]) -> Evidence:
        """The chain as evidence, once it has its index; ``documents`` describe what it was given."""
        self._verified_index()
        return openpgp.evidence("apt-repository", self._signed or require_step("InRelease"), self._anchors, documents)

    def _check_suite(self, release: Release) -> None:
        if self._suite not in {release.suite, release.codename}:
            raise VerificationError(
                f"InRelease is of another suite: {release.codename or release.suite}, not {self._suite}",
                reason="wrong-suite",
                do="check the base address and the suite; a mirror may have mixed them up",
            )

    def _check_offer(self, release: Release) -> None:
        """Raise :class:`NotOffered` for a component or an architecture that the repository does not list."""
        listed = ((self._component, release.components), (self._architecture, release.architectures))
        for wanted, present in listed:
            # Components of a suite like "stable/updates" are written with that prefix by some repositories.
            if wanted not in {word.rpartition("/")[2] for word in present}:
                raise NotOffered(f"InRelease does not list {wanted}, but {', '.join(present) or 'nothing'}")

    def _index_path(self) -> str:
        return f"{self._component}/binary-{self._architecture}/Packages"

    def _open_limit(self, path: str) -> int:
        listed = self._verified_release().files.get(self._index_path())
        if listed and listed.size > MAX_OPEN_INDEX:
            raise VerificationError(
                f"{path} unpacks to {listed.size} bytes, more than any real index", reason="too-big"
            )
        return listed.size if listed else MAX_OPEN_INDEX

    def _verified_release(self) -> Release:
        return self._release or require_step("InRelease")

    def _verified_index(self) -> _Index:
        self._verified_release()
        return self._index or require_step("index")


def reverify(
    documents: Mapping[str, bytes],
    evidence: Evidence,
    *,
    facts: PackageFacts,
    sha256: str,
    size: int,
    anchors: Anchors,
    at: datetime,
) -> Reverified:
    """Verify a package again, offline, by the stored documents of its chain.

    ``Valid-Until`` is not checked again: metadata that has expired since still proves what it listed then.

    Args:
        documents: bytes by role; they must be those of ``evidence``.
        evidence: of the first verification.
        facts: what the package says of itself; the index must list it with this digest.
        sha256: of the package.
        size: of the package, in bytes.
        anchors: trust anchors.
        at: time of verification, with zone.

    Raises:
        VerificationError: as :class:`AptChain`, and ``missing-document``.
    """
    inrelease, index = repository.stored_documents(documents, evidence, 2)
    base, suite, path = _places(*(document.url for document in evidence.documents))
    component, _, rest = path.rpartition("/binary-")
    chain = AptChain(anchors, suite=suite, component=component, architecture=rest.partition("/")[0])
    release = chain.release(inrelease, at, fresh=False)
    chain.index(path, index)
    repository.require_listed(chain.packages(facts.name), facts, sha256=sha256, size=size)
    state = RepositoryState(origin=state_origin(base, suite), date=release.date)
    return Reverified(chain.evidence(evidence.documents), state)


def state_origin(base: str, suite: str) -> str:
    """The ``origin`` of the :class:`RepositoryState` of the repository at ``base``."""
    return f"{base} {suite}"


def _places(inrelease: str, index: str) -> tuple[str, str, str]:
    """The repository's base, the suite, and the index's path below it, from the addresses of the two documents."""
    match = re.fullmatch(r"(?P<top>(?P<base>.+?)/dists/(?P<suite>.+)/)InRelease", inrelease)
    if match is None or not index.startswith(match["top"]):
        raise VerificationError(
            "the addresses of the chain's documents are of different repositories", reason="missing-document"
        )
    return match["base"], match["suite"], index.removeprefix(match["top"])


def _check_validity(release: Release, at: datetime) -> None:
    if release.valid_until is not None and release.valid_until < at:
        raise VerificationError(
            f"InRelease was valid until {release.valid_until:%Y-%m-%d %H:%M} UTC",
            reason="expired-metadata",
            do="ask the operator of the repository or mirror why it is not updated: old metadata may be replayed",
        )


def _package(stanza: Paragraph) -> AptPackage:
    size = stanza.get("Size", "")
    if not re.fullmatch(r"[0-9]{1,15}", size):
        raise ParseError("a stanza's Size is not a number")
    package = AptPackage(
        name=stanza.get("Package", ""),
        version=stanza.get("Version", ""),
        architecture=stanza.get("Architecture", ""),
        path=stanza.get("Filename", "").removeprefix("./"),
        size=int(size),
        sha256=stanza.get("SHA256", ""),
    )
    if not _SHA256.fullmatch(package.sha256):
        raise ParseError(f"a stanza of {package.name} has no SHA256", reason="weak-digest")
    if not deb_version.is_version(package.version) or not _WORD.fullmatch(package.architecture):
        raise ParseError(f"a stanza of {package.name} has an invalid version or architecture")
    if not is_inside(package.path):
        raise ParseError(f"a stanza of {package.name} leaves the repository: {package.path!r}", reason="unsafe-path")
    return package
