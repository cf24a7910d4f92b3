"""Makes the lock of a definition: keeps the pins that still answer it, and resolves the other packages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bundler.definition.common import changed_fields, digest, field_digests, version
from bundler.fetch.download import Downloader
from bundler.flow import lock_changes, lock_keep, lock_resolve
from bundler.flow.lock_changes import NO_ROLLBACK, LockChange, RollbackPolicy
from bundler.flow.project import Project
from bundler.model.artifact import Artifact
from bundler.model.lock import Lock, Pin

_TICK = timedelta(seconds=1)
"""The resolution of a lock's time, and so of a bundle's serial."""


@dataclass(frozen=True)
class Resolved:
    """The lock of a definition, and how it differs from the previous one."""

    lock: Lock
    changes: tuple[LockChange, ...]
    kept: frozenset[str] = frozenset()
    """Places of the pins that are the previous lock's."""
    changed: bool = True
    """False where ``lock`` is the previous one."""


def resolve(
    project: Project,
    downloader: Downloader,
    *,
    at: datetime,
    environment: Mapping[str, str],
    previous: Lock | None = None,
    upgrade: Collection[Artifact] = (),
    allow: RollbackPolicy = NO_ROLLBACK,
) -> Resolved:
    """Make the lock of a definition; nothing is pinned that was not verified now.

    1. Tell which pins of the previous lock still answer the definition.
    2. Verify those again: what does not verify is neither kept nor replaced.
    3. Resolve the other artifacts, and those to upgrade.
    4. Keep the previous lock as a whole where nothing changed.

    Args:
        project: The loaded definition.
        downloader: Fetches metadata and packages, and the bytes that the store lacks.
        at: Becomes the time of a lock that changed; signatures are verified for it.
        environment: Variables that the definition's version may name.
        previous: The lock to keep pins of; also a floor for versions and repository dates.
        upgrade: Artifacts for which upstream is asked although a pin answers them.
        allow: Rollbacks to accept.

    Raises:
        UpstreamError: a package cannot be found or fetched.
        VerificationError: a package, a pin or its metadata cannot be verified, or was replaced.
        LockError: a rollback.

    """
    if previous:
        lock_changes.require_later(previous, at)
    answers = lock_keep.answering(previous.pins if previous else (), project.artifacts)
    keep = {
        artifact: pin
        for artifact, pin in zip(project.artifacts, answers, strict=True)
        if pin is not None and artifact not in upgrade
    }
    kept = lock_keep.verified(tuple(keep.values()), project, downloader, at)
    missing = [artifact for artifact in project.artifacts if artifact not in keep]
    resolved = lock_resolve.pins(missing, project, downloader, at=at, previous=previous, allow_older=allow.older)
    if previous:
        lock_changes.check_rollback(previous, resolved, allow)
    found = dict(zip((*keep, *missing), (*kept, *resolved), strict=True))
    pins = tuple(found[artifact] for artifact in project.artifacts)
    fresh = _lock(project, pins, environment, at if previous is None else max(at, previous.created + _TICK))
    places = frozenset(pin.place for pin in kept)
    if previous and _is_same(previous, fresh, project, environment, at):
        return Resolved(previous, (), places, changed=False)
    return Resolved(fresh, lock_changes.changes(previous, project, pins) if previous else (), places)


def _lock(project: Project, pins: tuple[Pin, ...], environment: Mapping[str, str], created: datetime) -> Lock:
    definition = project.definition
    return Lock(
        name=definition.name,
        version=version(definition, created.date(), environment, _versions(pins)),
        created=created,
        definition=digest(definition),
        fields=field_digests(definition),
        anchors=project.anchors.name,
        anchors_sha256=project.anchors_sha256,
        pins=pins,
    )


def _versions(pins: Iterable[Pin]) -> Iterable[str]:
    return (pin.facts.version for pin in pins)


def _is_same(previous: Lock, fresh: Lock, project: Project, environment: Mapping[str, str], at: datetime) -> bool:
    """Whether ``fresh`` differs from ``previous`` by its time alone, so that the file stays as it is.

    The time at which upstream was asked is no difference of its own, unless it was not known: a nightly job that finds
    nothing newer must not make a new bundle each night. A lock with a bundle that has expired is renewed.
    """
    days = project.definition.seal.valid_days
    if days and previous.created + timedelta(days=days) <= at:
        return False
    definition = project.definition
    if version(definition, previous.created.date(), environment, _versions(fresh.pins)) != previous.version:
        return False
    if previous.fields and not changed_fields(previous.fields, fresh.fields):
        fresh = replace(fresh, definition=previous.definition)
    asked = {pin.place: pin.asked for pin in previous.pins}
    same = replace(
        fresh,
        schema=previous.schema,
        version=previous.version,
        created=previous.created,
        fields=fresh.fields if previous.fields else {},
        pins=tuple(replace(pin, asked=asked.get(pin.place) or pin.asked) for pin in fresh.pins),
    )
    return same == previous
