"""Describes one part of a build: to its product, and in the bundle's manifest."""

from __future__ import annotations

from typing import Any

from bundler.flow import lock_document
from bundler.flow.build import payload
from bundler.flow.build.outputs import Part
from bundler.flow.project import Project, warnings_of
from bundler.flow.script_signing import Signing
from bundler.model.lock import Lock
from bundler.model.manifest import Manifest
from bundler.model.seal import SealPolicy
from bundler.products.product import BundlePart, Contents


def bundle_part(
    part: Part, policy: SealPolicy, *, project: Project, lock: Lock, scripts_by: Signing | None
) -> BundlePart[Any, Any]:
    """What a product needs to make its files for ``part``."""
    return BundlePart(
        definition=project.definition,
        attachments=project.attachments,
        pins=part.pins,
        name=lock.name,
        version=lock.version,
        tool=project.product_release.tool,
        lab=project.anchors.lab,
        seal_policy=policy,
        scripts_signed_by=scripts_by.signer if scripts_by else None,
        files=payload.keys(part.pins, project.anchors),
    )


def manifest(part: Part, made: Contents, *, project: Project, lock: Lock) -> Manifest:
    """The manifest of ``part``, without its files and signatures."""
    unsigned = (
        f"carries {pin.path}, which is NOT SIGNED: the definition accepts it by its SHA-256 {pin.sha256}"
        for pin in part.pins
        if pin.kind == "unsigned"
    )
    return Manifest(
        name=lock.name,
        version=lock.version,
        product=project.product.name,
        created=lock.created,
        tool=project.product_release.tool,
        lab=project.anchors.lab,
        targets=tuple(sorted({target for pin in part.pins for target in pin.targets}, key=str)),
        parameters=made.parameters,
        anchors=lock.anchors,
        anchors_sha256=lock.anchors_sha256,
        lock_sha256=lock_document.digest(lock),
        unusual=(*made.unusual, *unsigned),
        warnings=warnings_of(project, lock.created.date()),
        network_requirements=made.network_requirements,
        support=made.support,
        pins=part.pins,
        files=(),
    )
