"""Verifies a package by the signed metadata of its yum repository.

rpm-md, and dnf.conf(5) under ``repo_gpgcheck``:

1. ``repomd.xml`` has a detached signature, ``repomd.xml.asc``, by a pinned key.
2. ``primary.xml`` has the digests that ``repomd.xml`` lists, packed and unpacked.
3. The package has the digest that ``primary.xml`` lists.

The chain takes bytes and does no I/O. It refuses documents in another order.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from bundler.errors import VerificationError
from bundler.formats import repodata, rpm_version
from bundler.formats.compressed import compression_of, decompress
from bundler.formats.parse_error import ParseError
from bundler.formats.repodata import Data, Package, Repomd
from bundler.model.anchor import Anchors
from bundler.model.evidence import Document, Evidence, PackageFacts
from bundler.model.lock import RepositoryState
from bundler.trust import openpgp, repository
from bundler.trust.advice import as_verification_error
from bundler.trust.openpgp import Signed
from bundler.trust.repository import Reverified, WrongOrder, require_step

REPOMD = "repodata/repomd.xml"
"""Its path below a repository's base."""
MAX_REPOMD = 4 << 20
"""Bytes of a ``repomd.xml``; real ones have a few thousand."""
MAX_SIGNATURE = 1 << 18
"""Bytes of its signature."""
MAX_PRIMARY = 64 << 20
"""Bytes of a ``primary.xml`` as it is served; Fedora's own has 20 million."""
MAX_OPEN_PRIMARY = 512 << 20
"""Bytes of an unpacked ``primary.xml``, whatever ``repomd.xml`` says; Fedora's own has 180 million."""


@dataclass(frozen=True)
class _Primary:
    """The verified ``primary.xml``, unpacked each time it is read."""

    data: Data
    content: bytes


class YumChain:
    """One repository's chain.

    Call :meth:`repomd`, :meth:`primary`, then :meth:`packages`; any other order raises :class:`WrongOrder`.
    ``repomd.xml`` does not name its distribution: a mirror that mixed up two repositories shows only in the packages.
    """

    def __init__(self, anchors: Anchors) -> None:
        self._anchors = anchors
        self._signed: Signed | None = None
        self._repomd: Repomd | None = None
        self._primary: _Primary | None = None

    def repomd(
        self,
        document: bytes,
        signature: bytes,
        at: datetime,
        *,
        older: RepositoryState | None = None,
        allow_older: bool = False,
    ) -> Repomd:
        """Verify ``repomd.xml``: signature and age.

        Args:
            document: ``repomd.xml``.
            signature: its detached signature.
            at: time of verification, with zone.
            older: the last verified state, behind which the repository must not go back.
            allow_older: accept an older state all the same.

        Raises:
            VerificationError: reasons of :mod:`bundler.trust.openpgp` and of :mod:`bundler.formats.repodata`,
                ``future-metadata``, ``rollback``.
        """
        if self._repomd is not None:
            raise WrongOrder("the chain has its repomd.xml already")
        signed = self._signed_repomd(document, signature, at)
        with as_verification_error("repomd.xml"):
            repomd = repodata.repomd(document)
        repository.check_age(repomd.date, at, older, allow_older=allow_older, what="repomd.xml")
        self._signed, self._repomd = signed, repomd
        return repomd

    def _signed_repomd(self, document: bytes, signature: bytes, at: datetime) -> Signed:
        try:
            return openpgp.verify_detached(
                signature, [document], size=len(document), anchors=self._anchors, at=at, what="repomd.xml"
            )
        except VerificationError as error:
            # Looked at only after a failure: a signed document may have anything behind its end tag.
            if error.reason == "bad-signature" and _is_cut(document):
                raise VerificationError(
                    "repomd.xml ends too early: its end tag is missing", reason="truncated"
                ) from None
            raise

    def primary(self, content: bytes) -> None:
        """Verify ``primary.xml``, packed as it is served, by the sizes and digests in ``repomd.xml``.

        Raises:
            VerificationError: ``digest-mismatch``, ``too-big``, ``unsupported`` or ``malformed``.
        """
        if self._primary is not None:
            raise WrongOrder("the chain has its primary.xml already")
        data = (self._repomd or require_step("repomd.xml")).primary
        repository.check_digest(content, size=data.size, sha256=data.sha256, what=PurePosixPath(data.path).name)
        primary = _Primary(data, content)
        with as_verification_error("primary.xml"):
            _check_unpacked(primary)
        self._primary = primary

    def packages(self, name: str, architecture: str) -> tuple[Package, ...]:
        """Every version of the package ``name`` for ``architecture`` (or for all).

        Raises:
            VerificationError: ``malformed``, ``duplicate`` for a version listed twice, ``unsafe-path`` for a path
                outside of the repository, ``weak-digest``.
        """
        primary = self._primary or require_step("primary.xml")
        with as_verification_error("primary.xml"):
            listed = repodata.packages(_open(primary), name=name)
            found = [package for package in listed if package.architecture in {architecture, "noarch"}]
            return repository.unique(map(_proper, found), "primary.xml")

    def evidence(self, documents: Sequence[Document]) -> Evidence:
        """The chain as evidence, once it has its ``primary.xml``; ``documents`` describe what it was given."""
        if self._primary is None or self._signed is None:
            require_step("primary.xml")
        return openpgp.evidence("yum-repository", self._signed, self._anchors, documents)


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

    Args:
        documents: bytes by role; they must be those of ``evidence``.
        evidence: of the first verification.
        facts: what the package says of itself; ``primary.xml`` must list it with this digest.
        sha256: of the package.
        size: of the package, in bytes.
        anchors: trust anchors.
        at: time of verification, with zone.

    Raises:
        VerificationError: as :class:`YumChain`, and ``missing-document``.
    """
    document, signature, primary = repository.stored_documents(documents, evidence, 3)
    chain = YumChain(anchors)
    repomd = chain.repomd(document, signature, at)
    chain.primary(primary)
    listed = chain.packages(facts.name, facts.architecture)
    repository.require_listed(listed, facts, sha256=sha256, size=size)
    base = evidence.documents[0].url.removesuffix(f"/{REPOMD}")
    return Reverified(chain.evidence(evidence.documents), RepositoryState(origin=base, date=repomd.date))


def _open(primary: _Primary) -> Iterator[bytes]:
    compression = compression_of(primary.data.path)
    if compression is None:
        raise ParseError("primary.xml has an unsupported compression", reason="unsupported")
    limit = MAX_OPEN_PRIMARY if primary.data.open_size is None else primary.data.open_size
    if limit > MAX_OPEN_PRIMARY:
        raise ParseError(f"primary.xml unpacks to {limit} bytes, more than any real one", reason="too-big")
    return decompress(io.BytesIO(primary.content), compression, limit=limit)


def _check_unpacked(primary: _Primary) -> None:
    """Require the unpacked size and digest that ``repomd.xml`` gives, where it does."""
    size, digest = 0, hashlib.sha256()
    for chunk in _open(primary):
        size += len(chunk)
        digest.update(chunk)
    data = primary.data
    if data.open_size not in {None, size} or data.open_sha256 not in {None, digest.hexdigest()}:
        raise VerificationError("the unpacked primary.xml does not match repomd.xml", reason="digest-mismatch")


def _proper(package: Package) -> Package:
    if not rpm_version.is_version(package.version):
        raise ParseError(f"an entry of {package.name} has an invalid version")
    return package


def _is_cut(document: bytes) -> bool:
    """Whether a repomd.xml has a start, and no end."""
    return document.lstrip().startswith(b"<?xml") and b"</repomd>" not in document
