"""Compares a lock with the definition and with what upstream has now, and refuses rollbacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bundler.definition.common import changed_fields, digest, field_digests
from bundler.errors import LockError, VerificationError
from bundler.flow.project import Project
from bundler.model.frozen import frozen
from bundler.model.lock import Lock, Pin


@dataclass(frozen=True)
class RollbackPolicy:
    """Rollbacks that the command line allows."""

    older: bool = False
    """Accept an older repository state or agent than the lock has (``--allow-older``)."""
    replaced: bool = False
    """Accept other bytes for a version that the lock has (``--allow-replaced``)."""


_AHEAD = timedelta(minutes=1)

NO_ROLLBACK = RollbackPolicy()


@frozen
class LockChange:
    """One difference between a lock, and what definition and upstream are now."""

    place: str
    what: Literal["new-package", "gone", "version", "bytes", "definition", "anchors"]
    was: str
    now: str
    artifact: str = ""
    """Name of the package; empty for the definition and the anchors."""
    fields: tuple[str, ...] = ()
    """Of a definition: what changed in it, by dotted name; empty where the lock does not tell (schema 1)."""


def changes(previous: Lock, project: Project, pins: Sequence[Pin]) -> tuple[LockChange, ...]:
    """How definition, anchors and ``pins`` differ from the ``previous`` lock."""
    return (*definition_changes(previous, project), *package_changes(previous, pins))


def definition_changes(lock: Lock, project: Project) -> Sequence[LockChange]:
    """How definition and trust anchors differ from those that ``lock`` was created for."""
    current = digest(project.definition)
    changes = []
    fields = changed_fields(lock.fields, field_digests(project.definition)) if lock.fields else ()
    # Another digest without a changed field: this release knows more fields, and they are at their defaults.
    if lock.definition != current and (fields or not lock.fields):
        was, now = lock.definition[:12], current[:12]
        changes.append(LockChange(place="", what="definition", was=was, now=now, fields=fields))
    if lock.anchors_sha256 != project.anchors_sha256:
        was, now = f"{lock.anchors} {lock.anchors_sha256[:12]}", f"{project.anchors.name} {project.anchors_sha256[:12]}"
        changes.append(LockChange(place="", what="anchors", was=was, now=now))
    return changes


def package_changes(previous: Lock, pins: Sequence[Pin]) -> tuple[LockChange, ...]:
    """Which packages were added, removed or changed since the ``previous`` lock."""
    before = {pin.place: pin for pin in previous.pins}
    after = {pin.place for pin in pins}
    gone = (
        LockChange(place=place, what="gone", was=pin.facts.version, now="", artifact=pin.name)
        for place, pin in before.items()
        if place not in after
    )
    return (*gone, *(change for pin in pins if (change := package_change(before.get(pin.place), pin))))


def package_change(was: Pin | None, pin: Pin) -> LockChange | None:
    """How ``pin`` differs from the pin that ``was`` in its place; None where it does not."""
    if was is None:
        return LockChange(place=pin.place, what="new-package", was="", now=pin.facts.version, artifact=pin.name)
    if was.facts.version != pin.facts.version:
        versions = was.facts.version, pin.facts.version
        return LockChange(place=pin.place, what="version", was=versions[0], now=versions[1], artifact=pin.name)
    if was.sha256 != pin.sha256:
        return LockChange(place=pin.place, what="bytes", was=was.sha256, now=pin.sha256, artifact=pin.name)
    return None


def require_later(previous: Lock, at: datetime) -> None:
    """Raise LockError where ``at`` is before the previous lock: servers tell by that time which bundle is newer.

    Two changes in one second give the second lock a time ahead of the clock, so that some seconds are no fault.
    """
    if at < previous.created - _AHEAD:
        raise LockError(
            f"this machine's clock shows {at:%Y-%m-%d %H:%M} UTC, but the lock was created at "
            f"{previous.created:%Y-%m-%d %H:%M} UTC",
            do="set the clock; servers would refuse a bundle from an earlier time as a rollback",
        )


def check_rollback(previous: Lock, pins: Sequence[Pin], allow: RollbackPolicy) -> None:
    """Raise LockError for an older version, VerificationError (``replaced``) for other bytes of the same version."""
    before = {pin.place: pin for pin in previous.pins}
    for pin in pins:
        was = before.get(pin.place)
        if was is None:
            continue
        if not allow.older and _numbers(pin.facts.version) < _numbers(was.facts.version):
            raise LockError(
                f"{pin.place}: upstream has {pin.facts.version}, which is older than {was.facts.version} in the lock",
                do="find out why upstream went back; if the definition requests the older version, add `--allow-older`",
            )
        if not allow.replaced and pin.facts.version == was.facts.version and pin.sha256 != was.sha256:
            raise VerificationError(
                f"{pin.place}: version {pin.facts.version} has different bytes now than when the lock was created",
                reason="replaced",
                details=[f"locked: {was.sha256}", f"now:    {pin.sha256}"],
                do="ask its publisher: a published version should never change; "
                "if they confirm the change, add `--allow-replaced`",
            )


def _numbers(version: str) -> tuple[int, ...]:
    """Sort key of an agent version: numbers with dots, and a dash before an rpm's release."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.replace("-", ".").split("."))
