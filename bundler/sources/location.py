"""Where a package was found: the value, and the sources that need no repository, a URL and a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bundler.errors import UpstreamError
from bundler.integrity import names
from bundler.model.artifact import Artifact, FileOrigin, UrlOrigin
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


# Letters that mean nothing to any shell, and no leading dot, dash or tilde that would.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}", re.ASCII)


def safe_filename(name: str, artifact: Artifact) -> str:
    """``name`` where every file system takes it and it ends as its kind does, otherwise the package's own name."""
    sound = _PLAIN.fullmatch(name) and not names.name_faults([name]) and name.endswith(f".{artifact.kind}")
    return name if sound else f"{artifact.name}.{artifact.kind}"


def locate_file(artifact: Artifact, folder: Path) -> Located:
    """Say where ``artifact`` is, whose origin is a :class:`~bundler.model.artifact.FileOrigin`.

    A relative path is looked for in ``folder``. The address is a ``file:`` one, which fetch copies into the store.
    Raises UpstreamError where no file is there.
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
    """Say where ``artifact`` is, whose origin is a :class:`~bundler.model.artifact.UrlOrigin`.

    Raises UpstreamError for an address that is not https.
    """
    origin = artifact.origin
    if not isinstance(origin, UrlOrigin):
        raise TypeError(f"not a url: {origin.kind}")
    if not origin.url.startswith("https://"):
        raise UpstreamError(
            f"{artifact.name} for {artifact.place}: {origin.url.partition('?')[0]} is not https",
            do="give an https address in the definition",
        )
    return Located(artifact=artifact, url=origin.url, filename=_filename(artifact, origin.url), hosts=origin.hosts)


def _filename(artifact: Artifact, url: str) -> str:
    """The address's last part where it is a name for every file system, otherwise the package's own name."""
    return safe_filename(unquote(urlsplit(url).path.rpartition("/")[2]), artifact)
