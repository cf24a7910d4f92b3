"""Assembles a bundle's tree from definition, lock and stored bytes.

The same input and the same release give the same bytes; every time in the tree is the lock's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bundler.fetch.store import Store
from bundler.flow import review, runtimes, script_check, script_signing
from bundler.flow.build import seal_policy
from bundler.flow.build.outputs import Part
from bundler.flow.project import Project
from bundler.flow.script_signing import Signing
from bundler.flow.side_files import contents
from bundler.formats import json_codec
from bundler.model.anchor import Anchors
from bundler.model.lock import Lock, Pin
from bundler.model.manifest import Manifest
from bundler.model.seal import SealPolicy
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import manifest as manifests
from bundler.products.arc_server import script_review, scripts
from bundler.products.arc_server.endpoints import endpoints
from bundler.products.arc_server.network_requirements import requirements
from bundler.products.arc_server.parameters import onboarding
from bundler.products.arc_server.review import vendor
from bundler.products.arc_server.script_actions import script_actions
from bundler.products.arc_server.script_parameters import ScriptParameters
from bundler.products.arc_server.support import support
from bundler.signing.seal import describe, keyring
from bundler.signing.signing_key import Sealer

PRODUCT = "arc-server"


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
    parameters = _script_parameters(project)
    policy = seal_policy.policy(project, lock, sealer)
    content = (
        *_payload(part.pins, store),
        *_evidence(part.pins, project.anchors, store),
        *(Entry(path, content) for path, content in (keyring(sealer) if sealer else {}).items()),
        *([Entry(parameters.embedded_secret, f"{secret}\n".encode())] if parameters.embedded_secret else []),
        *_scripts(part, parameters, policy, project=project, lock=lock, scripts_by=scripts_by),
    )
    description = _manifest(part, parameters, project=project, lock=lock)
    description = replace(
        description,
        serial=policy.serial,
        not_after=policy.not_after,
        seal=describe(sealer) if sealer else None,
        scripts_signed_by=script_signing.signer(content, scripts_by),
        runtimes=script_check.stated(content, PRODUCT),
        header_templates=script_review.header_templates(),
        signature_forms=seal_policy.signature_forms(policy),
        approval=seal_policy.approval(policy),
    )
    description = replace(description, script_actions=script_actions(parameters, description))
    entries = (*content, _bill(description, content, part.name))
    page = review.inside(manifests.completed(description, entries))
    return manifests.assemble(description, (*entries, page), name=part.name, time=lock.created)


def _bill(description: Manifest, content: Iterable[Entry], folder: str) -> Entry:
    # Imported here: a build that is refused earlier does not load the SBOM library.
    from bundler.pack import sbom

    return Entry(sbom.PATH, sbom.document(description, content, folder=folder, vendor=vendor(description)))


def _script_parameters(project: Project) -> ScriptParameters:
    """The script parameters; in a lab without the roots of Microsoft's MSI signature, because a lab signs its own."""
    found = onboarding(project.definition, project.attachments)
    if not project.anchors.lab:
        return found
    return replace(found, roots=tuple(root for root in found.roots if root.needed_for != "msi-signature"))


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


def _scripts(
    part: Part,
    parameters: ScriptParameters,
    policy: SealPolicy,
    *,
    project: Project,
    lock: Lock,
    scripts_by: Signing | None,
) -> Iterable[Entry]:
    table = {"config/endpoints.json": json_codec.to_json(endpoints(project.definition))}
    made = scripts.entries(
        parameters,
        part.pins,
        name=lock.name,
        version=lock.version,
        lab=project.anchors.lab,
        tool=runtimes.TOOL,
        vouching=policy,
        scripts_signed_by=scripts_by.signer if scripts_by else None,
        extra={**table, **_keys(part.pins, project.anchors), **contents(project.attachments.certificates)},
    )
    return script_signing.signed(made, scripts_by)


def _manifest(part: Part, parameters: ScriptParameters, *, project: Project, lock: Lock) -> Manifest:
    return Manifest(
        name=lock.name,
        version=lock.version,
        product=PRODUCT,
        created=lock.created,
        tool=runtimes.TOOL,
        lab=project.anchors.lab,
        targets=tuple(sorted({target for pin in part.pins for target in pin.targets}, key=str)),
        parameters=flat_parameters(parameters),
        anchors=lock.anchors,
        anchors_sha256=lock.anchors_sha256,
        lock_sha256=manifests.digest(json_codec.to_json(lock)),
        unusual=tuple(_unusual(parameters)),
        network_requirements=requirements(project.definition, project.attachments).allow,
        support=support(part.pins),
        pins=part.pins,
        files=(),
    )


def _unusual(parameters: ScriptParameters) -> Iterable[str]:
    """What a reviewer should look at twice: a secret, and CAs, which can impersonate any host to the servers."""
    if parameters.embedded_secret:
        yield f"HOLDS A SECRET: {parameters.embedded_secret}; anyone who opens the archive can read it"
    for one in parameters.certificates:
        kind = "root" if one.store == "root" else "intermediate"
        yield f"carries the {kind} {one.name} ({one.sha1}), which the scripts install where they are told to"


def flat_parameters(parameters: ScriptParameters) -> Mapping[str, str]:
    """The script parameters by dotted name, for a reviewer and for ``inspect``."""
    bare = replace(parameters, settings=(), tags={}, checks=(), roots=())
    flat = {name: text for name, text in json_codec.to_tree(bare).items() if isinstance(text, str) and text}
    flat |= {f"tags.{name}": text for name, text in parameters.tags.items()}
    flat |= {f"settings.{setting.key}": setting.value for setting in parameters.settings}
    flat |= {f"hosts.{record.host}": record.address for record in parameters.hosts_records}
    flat |= {f"certificates.{one.sha1}": one.name for one in parameters.certificates}
    if parameters.identity.members:
        flat["identity.members"] = ",".join(parameters.identity.members)
    flat |= {f"identity.{key}": "true" for key in ("environment", "prove") if getattr(parameters.identity, key)}
    return dict(sorted(flat.items()))
