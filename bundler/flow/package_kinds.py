"""Verifies a package's own signature by its kind, then reads its facts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from bundler.errors import VerificationError
from bundler.model.anchor import Anchors
from bundler.model.artifact import ArchiveRules, PackageKind
from bundler.model.evidence import Evidence, PackageFacts
from bundler.trust.advice import advising
from bundler.trust.text_damage import naming_text_damage

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class VerifiedPackage:
    """A verified package: the facts in it, and the evidence for them."""

    facts: PackageFacts
    evidence: tuple[Evidence, ...]
    """Of a zip one for each signer of its members, otherwise one alone."""


def _signed(file: BinaryIO, kind: str, anchors: Anchors, at: datetime) -> VerifiedPackage:
    # Each kind's modules are imported when a package of it is verified: an MSI need not wait for Sequoia to load.
    match kind:
        case "deb":
            from bundler.formats import deb
            from bundler.trust import debsigs

            return _with_facts(file, debsigs.verify(file, anchors=anchors, at=at), deb.facts)
        case "rpm":
            from bundler.formats import rpm
            from bundler.trust import rpm_signature

            return _with_facts(file, rpm_signature.verify(file, anchors=anchors, at=at), rpm.facts)
        case "msi":
            from bundler.formats import msi
            from bundler.trust import authenticode

            return _with_facts(file, authenticode.verify(file, kind, anchors=anchors, at=at), msi.facts)
        case "pe":
            from bundler.formats import pe_version
            from bundler.trust import authenticode

            return _with_facts(file, authenticode.verify(file, kind, anchors=anchors, at=at), pe_version.facts)
        case _:
            raise VerificationError(f"a package of kind {kind} carries no signature to verify", reason="unsigned")


def _zip(file: BinaryIO, rules: ArchiveRules, anchors: Anchors, at: datetime) -> VerifiedPackage:
    from bundler.flow import verify_archive
    from bundler.trust import authenticode

    def member(content: BinaryIO, path: str, kind: str) -> tuple[PackageFacts | None, Evidence]:
        if path != rules.main and kind in {"pe", "ps1"}:  # a program beside the main one needs no version
            return None, authenticode.verify(content, "pe" if kind == "pe" else "ps1", anchors=anchors, at=at)
        if kind == "ps1":
            return None, authenticode.verify(content, "ps1", anchors=anchors, at=at)
        verified = _signed(content, kind, anchors, at)
        return verified.facts, verified.evidence[0]

    return VerifiedPackage(*verify_archive.verify(file, rules, member))


def admin_pin(name: str, version: str, architecture: str, sha256: str, anchors: Anchors) -> VerifiedPackage:
    """An unsigned package that the definition accepts by its SHA-256: its facts are the definition's, not its own."""
    evidence = Evidence(
        method="admin-pin",
        signer="the definition (accept_unsigned)",
        fingerprint=sha256,
        anchors=anchors.name,
        anchor=sha256,
        notes=("not signed: only the definition's SHA-256 confirms it",),
    )
    return VerifiedPackage(PackageFacts(name=name, version=version, architecture=architecture), (evidence,))


def verify_package(
    file: BinaryIO, kind: PackageKind, *, anchors: Anchors, at: datetime, archive: ArchiveRules | None = None
) -> VerifiedPackage:
    """Verify a package's own signature, then read its facts.

    The facts are read only after the signature: no further byte of an unverified file is parsed.

    Args:
        file: The package, from its start.
        kind: Its kind.
        anchors: Trust anchors.
        at: Time to verify for.
        archive: What the product states about a zip.

    Raises:
        VerificationError: the package does not verify, or its facts cannot be read.

    """
    with advising(anchors), naming_text_damage(file):
        verified = _zip(file, archive, anchors, at) if kind == "zip" and archive else _signed(file, kind, anchors, at)
    signers = ", ".join(evidence.signer for evidence in verified.evidence)
    _LOG.debug("%s %s %s: signed by %s", kind, verified.facts.name, verified.facts.version, signers)
    return verified


def _with_facts(file: BinaryIO, evidence: Evidence, read: Callable[[BinaryIO], PackageFacts]) -> VerifiedPackage:
    file.seek(0)
    try:
        return VerifiedPackage(read(file), (evidence,))
    except ValueError as error:
        raise VerificationError(
            f"the package is signed, but its metadata cannot be read: {error}", reason="malformed"
        ) from error
