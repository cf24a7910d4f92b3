"""Extracts the facts that a manifest or a lock states, so that two of them can be compared.

Every field is a fact of its own or a part of one. A field that is not named here, because it is newer than this module,
becomes a fact under ``records``: nothing is left out silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bundler.flow import lock_document
from bundler.flow.diff.extract_packages import of_pins
from bundler.flow.diff.format import shown, size_and_digest
from bundler.flow.diff.model import THERE, Fact, all_under, each, fields_of, numbered, order_of
from bundler.integrity import sums
from bundler.model.diff import Topic
from bundler.model.lock import Lock
from bundler.model.manifest import FileEntry, Manifest
from bundler.model.network_requirement import NetworkRequirement
from bundler.model.script_action import ScriptActions, Step
from bundler.model.script_runtime import ScriptRuntime
from bundler.model.seal import Approval, SignatureForms, Signer
from bundler.model.target import Support

_MANIFEST: Mapping[str, Topic] = {
    "lab": "anchors",
    "anchors": "anchors",
    "anchors_sha256": "anchors",
    "name": "bundle",
    "version": "bundle",
    "product": "bundle",
    "serial": "bundle",
    "header_templates": "runtimes",
    "not_after": "bundle",
}
_PARTS = frozenset(
    [
        "parameters",
        "pins",
        "files",
        "seal",
        "scripts_signed_by",
        "approval",
        "targets",
        "weakened",
        "unusual",
        "warnings",
        "network_requirements",
        "script_actions",
        "support",
        "runtimes",
        "signature_forms",
    ]
)
"""Fields of a manifest that become facts item by item."""


def of_manifest(manifest: Manifest) -> Iterator[Fact]:
    """The facts of a manifest."""
    yield from fields_of(manifest, _MANIFEST, subject="", skip=_PARTS)
    yield from _listed("weakened", "weakened", manifest.weakened)
    yield from _listed("weakened", "unusual", manifest.unusual)
    yield from _listed("weakened", "warnings", manifest.warnings)
    yield from _listed("targets", "targets", manifest.targets)
    if manifest.seal is not None:
        yield Fact("seal", "", "signer", manifest.seal.signer, shown(manifest.seal.signer))
        yield from fields_of(manifest.seal, {"openpgp": "seal"}, subject="", skip={"signer"})
    if manifest.scripts_signed_by is not None:
        yield Fact("seal", "scripts", "signer", manifest.scripts_signed_by, shown(manifest.scripts_signed_by))
    if manifest.approval is not None:
        yield from _approval(manifest.approval)
    for name, text in manifest.parameters.items():
        yield Fact("parameters", name, "", text, (text,))
    yield from each("network_requirements", manifest.network_requirements, _address, _requirement)
    yield from each("script_actions", manifest.script_actions, lambda one: one.script, _actions)
    yield from each("support", manifest.support, lambda one: one.version, _support)
    yield from each("runtimes", manifest.runtimes, lambda one: one.script, _runtime)
    yield from each("signature_forms", manifest.signature_forms, lambda one: one.sha256, _forms)
    yield from of_pins(manifest.pins)
    yield from each("files", manifest.files, lambda file: file.path, _file)


def of_lock(lock: Lock) -> Iterator[Fact]:
    """The facts of a lock."""
    yield from fields_of(lock, _MANIFEST, subject="", skip={"pins", "fields"})
    for name, sha256 in lock.fields.items():
        yield Fact("records", name, "definition field", sha256, (f"SHA-256 {sha256}",))
    yield from of_pins(lock.pins)


def shared(stated: Manifest | Lock) -> Iterator[Fact]:
    """The facts that a lock and a manifest share, to compare a lock with a bundle built from it."""
    for name in ("name", "version", "anchors", "anchors_sha256"):
        text = getattr(stated, name)
        yield Fact(_MANIFEST[name], "", name, text, (text,))
    if isinstance(stated, Lock):
        sha256, created = lock_document.digest(stated), stated.created
    else:
        sha256, created = stated.lock_sha256, stated.created
    yield Fact("records", "", "lock_sha256", sha256, (sha256,))
    yield Fact("records", "", "created", created, shown(created))
    yield from of_pins(stated.pins)


def of_signatures(signatures: Mapping[str, str], *, same: bool) -> Iterator[Fact]:
    """The seals and approvals of a bundle, by path and SHA-256.

    Compare signatures only when the signed content is equal (``same``); otherwise every signature differs.
    """
    for path, sha256 in signatures.items():
        topic: Topic = "approval" if path.startswith(sums.APPROVALS) else "seal"
        if topic == "approval" and not same:
            continue
        yield Fact(topic, path, "signature", sha256 if same else THERE, (f"SHA-256 {sha256}",))


def _address(one: NetworkRequirement) -> str:
    return f"{one.host}:{one.port} {one.feature}, from the {one.origin}"


def _requirement(key: str, one: NetworkRequirement) -> Iterator[Fact]:
    """An address that the servers or the jump host connect to."""
    owner = ("contact", key)
    need = "required" if one.required else "optional"
    summary = f"{one.way}, {one.phase}, {need}: {one.why}"
    yield Fact("endpoints", key, "", THERE, (summary,), owner, headline=True)
    yield from fields_of(one, all_under(one, "endpoints"), subject=key, owner=owner, skip={"host", "port", "feature"})


def _actions(script: str, actions: ScriptActions) -> Iterator[Fact]:
    """The actions of a script, a fact for each step."""
    owner = ("script", script)
    yield Fact("steps", script, "", THERE, (actions.platform,), owner, headline=True)
    yield from fields_of(actions, all_under(actions, "steps"), subject=script, owner=owner, skip={"script", "steps"})

    def step_facts(name: str, step: Step) -> Iterator[Fact]:
        yield Fact("steps", script, name, step, shown(step.actions), owner, headline=True)

    yield from each(f"{script} steps", actions.steps, lambda step: step.name, step_facts, owner=owner)


def _support(version: str, one: Support) -> Iterator[Fact]:
    until = one.until.isoformat() if one.until else "not known"
    yield Fact("packages", f"version {version}", "supported until", one, (until, *filter(None, [one.source])))


def _runtime(script: str, one: ScriptRuntime) -> Iterator[Fact]:
    yield Fact("runtimes", script, "", one, (f"{one.product} {one.platform}", f"SHA-256 {one.digest}"))


def _forms(sha256: str, one: SignatureForms) -> Iterator[Fact]:
    """The forms of one certificate's signatures, which may have several lengths."""
    lines = (f"{form.size} bytes, the first {form.prefix_size} SHA-256 {form.prefix_sha256}" for form in one.forms)
    yield Fact("seal", sha256, "forms of signatures", one, tuple(lines))


def _approval(approval: Approval) -> Iterator[Fact]:
    def approver_fact(name: str, approver: Signer) -> Iterator[Fact]:
        yield Fact("approval", name, "approver", approver, shown(approver))

    yield from fields_of(approval, {"required": "approval"}, subject="", skip={"approvers"})
    yield from each("approvers", approval.approvers, lambda approver: approver.name, approver_fact)


def _file(path: str, file: FileEntry) -> Iterator[Fact]:
    owner = ("file", path)
    content = size_and_digest(file.size, file.sha256)
    yield Fact("files", path, "", THERE, (f"mode {file.mode}", *content), owner, headline=True)
    yield Fact("files", path, "content", (file.sha256, file.size), content, owner)
    yield from fields_of(file, all_under(file, "files"), subject=path, owner=owner, skip={"path", "size", "sha256"})


def _listed(topic: Topic, what: str, items: tuple[object, ...]) -> Iterator[Fact]:
    """A fact for each item of a list, and one for their order."""
    for name, item in numbered(items, str):
        yield Fact(topic, name, what, item)
    yield order_of(what, items)
