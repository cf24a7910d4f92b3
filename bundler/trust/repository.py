"""Checks that the chains of apt and yum repositories share: digest, age, order, listing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol, TypeVar

from bundler.errors import VerificationError
from bundler.formats.compressed import compression_of, decompress
from bundler.formats.parse_error import ParseError
from bundler.model.evidence import Evidence, PackageFacts
from bundler.model.lock import RepositoryState
from bundler.trust.openpgp import CLOCK_SKEW


class Listed(Protocol):
    """A package as an index lists it."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...


_MAX_OPEN = 512 << 20
"""Bytes to which an index unpacks at most, while its end is looked for."""

_Package = TypeVar("_Package", bound=Listed)


class WrongOrder(RuntimeError):
    """A chain got its documents in the wrong order, or one twice: a bug of the caller, not of the upstream."""


class NotOffered(VerificationError):
    """Verified metadata say that the repository has nothing of the kind: no such component or architecture."""

    def __init__(self, what: str) -> None:
        super().__init__(what, reason="not-listed")


def require_step(what: str) -> NoReturn:
    """Raise for a step that needs the document ``what`` first."""
    raise WrongOrder(f"the chain has no {what} yet")


@dataclass(frozen=True)
class Reverified:
    """A package verified again by the stored documents of its repository."""

    evidence: Evidence
    state: RepositoryState
    """The repository, by its documents' addresses, and its age, by their signed content."""


def check_digest(content: bytes, *, size: int, sha256: str, what: str) -> None:
    """Require the size and digest that signed metadata gives. Raises ``digest-mismatch`` or ``truncated``."""
    found = hashlib.sha256(content).hexdigest()
    if len(content) < size and _ends_early(content, what):
        raise VerificationError(f"{what} ends early, after {len(content)} of {size} bytes", reason="truncated")
    if len(content) != size or found != sha256:
        raise VerificationError(
            f"{what} does not match the signed metadata",
            reason="digest-mismatch",
            details=(f"signed: {sha256}, {size} bytes", f"found:  {found}, {len(content)} bytes"),
            do="try again: while a repository or a cache is being updated, it can serve old and new files together",
        )


def _ends_early(content: bytes, what: str) -> bool:
    """Whether a document, compressed as its name says, ends before its compressed stream does."""
    try:
        for _ in decompress(io.BytesIO(content), compression_of(what) or "", limit=_MAX_OPEN):
            pass
    except ParseError as error:
        return error.reason == "truncated"
    return False


def check_age(date: datetime, at: datetime, older: RepositoryState | None, *, allow_older: bool, what: str) -> None:
    """Refuse metadata from the future (``future-metadata``), and metadata older than ``older`` (``rollback``)."""
    if date > at + CLOCK_SKEW:
        raise VerificationError(
            f"{what} is dated {date:%Y-%m-%d %H:%M} UTC, which is in the future",
            reason="future-metadata",
            do="check this machine's clock",
        )
    if older is not None and date < older.date and not allow_older:
        raise VerificationError(
            f"{what} is older than the last verified one",
            reason="rollback",
            details=(f"before: {older.date:%Y-%m-%d %H:%M:%S} UTC", f"now:    {date:%Y-%m-%d %H:%M:%S} UTC"),
            do="find out why the repository went back: old metadata may be replayed; if intended, give `--allow-older`",
        )


def stored_documents(documents: Mapping[str, bytes], evidence: Evidence, wanted: int) -> list[bytes]:
    """The bytes of the ``wanted`` documents that ``evidence`` lists, in its order, compared with their digests.

    Raises:
        VerificationError: ``missing-document`` or ``digest-mismatch``.
    """
    if len(evidence.documents) != wanted:
        raise VerificationError("the evidence does not name all documents of its chain", reason="missing-document")
    found = []
    for document in evidence.documents:
        content = documents.get(document.role)
        if content is None:
            raise VerificationError(f"the document {document.role} of the chain is missing", reason="missing-document")
        check_digest(content, size=document.size, sha256=document.sha256, what=document.role)
        found.append(content)
    return found


def unique(packages: Iterable[_Package], where: str) -> tuple[_Package, ...]:
    """The ``packages`` of an index, which must not list one twice. Raises ParseError, ``duplicate``."""
    found: dict[tuple[str, str], _Package] = {}
    for package in packages:
        identity = (package.version, package.architecture)
        if identity in found:
            raise ParseError(f"{where} lists {package.name} {package.version} twice", reason="duplicate")
        found[identity] = package
    return tuple(found.values())


def require_listed(packages: Iterable[Listed], facts: PackageFacts, *, sha256: str, size: int) -> None:
    """Require that the index lists the package with this digest, version and architecture.

    Args:
        packages: as the index lists them.
        facts: what the package says of itself.
        sha256: of the package.
        size: of the package, in bytes.

    Raises:
        VerificationError: ``not-listed`` or ``metadata-mismatch``.
    """
    entries = [(one.version, one.architecture) for one in packages if (one.sha256, one.size) == (sha256, size)]
    if not entries:
        raise VerificationError(
            f"the repository's index does not list this very file of {facts.name}", reason="not-listed"
        )
    if (facts.version, facts.architecture) not in entries:
        listed = ", ".join(" ".join(entry) for entry in entries)
        raise VerificationError(
            f"the package says {facts.version} {facts.architecture}; the repository lists it as {listed}",
            reason="metadata-mismatch",
        )
