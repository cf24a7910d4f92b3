"""Reads, writes and checks ``bundle.lock``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bundler.errors import LockError
from bundler.fetch.download import Downloader
from bundler.flow import lock_changes
from bundler.flow.project import Project
from bundler.formats import json_codec, strict_json
from bundler.formats.schema_age import schema_age
from bundler.model.lock import LOCK_FORMER_KEYS, LOCK_SCHEMA, Lock
from bundler.model.target import Target
from bundler.pack.staging import write_file

# A pin with its evidence has 6 kB; a lock of every target has 200 kB.
_MAX_LOCK = 4 << 20
_MAX_EVIDENCE = 64 << 20
"""Bytes of one repository document: those are read at once, and locking fetches none that is larger
(:mod:`bundler.trust.apt_chain`, :mod:`bundler.trust.yum_chain`)."""
_NOW = {"taken": "created"}
"""The key of today for a key of the lock's former form."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


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


def read(path: Path) -> Lock | None:
    """The lock at ``path``, or None where there is no file. Raises LockError for a file that is no lock."""
    document = _document(path)
    return None if document is None else _parse(document, path)


def _document(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            document = file.read(_MAX_LOCK + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"the lock at {path} cannot be read: {error.strerror or error}") from error
    if len(document) > _MAX_LOCK:
        raise LockError(f"{path} is larger than {_MAX_LOCK} bytes, which no lock is")
    return document


def _parse(document: bytes, path: Path) -> Lock:
    try:
        lock = json_codec.from_json(Lock, document)
        _require_sound(lock)
    except ValueError as error:
        age = schema_age(document, LOCK_SCHEMA, LOCK_FORMER_KEYS)
        if age == "older":
            raise LockError(f"the lock at {path} was written before 0.2.0", do="run `arc-bundler lock`") from error
        if age == "newer":
            raise LockError(
                f"the lock at {path} was made by a newer arc-bundler",
                do="upgrade arc-bundler, then run the same command again",
            ) from error
        raise LockError(
            f"the lock at {path} is damaged: {error}",
            do="restore it from version control, or delete it and run `arc-bundler lock`",
        ) from error
    return lock


def read_former(path: Path) -> tuple[Lock | None, bool]:
    """Read the lock at ``path`` to replace it: as :func:`read`, and also in the form from before 0.2.0.

    What the former lock pins still protects from a rollback.

    Returns:
        The lock, None where there is none; and whether it has the former form, so that it must be written again.

    Raises:
        LockError: it cannot be read.
    """
    document = _document(path)
    if document is None:
        return None, False
    if schema_age(document, LOCK_SCHEMA, LOCK_FORMER_KEYS) != "older":
        return _parse(document, path), False
    tree = strict_json.read(document)
    return _parse(json.dumps({_NOW.get(key, key): value for key, value in tree.items()}).encode(), path), True


def _require_sound(lock: Lock) -> None:
    """Raise ValueError for another schema, and for a digest that is not 64 hex digits: a file's name in the store."""
    if lock.schema != LOCK_SCHEMA:
        raise ValueError(f"it has the schema {lock.schema!a}; this release reads {LOCK_SCHEMA}")
    for pin in lock.pins:
        for sha256, size in ((pin.sha256, pin.size), *((held.sha256, held.size) for held in pin.documents)):
            if not _SHA256.fullmatch(sha256) or size < 0:
                raise ValueError(
                    f"pins.{pin.place}: {sha256!r} with {size} bytes cannot be the digest and size of a file"
                )
        for document in pin.documents:
            if document.size > _MAX_EVIDENCE:
                raise ValueError(f"pins.{pin.place}: {document.role} has {document.size} bytes, which no document has")


def write(lock: Lock, path: Path) -> None:
    """Write the lock to ``path`` in one step. Raises WriteError."""
    write_file(path, json_codec.to_json(lock))


def obtain(
    path: Path,
    project: Project,
    downloader: Downloader,
    *,
    locked: bool,
    at: datetime,
    environment: Mapping[str, str],
) -> Lock:
    """The lock at ``path``, checked against the definition; where there is none, a new one that is written there.

    Args:
        path: Where the lock is, or will be.
        project: The definition that it must fit.
        downloader: Fetches what a new lock pins.
        locked: Refuse to create a lock (``--locked``).
        at: Becomes the time of a new lock.
        environment: Variables that the definition's version may name.

    Raises:
        LockError: no lock with ``locked``, or one that does not fit.
        BundlerError: what resolving raises.

    """
    lock = read(path)
    if lock is None:
        if locked:
            raise LockError(
                f"there is no lock at {path}, and --locked forbids creating one",
                do="run `arc-bundler lock`, review the file, commit it",
            )
        # Imported here: a build from a lock needs neither the sources nor what verifies their metadata.
        from bundler.flow import lock as locks

        lock = locks.resolve(project, downloader, at=at, environment=environment).lock
        write(lock, path)
    require_fit(lock, project, path)
    return lock


def require_fit(lock: Lock, project: Project, path: Path) -> None:
    """Raise LockError for a lock of another definition, of other anchors, or with edited pins."""
    changes = lock_changes.definition_changes(lock, project)
    if changes:
        raise LockError(
            f"the lock at {path} is out of date: {' and '.join(change.what for change in changes)} changed",
            details=[f"{change.what}: {change.was} in the lock, {change.now} now" for change in changes],
            do="review what changed, then create the lock again with `arc-bundler lock`",
        )
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


def keep_time(fresh: Lock, previous: Lock) -> Lock:
    """The ``fresh`` lock, with the previous one's time where nothing else differs.

    Locking again without an upstream change then leaves the file as it was.
    """
    same = replace(fresh, created=previous.created)
    return same if same == previous else fresh
