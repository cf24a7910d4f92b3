"""Whom we believe: the roots, publishers and keys that a verdict must end in."""

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
    """Where the pin was taken from, for a reviewer."""


@frozen
class Publisher:
    """Who may have signed: an exact subject, and key purposes that the leaf must carry."""

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
    """Everything that one origin's verdicts may end in."""

    name: str
    """``Microsoft``, ``LAB``, or what the admin called a mirror's own; recorded with every verdict."""
    lab: bool = False
    """True for a lab's anchors: every bundle that they verify is labelled LAB."""
    roots: tuple[RootCertificate, ...] = ()
    publishers: tuple[Publisher, ...] = ()
    package_keys: tuple[PackageKey, ...] = ()
    revocation_lists: tuple[str, ...] = ()
    """PEM certificate revocation lists that are at hand; none is ever fetched."""

    @property
    def label(self) -> str:
        """The label of a bundle that these anchors verify: ``LAB`` for a lab's, otherwise empty."""
        return "LAB" if self.lab else ""
