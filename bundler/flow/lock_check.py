"""Compares a lock with its definition and with what upstream has now, and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bundler.fetch.download import Downloader
from bundler.flow import lock_changes, lock_keep, lock_resolve
from bundler.flow.lock_changes import LockChange
from bundler.flow.project import Project
from bundler.model.artifact import Artifact
from bundler.model.lock import Lock, Pin


@dataclass(frozen=True)
class LockCheck:
    """How a lock differs from what it would be now."""

    definition: tuple[LockChange, ...]
    """What the definition or the anchors changed, with the packages that follow from that."""
    upstream: tuple[LockChange, ...]
    """The pins that would move, although they still answer the definition."""
    asked: bool = True
    """False where upstream was not asked: offline, and the definition alone answers."""

    @property
    def changed(self) -> tuple[str, ...]:
        """Which of the two changed: ``definition``, ``upstream``."""
        return tuple(name for name in ("definition", "upstream") if getattr(self, name))


def check(lock: Lock, project: Project, downloader: Downloader, *, at: datetime) -> LockCheck:
    """Compare ``lock`` with the definition, then with upstream.

    Args:
        lock: What was locked.
        project: The loaded definition.
        downloader: Fetches metadata and packages; offline, upstream is not asked where the definition has changed.
        at: Time of asking; signatures are verified for it.

    Raises:
        UpstreamError: upstream cannot be asked.
        VerificationError: what upstream has does not verify.
        LockError: this machine's clock is behind the lock.

    """
    lock_changes.require_later(lock, at)
    definition = tuple(lock_changes.definition_changes(lock, project))
    answers = lock_keep.answering(lock.pins, project.artifacts)
    if downloader.offline and definition:
        return LockCheck(definition + _requested(lock, project.artifacts, answers), (), asked=False)
    fresh = lock_resolve.pins(project.artifacts, project, downloader, at=at, previous=lock, allow_older=True)
    pairs = zip(answers, fresh, strict=True)
    moved = tuple(change for was, now in pairs if was and (change := lock_changes.package_change(was, now)))
    answered = tuple(was or now for was, now in zip(answers, fresh, strict=True))
    return LockCheck(definition + lock_changes.package_changes(lock, answered), moved)


def _requested(lock: Lock, artifacts: Sequence[Artifact], answers: Sequence[Pin | None]) -> tuple[LockChange, ...]:
    """The packages that a definition adds, by the version that it asks for, and those that it drops."""
    added = (
        LockChange(place=one.place, what="new-package", was="", now=one.version, artifact=one.name)
        for one, answer in zip(artifacts, answers, strict=True)
        if answer is None
    )
    kept = {one.place for one in artifacts}
    gone = (
        LockChange(place=pin.place, what="gone", was=pin.facts.version, now="", artifact=pin.name)
        for pin in lock.pins
        if pin.place not in kept
    )
    return (*added, *gone)
