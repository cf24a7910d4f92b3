"""Trust anchors: the roots, publishers and keys that a chain must end in."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import frozen

Purpose = Literal["code-signing", "timestamping"]


@frozen
class RootCertificate:
    """A certificate authority's root, pinned by the SHA-256 of its DER bytes."""

    name: str
    """The subject's common name."""
    sha256: str
    """64 lower-case hex digits over the DER certificate."""
    pem: str
    purposes: tuple[Purpose, ...]
    source: str
    """Source of the pin, for a reviewer."""


@frozen
class Publisher:
    """A permitted signer: an exact subject, and key purposes that the leaf must have."""

    common_name: str
    organization: str
    key_purposes: tuple[str, ...] = ("1.3.6.1.5.5.7.3.3",)
    """Dotted object identifiers of the extended key usages; all of them are required."""


@frozen
class PackageKey:
    """An OpenPGP certificate that signs packages or repositories, pinned by its primary key's fingerprint."""

    name: str
    fingerprint: str
    """40 upper-case hex digits (OpenPGP v4)."""
    armored: str
    source: str


@frozen
class Anchors:
    """The trust anchors of one origin: Microsoft, a mirror or a lab."""

    name: str
    """``Microsoft``, ``LAB``, or the name of a mirror's own anchors; recorded in all evidence."""
    lab: bool = False
    """True for a lab's anchors: every bundle that they verify is labelled LAB."""
    roots: tuple[RootCertificate, ...] = ()
    publishers: tuple[Publisher, ...] = ()
    package_keys: tuple[PackageKey, ...] = ()
    revocation_lists: tuple[str, ...] = ()
    """Certificate revocation lists in PEM; none is ever fetched."""

    @property
    def label(self) -> str:
        """The label of a bundle that these anchors verify: ``LAB`` for a lab's, otherwise empty."""
        return "LAB" if self.lab else ""
