"""What do the chains of apt and yum repositories have in common?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol, TypeVar

from bundler.errors import VerificationError
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


_Package = TypeVar("_Package", bound=Listed)


class WrongOrder(RuntimeError):
    """A chain was given its documents in the wrong order, or one twice: a fault of ours, not of the upstream."""


def require_step(what: str) -> NoReturn:
    """Refuse to go on without the document ``what``."""
    raise WrongOrder(f"the chain has no {what} yet")


@dataclass(frozen=True)
class Reverified:
    """A package that a repository's kept documents vouch for."""

    evidence: Evidence
    state: RepositoryState
    """Which repository it was, by its documents' addresses, and how new, by their signed content."""


def check_digest(content: bytes, *, size: int, sha256: str, what: str) -> None:
    """Refuse ``content`` that is not what signed metadata promises: ``digest-mismatch``."""
    found = hashlib.sha256(content).hexdigest()
    if len(content) != size or found != sha256:
        raise VerificationError(
            f"{what} is not the file that the signed metadata names",
            reason="digest-mismatch",
            details=(f"signed: {sha256}, {size} bytes", f"found:  {found}, {len(content)} bytes"),
            do="try again: a repository that is being updated, or a cache before it, can serve old and new together",
        )


def check_age(date: datetime, at: datetime, older: RepositoryState | None, *, allow_older: bool, what: str) -> None:
    """Refuse metadata from the future (``future-metadata``), and a step back behind ``older`` (``rollback``)."""
    if date > at + CLOCK_SKEW:
        raise VerificationError(
            f"{what} claims to be made at {date:%Y-%m-%d %H:%M} UTC, which is yet to come",
            reason="future-metadata",
            do="check this machine's clock",
        )
    if older is not None and date < older.date and not allow_older:
        raise VerificationError(
            f"{what} is older than what was believed before",
            reason="rollback",
            details=(f"before: {older.date:%Y-%m-%d %H:%M:%S} UTC", f"now:    {date:%Y-%m-%d %H:%M:%S} UTC"),
            do="look who went back, for somebody may be replaying old metadata; if you mean it, say `--allow-older`",
        )


def stored_documents(documents: Mapping[str, bytes], believed: Evidence, wanted: int) -> list[bytes]:
    """The bytes of the documents of the evidence ``believed``, in its order; there are ``wanted`` of them.

    Raises :class:`VerificationError` with reason ``missing-document`` or ``digest-mismatch``.
    """
    if len(believed.documents) != wanted:
        raise VerificationError("the evidence does not name all documents of its chain", reason="missing-document")
    found = []
    for document in believed.documents:
        content = documents.get(document.role)
        if content is None:
            raise VerificationError(f"the document {document.role} of the chain is missing", reason="missing-document")
        check_digest(content, size=document.size, sha256=document.sha256, what=document.role)
        found.append(content)
    return found


def unique(packages: Iterable[_Package], where: str) -> tuple[_Package, ...]:
    """The ``packages`` of an index, of which none may stand there twice. Raises ParseError, ``duplicate``."""
    found: dict[tuple[str, str], _Package] = {}
    for package in packages:
        identity = (package.version, package.architecture)
        if identity in found:
            raise ParseError(f"{package.name} {package.version} stands twice in {where}", reason="duplicate")
        found[identity] = package
    return tuple(found.values())


def require_listed(packages: Iterable[Listed], facts: PackageFacts, *, sha256: str, size: int) -> None:
    """Refuse the package with this digest unless its version and architecture are those of one of ``packages``.

    Raises :class:`VerificationError` with reason ``not-listed`` or ``metadata-mismatch``.
    """
    entries = [(one.version, one.architecture) for one in packages if (one.sha256, one.size) == (sha256, size)]
    if not entries:
        raise VerificationError(
            f"the repository's index does not list this very file of {facts.name}", reason="not-listed"
        )
    if (facts.version, facts.architecture) not in entries:
        listed = ", ".join(" ".join(entry) for entry in entries)
        raise VerificationError(
            f"the package says that it is {facts.version} {facts.architecture}; the repository says {listed}",
            reason="metadata-mismatch",
        )
