"""The evidence that a file was verified by."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import Moment, frozen

Method = Literal["authenticode", "debsigs", "rpm-signature", "apt-repository", "yum-repository", "admin-pin"]
"""``admin-pin``: no signature; the definition accepts the bytes by their SHA-256."""


@frozen
class ChainLink:
    """One certificate between a signature and its root."""

    subject: str
    issuer: str
    sha256: str
    not_before: Moment
    not_after: Moment


@frozen
class Document:
    """A repository's document in a verified chain; its bytes are kept in the bundle."""

    role: str
    """Its file name in the chain: ``InRelease``, ``Packages.gz``, ``repomd.xml``, ``primary.xml.gz``, …"""
    url: str
    sha256: str
    size: int
    """Bytes."""


@frozen
class Evidence:
    """One independent verification of a file."""

    method: Method
    signer: str
    """Subject of the signing certificate, or the user id of the OpenPGP key."""
    fingerprint: str
    """SHA-256 of the signing certificate (64 lower-case hex digits), or OpenPGP fingerprint (40 upper-case)."""
    anchors: str
    """Name of the :class:`~bundler.model.anchor.Anchors` that it chains to."""
    anchor: str
    """The pinned root's SHA-256, or the pinned OpenPGP fingerprint."""
    signed_at: Moment | None = None
    """When it was signed, by a timestamp or the signature itself; UTC."""
    timestamped_by: str = ""
    """Subject of the timestamping certificate, where there is one."""
    chain: tuple[ChainLink, ...] = ()
    """From the signing certificate to the root; empty for OpenPGP."""
    timestamp_chain: tuple[ChainLink, ...] = ()
    documents: tuple[Document, ...] = ()
    """The documents of a repository chain, in the order of verification; empty for a signature in the file."""
    notes: tuple[str, ...] = ()
    """Remarks for a reviewer, which do not change the verdict."""


@frozen
class PackageFacts:
    """A package's metadata, read from the package and never from its file name."""

    name: str
    version: str
    """As the package writes it: ``1.67.03504.3207``; for an rpm ``version-release``."""
    architecture: str
    """In the package's own notation: ``x64``, ``amd64``, ``x86_64``, ``aarch64``."""
    depends: tuple[str, ...] = ()
    """Packages that it needs, in its own notation."""
    installed_size: int = 0
    """Bytes after installing, where the package states them."""
    license: str = ""
    supplier: str = ""
