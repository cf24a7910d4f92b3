"""Judge one package from its own bytes, by its kind, and hold it against what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from bundler.errors import VerificationError
from bundler.model.anchor import Anchors
from bundler.model.artifact import Artifact, PackageKind
from bundler.model.evidence import Evidence, PackageFacts
from bundler.model.lock import Pin


@dataclass(frozen=True)
class VerifiedPackage:
    """A package that is believed: what it says of itself, and why that counts."""

    facts: PackageFacts
    evidence: Evidence


# Each kind's own modules are imported when a package of it is judged: an MSI need not wait for Sequoia to load.


def _msi(file: BinaryIO, anchors: Anchors, at: datetime) -> VerifiedPackage:
    from bundler.formats import msi
    from bundler.trust import authenticode

    evidence = authenticode.verify(file, "msi", anchors=anchors, at=at)
    return _with_facts(file, evidence, msi.facts)


def _deb(file: BinaryIO, anchors: Anchors, at: datetime) -> VerifiedPackage:
    from bundler.formats import deb
    from bundler.trust import debsigs

    return _with_facts(file, debsigs.verify(file, anchors=anchors, at=at), deb.facts)


def _rpm(file: BinaryIO, anchors: Anchors, at: datetime) -> VerifiedPackage:
    from bundler.formats import rpm
    from bundler.trust import rpm_signature

    return _with_facts(file, rpm_signature.verify(file, anchors=anchors, at=at), rpm.facts)


_JUDGES: Mapping[PackageKind, Callable[[BinaryIO, Anchors, datetime], VerifiedPackage]] = {
    "msi": _msi,
    "deb": _deb,
    "rpm": _rpm,
}


def verify_package(file: BinaryIO, kind: PackageKind, *, anchors: Anchors, at: datetime) -> VerifiedPackage:
    """Judge the signature that a package carries, then read what it says of itself.

    The facts are read only after the signature held: no byte of an unbelieved file is interpreted further.
    Raises VerificationError.
    """
    return _JUDGES[kind](file, anchors, at)


def _with_facts(file: BinaryIO, evidence: Evidence, read: Callable[[BinaryIO], PackageFacts]) -> VerifiedPackage:
    file.seek(0)
    try:
        return VerifiedPackage(read(file), evidence)
    except ValueError as error:
        raise VerificationError(
            f"the package is signed, but what it says of itself cannot be read: {error}", reason="malformed"
        ) from error


def require_product(facts: PackageFacts, kind: PackageKind, anchors: Anchors, where: str) -> None:
    """Refuse a believed package of another product: Microsoft signs thousands that are not the agent.

    A lab's stand-in has a name of its own, which only practice anchors may vouch for. Raises VerificationError.
    """
    from bundler.products.arc_server import tables

    own = tables.own_names().of(kind, lab=anchors.lab)
    if facts.name != own:
        raise VerificationError(
            f"{where}: the package is genuine, but it is {facts.name!r}, not {own!r}",
            reason="wrong-product",
            do="look where this file came from: it is another product of the same publisher",
        )


def require_requested(facts: PackageFacts, artifact: Artifact, anchors: Anchors) -> None:
    """Refuse a believed package that is not the one asked for (a genuine file can be the wrong file)."""
    require_product(facts, artifact.kind, anchors, artifact.place)
    if facts.architecture != artifact.architecture:
        raise VerificationError(
            f"{artifact.place}: the package is for {facts.architecture}, not for {artifact.architecture}",
            reason="wrong-architecture",
        )
    if not artifact.accepts(facts.version):
        raise VerificationError(
            f"{artifact.place}: the package is version {facts.version}, asked for was {artifact.version}",
            reason="wrong-version",
            do="pin the version that the upstream has, or ask for `latest`",
        )


def reverify(
    pin: Pin,
    file: BinaryIO,
    documents: Mapping[str, bytes],
    *,
    anchors: Anchors,
    at: datetime,
) -> tuple[Evidence, ...]:
    """Judge a pinned package from bytes held, offline: its own signature, then its repository's chain.

    ``documents`` maps a document's role to its bytes. Returns the evidence found now.
    Raises VerificationError where anything differs from what the pin says was believed before.
    """
    _require_told(pin)
    verified = verify_package(file, pin.kind, anchors=anchors, at=at)
    require_product(verified.facts, pin.kind, anchors, pin.path)
    _require_place(pin)
    if verified.facts != pin.facts:
        raise VerificationError(
            f"{pin.path}: the package says {verified.facts.name} {verified.facts.version}, "
            f"the pin says {pin.facts.name} {pin.facts.version}",
            reason="facts-differ",
        )
    found = [verified.evidence]
    found += [_repository(pin, evidence, documents, anchors, at) for evidence in pin.evidence if evidence.documents]
    _require_same(pin, tuple(found))
    return tuple(found)


def _require_place(pin: Pin) -> None:
    """Refuse a genuine package below a folder that is for other servers, for they would install it."""
    from bundler.products.arc_server import layout

    misfit = layout.misfit(pin)
    if misfit:
        raise VerificationError(
            f"{pin.path}: it is pinned for servers that it is not for: {misfit}",
            reason="wrong-place",
            do="do not use it: somebody rewrote what it says of itself; a younger release may know more targets",
        )


def _require_told(pin: Pin) -> None:
    """A pin that came from a repository has that repository's evidence; one without it says so in both places."""
    if (pin.repository is not None) != any(evidence.documents for evidence in pin.evidence):
        raise VerificationError(
            f"{pin.path}: the pin names a repository without its evidence, or the other way round",
            reason="evidence-differs",
        )


def _repository(
    pin: Pin, evidence: Evidence, documents: Mapping[str, bytes], anchors: Anchors, at: datetime
) -> Evidence:
    from bundler.trust import apt_chain, yum_chain

    reverify = apt_chain.reverify if evidence.method == "apt-repository" else yum_chain.reverify
    found = reverify(documents, evidence, facts=pin.facts, sha256=pin.sha256, size=pin.size, anchors=anchors, at=at)
    if found.state != pin.repository:
        raise VerificationError(
            f"{pin.path}: the pin says another repository or date than the documents of its evidence",
            reason="evidence-differs",
            details=[f"found: {found.state.origin}, {found.state.date:%Y-%m-%d %H:%M:%S} UTC"],
        )
    return found.evidence


def _require_same(pin: Pin, found: tuple[Evidence, ...]) -> None:
    before = {(e.method, e.fingerprint, e.anchor) for e in pin.evidence}
    now = {(e.method, e.fingerprint, e.anchor) for e in found}
    if before != now:
        raise VerificationError(
            f"{pin.path}: it is believed, but by other evidence than the pin names",
            reason="evidence-differs",
            details=[f"pinned: {sorted(before)}", f"found: {sorted(now)}"],
        )
