"""Tells whether a lock fits its definition, and gets the lock for a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bundler.errors import LockError
from bundler.fetch.download import Downloader
from bundler.flow import lock_changes, lock_file
from bundler.flow.lock_changes import LockChange
from bundler.flow.project import Project
from bundler.model.lock import Lock
from bundler.model.target import Target


@dataclass(frozen=True)
class _Package:
    """A package that a definition requests and a lock pins, whatever its version."""

    place: str
    name: str
    kind: str
    architecture: str
    targets: tuple[Target, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.architecture} at {self.place} for {' '.join(map(str, self.targets))}"


@dataclass(frozen=True)
class Obtained:
    """The lock for a build."""

    lock: Lock
    written: bool = False
    """Whether the build wrote it: there was none, or the definition had changed."""


def obtain(
    path: Path,
    project: Project,
    downloader: Downloader,
    *,
    locked: bool,
    at: datetime,
    environment: Mapping[str, str],
) -> Obtained:
    """The lock at ``path``; where there is none, or the definition changed, a new one that is written there.

    A new one keeps every pin that still answers the definition: a build moves no package by itself.

    Args:
        path: Where the lock is, or will be.
        project: The definition that it must fit.
        downloader: Fetches what a new lock pins.
        locked: Refuse to write a lock (``--locked``).
        at: Becomes the time of a new lock.
        environment: Variables that the definition's version may name.

    Raises:
        LockError: no lock with ``locked``, or one that does not fit.
        BundlerError: what resolving raises.

    """
    lock = lock_file.read(path)
    if lock is not None and (locked or not lock_changes.definition_changes(lock, project)):
        require_fit(lock, project, path)
        return Obtained(lock)
    if locked:
        raise LockError(
            f"there is no lock at {path}, and --locked forbids creating one",
            do="run `arc-bundler lock`, review the file, commit it",
        )
    # Imported here: a build from a lock needs neither the sources nor what verifies their metadata.
    from bundler.flow import lock as locks

    resolved = locks.resolve(project, downloader, at=at, environment=environment, previous=lock)
    lock_file.write(resolved.lock, path)
    return Obtained(resolved.lock, written=True)


def require_fit(lock: Lock, project: Project, path: Path) -> None:
    """Raise LockError for a lock of another definition, of other anchors, or with edited pins."""
    changes = lock_changes.definition_changes(lock, project)
    if changes:
        raise _stale(lock, project, path, changes)
    requested = [_Package(a.place, a.name, a.kind, a.architecture, a.targets) for a in project.artifacts]
    pinned = [_Package(pin.place, pin.name, pin.kind, pin.facts.architecture, pin.targets) for pin in lock.pins]
    if lock.name != project.definition.name or requested != pinned:
        raise LockError(
            f"the lock at {path} was edited: its pins are not what the definition requests",
            details=[
                f"pinned: {', '.join(map(str, pinned))}",
                f"requested: {', '.join(map(str, requested))}",
            ],
            do="find out who edited it, then create it again with `arc-bundler lock`",
        )


def _stale(lock: Lock, project: Project, path: Path, changes: Sequence[LockChange]) -> LockError:
    """The error for a lock that does not fit any more: whether its pins still do, and otherwise which do not."""
    details = [*map(_told, changes), *unfit(lock, project)]
    what = f"the lock at {path} is out of date: {' and '.join(change.what for change in changes)} changed"
    if len(details) == len(changes):
        return LockError(f"{what}; the pins still fit", details=details, do="run `arc-bundler lock` (it keeps them)")
    return LockError(
        what,
        details=details,
        do="run `arc-bundler lock`: it keeps the pins that fit, and asks upstream for the others",
    )


def _told(change: LockChange) -> str:
    if change.fields:
        return f"{change.what}: {', '.join(change.fields)} changed"
    if change.what == "definition":
        return "definition: a lock of 0.3.0 or older does not tell which fields changed"
    return f"{change.what}: {change.was} in the lock, {change.now} now"


def unfit(lock: Lock, project: Project) -> list[str]:
    """What the definition requests and no pin of ``lock`` answers, each with the reason."""
    from bundler.flow import lock_keep

    answers = lock_keep.answering(lock.pins, project.artifacts)
    pinned = {pin.place: pin for pin in lock.pins}
    lines = []
    for artifact, answer in zip(project.artifacts, answers, strict=True):
        if answer is None:
            there = pinned.get(artifact.place)
            why = lock_keep.misfit(there, artifact) if there else "the lock has none"
            targets = ", ".join(map(str, artifact.targets))
            lines.append(f"does not fit: {artifact.name} {artifact.version} for {targets}; {why}")
    return lines
