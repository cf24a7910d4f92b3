"""What does the lock on the disk say, and may a build obey it?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from bundler.errors import LockError
from bundler.flow import lock_changes
from bundler.flow.project import Project
from bundler.formats import json_codec
from bundler.model.lock import Lock
from bundler.model.target import Target
from bundler.pack.staging import write_file

# A pin with its evidence has 6 kB; a lock of every target has 200 kB.
_MAX_LOCK = 4 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class _Asked:
    """What a definition asks for and a lock answers, whatever the versions are."""

    place: str
    name: str
    kind: str
    architecture: str
    targets: tuple[Target, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.architecture} at {self.place} for {' '.join(map(str, self.targets))}"


def read(path: Path) -> Lock | None:
    """The lock at ``path``; None where there is none. Raises LockError where it cannot be understood."""
    try:
        with path.open("rb") as file:
            document = file.read(_MAX_LOCK + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"the lock at {path} cannot be read: {error.strerror or error}") from error
    if len(document) > _MAX_LOCK:
        raise LockError(f"{path} is larger than {_MAX_LOCK} bytes: it is no lock")
    try:
        lock = json_codec.from_json(Lock, document)
        _require_digests(lock)
    except ValueError as error:
        raise LockError(
            f"the lock at {path} is damaged or of another release: {error}",
            do="take it anew with `arc-bundler lock`",
        ) from error
    return lock


def _require_digests(lock: Lock) -> None:
    """Digests name files in the store, so they must be digests. Raises ValueError."""
    for pin in lock.pins:
        for sha256, size in ((pin.sha256, pin.size), *((held.sha256, held.size) for held in pin.documents)):
            if not _SHA256.fullmatch(sha256) or size < 0:
                raise ValueError(f"pins.{pin.place}: {sha256!r} with {size} bytes is no file's digest")


def write(lock: Lock, path: Path) -> None:
    """Write the lock under its name at once, or not at all. Raises WriteError."""
    write_file(path, json_codec.to_json(lock))


def require_fit(lock: Lock, project: Project, path: Path) -> None:
    """Refuse a lock that was taken for another definition, or judged by other anchors. Raises LockError."""
    wrong = lock_changes.definition_changes(lock, project)
    if wrong:
        raise LockError(
            f"the lock at {path} does not fit any more: {' and '.join(move.what for move in wrong)} changed",
            details=[f"{move.what}: {move.was} in the lock, {move.now} now" for move in wrong],
            do="look at what changed, then take the lock anew with `arc-bundler lock`",
        )
    if lock.name != project.definition.name or _wanted(project) != _pinned(lock):
        raise LockError(
            f"the lock at {path} was edited: it does not pin what the definition asks for",
            details=[
                f"pinned: {', '.join(map(str, _pinned(lock)))}",
                f"wanted: {', '.join(map(str, _wanted(project)))}",
            ],
            do="look who changed it, then take the lock anew with `arc-bundler lock`",
        )


def _wanted(project: Project) -> list[_Asked]:
    return [_Asked(a.place, a.name, a.kind, a.architecture, a.targets) for a in project.artifacts]


def _pinned(lock: Lock) -> list[_Asked]:
    return [_Asked(pin.place, pin.name, pin.kind, pin.facts.architecture, pin.targets) for pin in lock.pins]


def keep_time(fresh: Lock, previous: Lock) -> Lock:
    """The fresh lock, under the previous one's time where nothing else differs.

    So that taking a lock again with nothing moved leaves the file as it was.
    """
    same = replace(fresh, created=previous.created)
    return same if same == previous else fresh
