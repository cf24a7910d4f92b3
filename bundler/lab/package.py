"""Contents of a Linux package, whatever its format."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

Moment = Literal["after-install", "before-remove", "after-remove"]


@dataclass(frozen=True)
class PackagedFile:
    """One file on the target."""

    path: str
    """Absolute, with ``/``."""
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True)
class Package:
    """A package before it has a format."""

    name: str
    version: str
    release: str
    """An rpm's release; a deb's version joins both with a dot, as the upstream's do."""
    architecture: str
    """As the format names it: ``amd64``, ``aarch64``."""
    summary: str
    description: str
    built: datetime
    """The one time in the package; it and the signature's."""
    files: tuple[PackagedFile, ...]
    owned: tuple[str, ...] = ()
    """Directories that come and go with the package; those of the system are not among them."""
    scripts: Mapping[Moment, str] = field(default_factory=dict)
    """POSIX shell, with its first line; ``$1`` is the format's own word."""

    @property
    def installed_size(self) -> int:
        """Bytes of all files."""
        return sum(len(file.content) for file in self.files)

    def directories(self) -> tuple[str, ...]:
        """Every directory above a file or owned, parents first."""
        found = set(self.owned)
        for path in [*(file.path for file in self.files), *self.owned]:
            found |= {str(parent) for parent in PurePosixPath(path).parents}
        return tuple(sorted(found - {"/"}))


def sha256(content: bytes) -> str:
    """Digest as 64 lower-case hex digits."""
    return hashlib.sha256(content).hexdigest()
