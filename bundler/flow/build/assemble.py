"""Put a bundle's tree together from a lock and the bytes held: a pure function of the two and the definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bundler import __version__
from bundler.fetch.store import Store
from bundler.flow import review, script_signing
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
from bundler.model.target import Target
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import manifest as manifests
from bundler.products.arc_server import scripts
from bundler.products.arc_server.endpoints import endpoints
from bundler.products.arc_server.network_requirements import requirements
from bundler.products.arc_server.parameters import onboarding
from bundler.products.arc_server.review import vendor
from bundler.products.arc_server.script_actions import script_actions
from bundler.products.arc_server.script_parameters import ScriptParameters
from bundler.products.arc_server.support import support
from bundler.signing.seal import describe, keyring
from bundler.signing.signing_key import Sealer

TOOL = f"arc-bundler {__version__}"
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
    """The part's tree: payload, evidence, scripts, manifest and sums, which name ``sealer``; it seals nothing yet.

    The PowerShell scripts get the signatures that ``scripts_by`` has for them.

    Every time in it is the lock's, every byte follows from lock, definition and this release.
    """
    wanted = _wanted(project)
    vouched = seal_policy.vouching(project, lock, sealer)
    content = (
        *_payload(part.pins, store),
        *_evidence(part.pins, project.anchors, store),
        *_keyring(sealer),
        *_secret(wanted, secret),
        *_scripts(part, wanted, vouched, project=project, lock=lock, scripts_by=scripts_by),
    )
    description = _manifest(part, wanted, project=project, lock=lock)
    description = replace(
        description,
        serial=vouched.serial,
        not_after=vouched.not_after,
        seal=describe(sealer) if sealer else None,
        scripts_signed_by=script_signing.signer(content, scripts_by),
        approval=seal_policy.approval(vouched),
    )
    description = replace(description, script_actions=script_actions(wanted, description))
    entries = (*content, _bill(description, content, part.name))
    page = review.inside(manifests.completed(description, entries))
    return manifests.assemble(description, (*entries, page), name=part.name, time=lock.created)


def _bill(description: Manifest, content: Iterable[Entry], folder: str) -> Entry:
    # Here, not above: whose build is refused before this need not wait for the library.
    from bundler.pack import sbom

    return Entry(sbom.PATH, sbom.document(description, content, folder=folder, vendor=vendor(description)))


def _wanted(project: Project) -> ScriptParameters:
    """A lab signs its MSI itself: the root of Microsoft's signature is then nothing to look for."""
    wanted = onboarding(project.definition, project.attachments)
    if not project.anchors.lab:
        return wanted
    return replace(wanted, roots=tuple(root for root in wanted.roots if root.needed_for != "msi-signature"))


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
    """The OpenPGP keys that vouch for the packages: a target's own tools may want to check with them."""
    used = {evidence.anchor for pin in pins for evidence in pin.evidence}
    keys = (key for key in anchors.package_keys if key.fingerprint in used)
    return {f"payload/keys/{key.fingerprint}.asc": key.armored.encode() for key in keys}


def _secret(wanted: ScriptParameters, secret: str) -> Iterable[Entry]:
    """The secret, where the definition embeds it and the command allowed that."""
    if wanted.embedded_secret:
        yield Entry(wanted.embedded_secret, f"{secret}\n".encode())


def _keyring(sealer: Sealer | None) -> Iterable[Entry]:
    return (Entry(path, content) for path, content in keyring(sealer).items()) if sealer else ()


def _scripts(
    part: Part,
    wanted: ScriptParameters,
    vouched: SealPolicy,
    *,
    project: Project,
    lock: Lock,
    scripts_by: Signing | None,
) -> Iterable[Entry]:
    table = {"config/endpoints.json": json_codec.to_json(endpoints(project.definition))}
    made = scripts.entries(
        wanted,
        part.pins,
        name=lock.name,
        version=lock.version,
        lab=project.anchors.lab,
        tool=TOOL,
        vouching=vouched,
        scripts_signed_by=scripts_by.signer if scripts_by else None,
        extra={**table, **_keys(part.pins, project.anchors), **contents(project.attachments.certificates)},
    )
    return script_signing.signed(made, scripts_by)


def _manifest(part: Part, wanted: ScriptParameters, *, project: Project, lock: Lock) -> Manifest:
    return Manifest(
        name=lock.name,
        version=lock.version,
        product=PRODUCT,
        created=lock.created,
        tool=TOOL,
        lab=project.anchors.lab,
        targets=_targets(part.pins),
        parameters=parameters(wanted),
        anchors=lock.anchors,
        anchors_sha256=lock.anchors_sha256,
        lock_sha256=manifests.digest(json_codec.to_json(lock)),
        unusual=tuple(_unusual(wanted)),
        network_requirements=requirements(project.definition, project.attachments).allow,
        support=support(part.pins),
        pins=part.pins,
        files=(),
    )


def _unusual(wanted: ScriptParameters) -> Iterable[str]:
    """What a reviewer should look at twice: whoever is trusted by a machine can speak for any address to it."""
    if wanted.embedded_secret:
        yield f"HOLDS A SECRET: {wanted.embedded_secret}; whoever opens the archive has it"
    for one in wanted.certificates:
        kind = "root" if one.store == "root" else "intermediate"
        yield f"carries the {kind} {one.name} ({one.sha1}), which the scripts install where they are told to"


def _targets(pins: Iterable[Pin]) -> tuple[Target, ...]:
    return tuple(sorted({target for pin in pins for target in pin.targets}, key=str))


def parameters(wanted: ScriptParameters) -> Mapping[str, str]:
    """What is baked into the scripts, by dotted name, for a reviewer and for ``inspect``."""
    bare = replace(wanted, settings=(), tags={}, checks=(), roots=())
    flat = {name: text for name, text in json_codec.to_tree(bare).items() if isinstance(text, str) and text}
    flat |= {f"tags.{name}": text for name, text in wanted.tags.items()}
    flat |= {f"settings.{setting.key}": setting.value for setting in wanted.settings}
    flat |= {f"hosts.{record.host}": record.address for record in wanted.hosts_records}
    flat |= {f"certificates.{one.sha1}": one.name for one in wanted.certificates}
    if wanted.identity.members:
        flat["identity.members"] = ",".join(wanted.identity.members)
    flat |= {f"identity.{key}": "true" for key in ("environment", "prove") if getattr(wanted.identity, key)}
    return dict(sorted(flat.items()))
