"""How does what upstream has now differ from a lock, and which of its steps are refused?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bundler.definition.common import digest
from bundler.errors import LockError, VerificationError
from bundler.flow.project import Project
from bundler.model.frozen import frozen
from bundler.model.lock import Lock, Pin


@dataclass(frozen=True)
class RollbackPolicy:
    """Steps back that somebody asked for in so many words."""

    older: bool = False
    """Accept an older repository state or agent than the lock has."""
    replaced: bool = False
    """Accept other bytes under a version that the lock has."""


NO_STEPS_BACK = RollbackPolicy()


@frozen
class LockChange:
    """One difference between a lock and what upstream has now."""

    place: str
    what: Literal["new-package", "gone", "version", "bytes", "definition", "anchors"]
    was: str
    now: str


def definition_changes(lock: Lock, project: Project) -> Sequence[LockChange]:
    """Whether the definition or the anchors are others than those that ``lock`` was taken for."""
    wanted = digest(project.definition)
    moves = []
    if lock.definition != wanted:
        moves.append(LockChange(place="", what="definition", was=lock.definition[:12], now=wanted[:12]))
    if lock.anchors_sha256 != project.anchors_sha256:
        was, now = f"{lock.anchors} {lock.anchors_sha256[:12]}", f"{project.anchors.name} {project.anchors_sha256[:12]}"
        moves.append(LockChange(place="", what="anchors", was=was, now=now))
    return moves


def package_changes(previous: Lock, pins: Sequence[Pin]) -> tuple[LockChange, ...]:
    """Which packages came, went, or are others than in the ``previous`` lock."""
    before = {pin.place: pin for pin in previous.pins}
    after = {pin.place: pin for pin in pins}
    moves = [
        LockChange(place=place, what="gone", was=pin.facts.version, now="")
        for place, pin in before.items()
        if place not in after
    ]
    for place, pin in after.items():
        was = before.get(place)
        if was is None:
            moves.append(LockChange(place=place, what="new-package", was="", now=pin.facts.version))
        elif was.facts.version != pin.facts.version:
            moves.append(LockChange(place=place, what="version", was=was.facts.version, now=pin.facts.version))
        elif was.sha256 != pin.sha256:
            moves.append(LockChange(place=place, what="bytes", was=was.sha256, now=pin.sha256))
    return tuple(moves)


def require_later(previous: Lock, at: datetime) -> None:
    """Refuse to take a lock before the one that is there: servers know by its time which bundle is newer."""
    if at < previous.created:
        raise LockError(
            f"this machine's clock says {at:%Y-%m-%d %H:%M} UTC, and the lock was taken at "
            f"{previous.created:%Y-%m-%d %H:%M} UTC",
            do="set the clock; a bundle from an earlier time would be refused as a step back",
        )


def check_rollback(previous: Lock, pins: Sequence[Pin], allow: RollbackPolicy) -> None:
    """Refuse an older version (LockError), and other bytes under the same version (VerificationError, ``replaced``)."""
    before = {pin.place: pin for pin in previous.pins}
    for pin in pins:
        was = before.get(pin.place)
        if was is None:
            continue
        if not allow.older and _older(pin.facts.version, was.facts.version):
            raise LockError(
                f"{pin.place}: this would pin {pin.facts.version}, and the lock already had {was.facts.version}",
                do="if the definition asks for that, say `--allow-older`; otherwise upstream went back: look why",
            )
        if not allow.replaced and pin.facts.version == was.facts.version and pin.sha256 != was.sha256:
            raise VerificationError(
                f"{pin.place}: version {pin.facts.version} has other bytes than when the lock was taken",
                reason="replaced",
                details=[f"locked: {was.sha256}", f"now:    {pin.sha256}"],
                do="ask its publisher, for a published version should never change; "
                "if they confirm it, say `--allow-replaced`",
            )


def _older(version: str, than: str) -> bool:
    """Compare agent versions, which are numbers with dots (and a dash before an rpm's release)."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.replace("-", ".").split("."))
