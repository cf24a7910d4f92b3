"""The location of a package: the value, and the sources that need no repository, a URL and a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bundler.errors import UpstreamError
from bundler.integrity import names
from bundler.model.artifact import Artifact, FileOrigin, PackageKind, UrlOrigin
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
    """From signed metadata; None where only the package itself states it."""
    size: int | None = None
    sha256: str | None = None
    evidence: Evidence | None = None
    """The verified repository chain, its documents in the store; None for an address alone."""
    repository: RepositoryState | None = None


# Letters without a meaning for any shell; a leading dot, dash or tilde would have one.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}", re.ASCII)


_ENDINGS: Mapping[PackageKind, tuple[str, ...]] = {
    "msi": (".msi",),
    "deb": (".deb",),
    "rpm": (".rpm",),
    "pe": (".exe", ".dll"),
    "zip": (".zip",),
    "unsigned": ("",),
}
"""Endings of each kind; a package without a safe name gets the first."""


def safe_filename(name: str, artifact: Artifact) -> str:
    """``name`` where every file system takes it and it ends as its kind does, otherwise the package's own name."""
    sound = _PLAIN.fullmatch(name) and not names.name_faults([name]) and name.lower().endswith(_ENDINGS[artifact.kind])
    return name if sound else f"{artifact.name}{_ENDINGS[artifact.kind][0]}"


def locate_file(artifact: Artifact, folder: Path) -> Located:
    """Locate an artifact with a :class:`~bundler.model.artifact.FileOrigin`.

    Args:
        artifact: the request.
        folder: of the definition; a relative path starts there.

    Returns:
        The location, with a ``file:`` address, which fetch copies into the store.

    Raises:
        UpstreamError: there is no file.
    """
    origin = artifact.origin
    if not isinstance(origin, FileOrigin):
        raise TypeError(f"not a file: {origin.kind}")
    path = (folder / origin.path).absolute()
    if not path.is_file():
        raise UpstreamError(
            f"{artifact.name} for {artifact.place}: there is no file at {path}",
            do="correct the path in the definition; a relative one starts at the definition's folder",
        )
    return Located(artifact=artifact, url=path.as_uri(), filename=safe_filename(path.name, artifact), hosts=())


def locate_url(artifact: Artifact) -> Located:
    """Locate an artifact with a :class:`~bundler.model.artifact.UrlOrigin`; UpstreamError if it is not https."""
    origin = artifact.origin
    if not isinstance(origin, UrlOrigin):
        raise TypeError(f"not a url: {origin.kind}")
    if not origin.url.startswith("https://"):
        raise UpstreamError(
            f"{artifact.name} for {artifact.place}: {origin.url.partition('?')[0]} is not https",
            do="give an https address in the definition",
        )
    filename = safe_filename(unquote(urlsplit(origin.url).path.rpartition("/")[2]), artifact)
    return Located(artifact=artifact, url=origin.url, filename=filename, hosts=origin.hosts)
