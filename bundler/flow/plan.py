"""Lists what a build would do, with the reason for each step, without doing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bundler.definition.common import Output
from bundler.fetch.store import Store
from bundler.flow import fetch_pins, lock_changes, lock_keep
from bundler.flow.build.outputs import planned_outputs
from bundler.flow.project import Project
from bundler.model.artifact import Origin
from bundler.model.lock import Lock
from bundler.model.plan import Action, Plan


def plan(project: Project, lock: Lock | None, store: Store, output: Path) -> Plan:
    """The steps of a build in order. Reads the store and the output folder; uses no network and changes nothing."""
    if lock is None or lock_changes.definition_changes(lock, project):
        unlocked = tuple(_unlocked(project, lock))
        return Plan(name=project.definition.name, version=project.definition.version, actions=unlocked)
    folder = output / lock.name / lock.version
    actions = (
        *_fetch(lock, project, store),
        *_verify(lock, project),
        *_render(lock, project),
        *_write(lock, project.definition.outputs, folder),
    )
    return Plan(name=lock.name, version=lock.version, actions=actions)


def _unlocked(project: Project, lock: Lock | None) -> Iterable[Action]:
    """The steps as far as a definition without a lock of its own tells them: versions and names follow from that."""
    answers = lock_keep.answering(lock.pins if lock else (), project.artifacts)
    for artifact, pin in zip(project.artifacts, answers, strict=True):
        targets = ", ".join(map(str, artifact.targets))
        if pin:
            reason = f"{pin.name} {pin.facts.version} for {targets}: the pin still answers the changed definition"
            yield Action(verb="keep", subject=pin.path, reason=reason, size=pin.size)
            continue
        why = "the lock has no pin that answers it" if lock else "there is no lock yet"
        reason = f"{artifact.name} {artifact.version} for {targets}; {why}"
        yield Action(verb="resolve", subject=_where(artifact.origin), reason=reason)
    yield Action(verb="write", subject="bundle.lock", reason="so that later builds give the same bytes")
    for output in project.definition.outputs:
        yield Action(verb="write", subject=output.format, reason="listed in outputs; its name follows from the lock")


def _where(origin: Origin) -> str:
    if origin.kind == "file":
        return origin.path
    return origin.url if origin.kind == "url" else origin.base


def _fetch(lock: Lock, project: Project, store: Store) -> Iterable[Action]:
    for request in fetch_pins.requests(lock, project.path.parent):
        held = request.sha256 is not None and store.holds(request.sha256, request.size)
        yield Action(
            verb="reuse" if held else "fetch",
            subject=request.url,
            reason=f"{request.label}: {'already in the store' if held else 'not in the store'}, "
            f"pinned as {(request.sha256 or '')[:12]}",
            size=request.size or 0,
        )


def _verify(lock: Lock, project: Project) -> Iterable[Action]:
    for pin in lock.pins:
        methods = " and ".join(evidence.method for evidence in pin.evidence)
        yield Action(
            verb="verify",
            subject=pin.path,
            reason=f"by {methods}, trust anchors {project.anchors.name}; signed by {pin.evidence[0].signer}",
            size=pin.size,
        )


def _render(lock: Lock, project: Project) -> Iterable[Action]:
    for one in project.product.planned(project.definition, lock.pins):
        yield Action(verb="render", subject=one.path, reason=one.reason)
    secret = project.product.embedded_secret(project.definition)
    if secret:
        reason = "the servers' secret, embedded by the definition; `build` requires --allow-embedded-secret"
        yield Action(verb="render", subject=secret, reason=reason)
    yield Action(verb="render", subject="manifest.json, SHA256SUMS", reason="every file with its SHA-256")


def _write(lock: Lock, outputs: Sequence[Output], folder: Path) -> Iterable[Action]:
    for one in planned_outputs(lock, outputs):
        path = folder / one.file
        there = path.exists()
        yield Action(
            verb="skip" if there else "write",
            subject=path.as_posix(),
            reason="already exists; it is compared and never overwritten" if there else "listed in outputs",
            size=sum(pin.size for pin in one.part.pins),
        )
