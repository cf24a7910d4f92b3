"""Assembles a bundle's tree from definition, lock and stored bytes.

The same input and the same release give the same bytes; every time in the tree is the lock's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bundler.fetch.store import Store
from bundler.flow import review, script_check, script_signing
from bundler.flow.build import seal_policy
from bundler.flow.build.outputs import Part
from bundler.flow.project import Project
from bundler.flow.script_signing import Signing
from bundler.formats import json_codec
from bundler.model.anchor import Anchors
from bundler.model.lock import Lock, Pin
from bundler.model.manifest import Manifest
from bundler.model.seal import SealPolicy
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import manifest as manifests
from bundler.products.product import BundlePart, Contents
from bundler.signing.seal import describe, keyring
from bundler.signing.signing_key import Sealer


def tree(
    part: Part,
    *,
    project: Project,
    lock: Lock,
    store: Store,
    sealer: Sealer | None = None,
    scripts_by: Signing | None = None,
    secret: str = "",
) -> Tree:
    """The tree of one part, not yet sealed.

    Args:
        part: Name of the tree, and the pins in it.
        project: The loaded definition.
        lock: Gives name, version and time.
        store: Holds the pinned packages and their evidence.
        sealer: Named in manifest and scripts as the one who seals.
        scripts_by: Signs the PowerShell scripts; None leaves them unsigned.
        secret: Embedded where the definition says so.

    Returns:
        Payload, evidence, scripts, SBOM, review page, manifest and SHA256SUMS.

    """
    policy = seal_policy.policy(project, lock, sealer)
    given = _bundle_part(part, policy, project=project, lock=lock, scripts_by=scripts_by)
    made = project.product.contents(given)
    content = (
        *_payload(part.pins, store),
        *_evidence(part.pins, project.anchors, store),
        *(Entry(path, content) for path, content in (keyring(sealer) if sealer else {}).items()),
        *_secret(project, secret),
        *script_signing.signed(made.entries, scripts_by),
    )
    description = replace(
        _manifest(part, made, project=project, lock=lock),
        serial=policy.serial,
        not_after=policy.not_after,
        seal=describe(sealer) if sealer else None,
        scripts_signed_by=script_signing.signer(content, scripts_by),
        runtimes=script_check.stated(content, project.product.name),
        header_templates=project.product.scripts.header_templates(),
        signature_forms=seal_policy.signature_forms(policy),
        approval=seal_policy.approval(policy),
    )
    description = replace(description, script_actions=project.product.script_actions(given, description))
    vendor = project.product.review(description).vendor
    entries = (*content, _bill(description, content, part.name, vendor))
    page = review.inside(manifests.completed(description, entries))
    return manifests.assemble(description, (*entries, page), name=part.name, time=lock.created)


def _bundle_part(
    part: Part, policy: SealPolicy, *, project: Project, lock: Lock, scripts_by: Signing | None
) -> BundlePart[Any, Any]:
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
        files=_keys(part.pins, project.anchors),
    )


def _bill(description: Manifest, content: Iterable[Entry], folder: str, vendor: str) -> Entry:
    # Imported here: a build that is refused earlier does not load the SBOM library.
    from bundler.pack import sbom

    return Entry(sbom.PATH, sbom.document(description, content, folder=folder, vendor=vendor))


def _secret(project: Project, secret: str) -> Iterable[Entry]:
    """The secret, where the definition embeds it and the command allowed that."""
    path = project.product.embedded_secret(project.definition)
    if path:
        yield Entry(path, f"{secret}\n".encode())


def _payload(pins: Iterable[Pin], store: Store) -> Iterable[Entry]:
    for pin in pins:
        yield Entry(pin.path, Blob(store.path(pin.sha256), pin.size, pin.sha256))


def _evidence(pins: Iterable[Pin], anchors: Anchors, store: Store) -> Iterable[Entry]:
    yield Entry("evidence/anchors.json", json_codec.to_json(anchors))
    for pin in pins:
        yield Entry(f"evidence/{pin.place}/pin.json", json_codec.to_json(pin))
        for evidence in pin.evidence:
            for document in evidence.documents:
                held = Blob(store.path(document.sha256), document.size, document.sha256)
                yield Entry(f"evidence/{pin.place}/{document.role}", held)


def _keys(pins: Sequence[Pin], anchors: Anchors) -> Mapping[str, bytes]:
    """The OpenPGP keys that sign the packages, for rpm and apt on the target."""
    used = {evidence.anchor for pin in pins for evidence in pin.evidence}
    keys = (key for key in anchors.package_keys if key.fingerprint in used)
    return {f"payload/keys/{key.fingerprint}.asc": key.armored.encode() for key in keys}


def _manifest(part: Part, made: Contents, *, project: Project, lock: Lock) -> Manifest:
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
        lock_sha256=manifests.digest(json_codec.to_json(lock)),
        unusual=made.unusual,
        network_requirements=made.network_requirements,
        support=made.support,
        pins=part.pins,
        files=(),
    )
