"""Compares a verified package with what was requested, and verifies a pinned package again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import VerificationError
from bundler.flow.package_kinds import VerifiedPackage, admin_pin, verify_package
from bundler.model.anchor import Anchors
from bundler.model.artifact import Artifact, PackageKind
from bundler.model.evidence import Evidence, PackageFacts
from bundler.model.lock import Pin
from bundler.trust.advice import advising

if TYPE_CHECKING:
    from bundler.products.product import AnyProduct


def require_product(
    facts: PackageFacts, kind: PackageKind, anchors: Anchors, where: str, *, product: AnyProduct
) -> None:
    """Raise VerificationError for a verified package of another product: a publisher signs thousands of them.

    A lab's package has a name of its own, which only lab anchors may sign.
    """
    fault = product.package_fault(facts, kind, lab=anchors.lab)
    if fault:
        raise VerificationError(
            f"{where}: the package is signed, but {fault}",
            reason="wrong-product",
            do="check where this file came from: it is another product of the same publisher",
        )


def require_requested(facts: PackageFacts, artifact: Artifact, anchors: Anchors, *, product: AnyProduct) -> None:
    """Raise VerificationError for a verified package that is not the requested one."""
    with advising(anchors):
        require_product(facts, artifact.kind, anchors, artifact.place, product=product)
        _require_release(facts, artifact)


def _require_release(facts: PackageFacts, artifact: Artifact) -> None:
    if facts.architecture != artifact.architecture:
        raise VerificationError(
            f"{artifact.place}: the package is for {facts.architecture}, not for {artifact.architecture}",
            reason="wrong-architecture",
        )
    if not artifact.accepts(facts.version):
        raise VerificationError(
            f"{artifact.place}: the package is version {facts.version}, requested was {artifact.version}",
            reason="wrong-version",
            do="request the version that upstream has, or `latest`",
        )


def reverify(
    pin: Pin,
    file: BinaryIO,
    documents: Mapping[str, bytes],
    *,
    anchors: Anchors,
    at: datetime,
    product: AnyProduct,
) -> tuple[Evidence, ...]:
    """Verify a pinned package again, offline: its own signature, then its repository's signed metadata.

    Args:
        pin: What was verified when the lock was created.
        file: The package, from its start.
        documents: The pin's metadata documents by role.
        anchors: Trust anchors.
        at: Time to verify for.
        product: The pin's product.

    Returns:
        The evidence found now, which is equal to the pin's.

    Raises:
        VerificationError: it does not verify, or its facts or evidence differ from the pin's.

    """
    with advising(anchors):
        return _verified_again(pin, file, documents, anchors, at, product)


def _verified_again(
    pin: Pin, file: BinaryIO, documents: Mapping[str, bytes], anchors: Anchors, at: datetime, product: AnyProduct
) -> tuple[Evidence, ...]:
    _require_repository(pin)
    verified = _reverified(pin, file, anchors, at, product)
    require_product(verified.facts, pin.kind, anchors, pin.path, product=product)
    _require_place(pin, product)
    if verified.facts != pin.facts:
        raise VerificationError(
            f"{pin.path}: the package is {verified.facts.name} {verified.facts.version}, "
            f"but the pin names {pin.facts.name} {pin.facts.version}",
            reason="facts-differ",
        )
    found = [*verified.evidence]
    found += [_repository(pin, evidence, documents, anchors, at) for evidence in pin.evidence if evidence.documents]
    _require_same(pin, tuple(found))
    return tuple(found)


def _reverified(pin: Pin, file: BinaryIO, anchors: Anchors, at: datetime, product: AnyProduct) -> VerifiedPackage:
    if not product.admits(pin.kind, pin.name):
        raise VerificationError(
            f"{pin.path}: the product {product.name} does not admit {pin.name} as a package of kind {pin.kind}",
            reason="wrong-kind",
            do="do not use it: its manifest was changed; or upgrade, because a newer release may admit it",
        )
    if pin.kind == "unsigned":
        return admin_pin(pin.facts.name, pin.facts.version, pin.facts.architecture, pin.sha256, anchors)
    archive = product.archive_rules(pin.name) if pin.kind == "zip" else None
    return verify_package(file, pin.kind, anchors=anchors, at=at, archive=archive)


def _require_place(pin: Pin, product: AnyProduct) -> None:
    """Raise VerificationError for a package in the folder of other servers, which would install it."""
    misfit = product.place_fault(pin)
    if misfit:
        raise VerificationError(
            f"{pin.path}: it is pinned for servers that it does not support: {misfit}",
            reason="wrong-place",
            do="do not use it: its manifest was changed; or upgrade, because a newer release may know more targets",
        )


def _require_repository(pin: Pin) -> None:
    """Raise VerificationError unless a pin has a repository and its evidence, or neither."""
    if (pin.repository is not None) != any(evidence.documents for evidence in pin.evidence):
        raise VerificationError(
            f"{pin.path}: the pin names a repository without its evidence, or has evidence without a repository",
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
            f"{pin.path}: the pin names another repository or date than its evidence",
            reason="evidence-differs",
            details=[f"found: {found.state.origin}, {found.state.date:%Y-%m-%d %H:%M:%S} UTC"],
        )
    return found.evidence


def _require_same(pin: Pin, found: tuple[Evidence, ...]) -> None:
    before = {(e.method, e.fingerprint, e.anchor) for e in pin.evidence}
    now = {(e.method, e.fingerprint, e.anchor) for e in found}
    if before != now:
        raise VerificationError(
            f"{pin.path}: it is verified, but by other evidence than the pin states",
            reason="evidence-differs",
            details=[f"pinned: {sorted(before)}", f"found: {sorted(now)}"],
        )
