"""A file that a definition needs, and where to look for it."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import frozen
from bundler.model.target import Target

PackageKind = Literal["msi", "deb", "rpm", "pe", "zip", "unsigned"]
"""``zip`` is verified member by member; ``unsigned`` by the SHA-256 that a definition gives, and by nothing else."""


@frozen
class UrlOrigin:
    """One file at one address."""

    kind: Literal["url"] = "url"
    url: str
    hosts: tuple[str, ...]
    """Hosts (``name`` or ``name:port``) at which a redirect may end."""


@frozen
class AptOrigin:
    """A package in an apt repository."""

    kind: Literal["apt"] = "apt"
    base: str
    """Directory that holds ``dists/``, without a slash at its end."""
    suite: str
    component: str
    package: str


@frozen
class YumOrigin:
    """A package in a yum repository."""

    kind: Literal["yum"] = "yum"
    base: str
    """Directory that holds ``repodata/``, without a slash at its end."""
    package: str


@frozen
class FileOrigin:
    """A local file."""

    kind: Literal["file"] = "file"
    path: str


Origin = UrlOrigin | AptOrigin | YumOrigin | FileOrigin


@frozen
class ArchiveRules:
    """What a product states about a package that is a zip."""

    main: str
    """The member that gives the archive its facts: a signed PE file, MSI, deb or rpm."""
    data_endings: tuple[str, ...] = ()
    """Endings of members that need no signature, in lower case: ``.txt``, ``.json``."""


@frozen
class Artifact:
    """A package that the definition needs, not yet resolved."""

    name: str
    """The package's own name: ``azcmagent``, ``AzureConnectedMachineAgent``."""
    kind: PackageKind
    place: str
    """Its folder below ``payload/`` and ``evidence/``: ``windows/x64``, ``ubuntu/22.04/amd64``."""
    architecture: str
    """In the package's own notation: ``x64``, ``amd64``, ``x86_64``, ``aarch64``."""
    version: str
    """``latest``, ``MAJOR.MINOR``, or a full build."""
    targets: tuple[Target, ...]
    """The targets that install it."""
    origin: Origin
    sha256: str = ""
    """The digest that the definition gives: 64 lower-case hex digits; empty: none."""
    accept_unsigned: bool = False
    """Whether the definition accepts a package without a signature."""

    def accepts(self, version: str) -> bool:
        """Whether a package's full ``version`` is the requested one.

        An rpm's last part is its release: ``1.67.03504-1320`` may be requested as ``1.67.03504.1320`` too.
        """
        full, requested = version.replace("-", "."), self.version.replace("-", ".")
        return self.version == "latest" or full == requested or full.startswith(f"{requested}.")
