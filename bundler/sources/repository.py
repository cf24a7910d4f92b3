"""Which of a repository's packages is wanted, and how are its documents asked for?

What apt and yum repositories have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from bundler.errors import UpstreamError
from bundler.fetch.request import Received
from bundler.model.artifact import Artifact
from bundler.model.evidence import Document

_SHOWN = 12


class Listed(Protocol):
    """A package as an index lists it."""

    @property
    def version(self) -> str: ...
    @property
    def architecture(self) -> str: ...


_Package = TypeVar("_Package", bound=Listed)


def host(base: str) -> str:
    """The host (``name`` or ``name:port``) of an address: the only one that may serve a repository's files."""
    return urlsplit(base).netloc.rpartition("@")[2]


def document(role: str, url: str, received: Received) -> Document:
    """Describe a document that was received; ``url`` is where the repository says that it is."""
    return Document(role=role, url=url, sha256=received.sha256, size=received.size)


def choose(packages: Iterable[_Package], artifact: Artifact, order: Callable[[str], object]) -> _Package:
    """The newest package, by the family's own ``order`` of versions, that is what the ``artifact`` wants.

    Raises :class:`UpstreamError`, naming the versions that exist, where there is none.
    """
    listed = sorted(packages, key=lambda package: order(package.version), reverse=True)  # type: ignore[arg-type,return-value]
    for package in listed:
        if artifact.accepts(package.version):
            return package
    name = f"{artifact.name} for {artifact.architecture}"
    if not listed:
        raise UpstreamError(
            f"the repository for {artifact.place} has no {name}",
            do="check the target's architecture and the repository's address",
        )
    versions = list(dict.fromkeys(package.version for package in listed))
    more = (f"and {len(versions) - _SHOWN} older ones",) if len(versions) > _SHOWN else ()
    raise UpstreamError(
        f"the repository for {artifact.place} has no {name} of version {artifact.version}",
        details=("It has:", *versions[:_SHOWN], *more),
        do="ask for one of these, or for latest",
    )
