"""Verifies the payload of a bundle: its trust anchors, and every package from its own evidence, offline."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime

from bundler.errors import VerificationError
from bundler.flow import verify_package
from bundler.flow.spool import CERTIFICATES, KEYS, PAYLOAD, PackageSpool
from bundler.integrity.check import CheckedBundle
from bundler.model.anchor import Anchors
from bundler.model.frozen import frozen
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.products import registry
from bundler.products.product import AnyProduct
from bundler.trust import anchors as trusted


@frozen
class PackageVerdict:
    """One verified package of a bundle."""

    path: str
    version: str
    signer: str
    methods: tuple[str, ...]
    notes: tuple[str, ...] = ()


def product_of(manifest: Manifest, *, sealed: bool, allow_unknown: bool) -> AnyProduct | None:
    """The product that verifies a bundle's packages; hashes, and the seal if ``sealed``, are verified before.

    Returns:
        None for an unknown product that the command line allows.

    Raises:
        VerificationError: ``unknown-product``, unless ``allow_unknown``.
        ProductFault: an installed distribution brings it, and it cannot be used.
    """
    with suppress(registry.UnknownProduct):
        # The code of another distribution runs only for a bundle of a trusted signer.
        product = registry.get(manifest.product) if sealed else registry.loaded(manifest.product)
        if product:
            return product
    if allow_unknown:
        return None
    raise VerificationError(
        f"the bundle is of the product {manifest.product!r}, which is not available here: "
        "this arc-bundler cannot verify its packages",
        reason="unknown-product",
        details=[
            f"made by {manifest.tool}",
            f"verified: the hashes of all files{' and the seal' if sealed else ''}; not verified: the packages",
        ],
        do="install the distribution that made the bundle"
        + ("" if sealed else ", and give the signer, because a product is loaded for a verified seal only")
        + "; or accept the packages as they are with --allow-unknown-product",
    )


def require_anchors(found: CheckedBundle, anchors: Anchors) -> None:
    """Require the trust anchors of the person who verifies; the bundle's own statement of them is not trusted.

    Args:
        found: The bundle, with hashes and seal verified.
        anchors: The trust anchors to verify by.

    Raises:
        VerificationError: the bundle was built with other anchors, names them wrongly, or holds payload that is
            neither a pinned package nor a key of ``anchors``.

    """
    _require_same(found, anchors)
    _require_pinned(found, anchors)


def _require_same(found: CheckedBundle, anchors: Anchors) -> None:
    """Require the verifier's anchors, under their own name: people read the manifest on its own."""
    manifest = found.manifest
    if manifest.anchors_sha256 != trusted.digest(anchors):
        raise VerificationError(
            f"the bundle was built with trust anchors {manifest.anchors!r} ({manifest.anchors_sha256[:12]}…), "
            f"but this command trusts {anchors.name!r} ({trusted.digest(anchors)[:12]}…)",
            reason="other-anchors",
            do="if you trust these anchors, get their file from the operator of that upstream, not from the bundle, "
            "and give it with `--anchors FILE`",
        )
    if (manifest.anchors, manifest.lab) != (anchors.name, anchors.lab):
        raise VerificationError(
            f"the bundle names its trust anchors {_named(manifest.anchors, lab=manifest.lab)}, "
            f"but they are {_named(anchors.name, lab=anchors.lab)}",
            reason="disguised-anchors",
            do="do not use it: its manifest was changed",
        )


def _named(name: str, *, lab: bool) -> str:
    return f"{name!r}{' (LAB)' if lab else ''}"


def _require_pinned(found: CheckedBundle, anchors: Anchors) -> None:
    """Allow nothing below ``payload/`` but pinned packages and keys of ``anchors``.

    The definition's certificates are the exception; :func:`unusual` reports them.
    """
    allowed = {pin.path: pin.sha256 for pin in found.manifest.pins}
    if not allowed:
        raise VerificationError("the bundle pins no package", reason="not-pinned")
    for key in anchors.package_keys:
        allowed[f"{KEYS}{key.fingerprint}.asc"] = hashlib.sha256(key.armored.encode()).hexdigest()
    for entry in found.manifest.files:
        if entry.path.startswith(CERTIFICATES):
            continue
        if entry.path.startswith(PAYLOAD) and allowed.get(entry.path) != entry.sha256:
            raise VerificationError(
                f"{entry.path} is neither a pinned package nor a key of {anchors.name!r}",
                reason="not-pinned",
                do="do not use it: the build puts nothing else there",
            )


def unusual(found: CheckedBundle) -> tuple[str, ...]:
    """What the manifest states as unusual, and every certificate that is in the bundle, stated or not."""
    certificates = (entry.path for entry in found.manifest.files if entry.path.startswith(CERTIFICATES))
    return (*found.manifest.unusual, *(f"{path} comes only from the definition" for path in certificates))


def verify_packages(
    found: CheckedBundle, packages: PackageSpool, *, product: AnyProduct, anchors: Anchors, at: datetime
) -> tuple[PackageVerdict, ...]:
    """Verify every package of a bundle from its own evidence.

    Args:
        found: The bundle, accepted by :func:`require_anchors`.
        packages: Its packages as files.
        product: The one that the manifest names.
        anchors: The trust anchors to verify by.
        at: Time to verify for.

    Raises:
        VerificationError: a package does not verify, or its evidence is missing.

    """
    return tuple(_verify(pin, packages, found, product, anchors, at) for pin in found.manifest.pins)


def _verify(
    pin: Pin, packages: PackageSpool, found: CheckedBundle, product: AnyProduct, anchors: Anchors, at: datetime
) -> PackageVerdict:
    documents = {}
    for document in pin.documents:
        path = f"evidence/{pin.place}/{document.role}"
        if path not in found.documents:
            raise VerificationError(f"{path} is named as evidence, but is not in the bundle", reason="missing-file")
        documents[document.role] = found.documents[path]
    package = packages.open(pin.path)
    evidence = verify_package.reverify(pin, package, documents, anchors=anchors, at=at, product=product)
    packages.require_unchanged(pin.path, package, pin.sha256)
    return PackageVerdict(
        path=pin.path,
        version=pin.facts.version,
        signer=evidence[0].signer,
        methods=tuple(e.method for e in evidence),
        notes=tuple(note for e in evidence for note in e.notes),
    )
