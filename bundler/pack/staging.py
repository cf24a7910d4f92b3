"""Writes an output completely or not at all.

1. Work in a hidden folder beside the final name, so on the same volume, and hold a lock beside that folder.
2. Flush it to the disk, and move it to the final name in one step.
3. If the process is killed, the system releases the lock, and the next run that works there removes the folder.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from bundler.errors import WriteError
from bundler.fetch import disk
from bundler.fetch.disk import writing
from bundler.pack.content import CHUNK

_PREFIX = ".arc-bundler-"
_LOCK = ".lock"
_WORK = ".partial"
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.EACCES)
"""Errors of systems for moving a folder to a name that is taken."""


@contextmanager
def Staging(final: Path, *, needed: int = 0) -> Iterator[Path]:  # noqa: N802  # reads as what it gives
    """Give a new, empty folder that becomes ``final`` when the block succeeds, and is removed when it fails.

    Args:
        final: the output's name. If it exists by then with exactly the same files, nothing changes.
        needed: bytes that must be free on the volume.

    Raises:
        WriteError: writing fails, or ``final`` exists with other files, which are not touched.
    """
    with _workplace(final, needed) as work:
        folder = work / "output"
        with writing(folder):
            folder.mkdir()
        yield folder
        with writing(final):
            _flush(folder)
            _move_folder(folder, final)


def write_file(path: Path, document: bytes, *, private: bool = False) -> None:
    """Write ``document`` as ``path``, replacing what was there in one step. Raises :class:`WriteError`.

    ``private``: readable by its owner only, where the system has such modes.
    """
    with written(path, document, private=private):
        pass


@contextmanager
def written(path: Path, document: bytes, *, private: bool = False) -> Iterator[None]:
    """As :func:`write_file`, but ``path`` gets the document only when the block succeeds."""
    with replacement(path, needed=len(document)) as fresh:
        with writing(path):
            fresh.touch(0o600 if private else 0o666)
            fresh.write_bytes(document)
        yield


def write_within(root: Path, path: str, document: bytes) -> None:
    """As :func:`write_file`, for the file ``path`` in the folder ``root``, in which every name is checked.

    Work is done beside ``root``, so that it never contains another file or an empty folder, even after a kill.
    """
    with _workplace(root, len(document)) as work, writing(root / path):
        fresh = work / "output" / path
        fresh.parent.mkdir(parents=True)
        fresh.write_bytes(document)
        _flush(work / "output")
        first = path.split("/", maxsplit=1)[0]
        with suppress(FileExistsError):
            _move_new(work / "output" / first, root / first)
            return
        fresh.replace(root / path)
        disk.fsync_dir((root / path).parent)


def _move_new(made: Path, final: Path) -> None:
    """Rename ``made`` to ``final``. Raises FileExistsError where that exists."""
    if os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    try:
        made.rename(final)
    except OSError as error:
        if error.errno in _TAKEN and os.path.lexists(final):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        raise
    disk.fsync_dir(final.parent)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Lock ``path`` for the block, against other processes that do the same. Raises :class:`WriteError`."""
    held = path.with_name(f"{_PREFIX}{path.name}{_LOCK}")
    lock = _lock(held)
    with writing(path.parent):
        taken = _acquire(lock, held)
    if not taken:
        raise WriteError(
            f"another process is changing {path}",
            do="run the same command again when it has finished",
        )
    try:
        yield
    finally:
        _release(lock, held)


@contextmanager
def replacement(path: Path, *, needed: int = 0) -> Iterator[Path]:
    """Give a path to write a file at, which replaces ``path`` in one step when the block succeeds.

    The path's folder belongs to the block, also for other temporary files, and is removed with it.
    ``needed`` bytes must be free on the volume. Raises :class:`WriteError`.
    """
    with _workplace(path, needed) as work:
        fresh = work / "output"
        yield fresh
        with writing(path):
            _flush(fresh)
            fresh.replace(path)
            disk.fsync_dir(path.parent)


@contextmanager
def _workplace(final: Path, needed: int) -> Iterator[Path]:
    parent = final.parent
    with ExitStack() as stack:
        with writing(parent):
            parent.mkdir(parents=True, exist_ok=True)
            _sweep(parent)
            if needed:
                disk.require(parent, needed, "the output")
            work = _claim(parent, stack)
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        with writing(work):
            work.mkdir(
                0o700
            )  # for its owner only while it is incomplete; the output keeps its own modes when it is moved
        yield work


def _claim(parent: Path, stack: ExitStack) -> Path:
    """An unused name, with its lock held until ``stack`` ends."""
    while True:
        work = parent / f"{_PREFIX}{secrets.token_hex(8)}{_WORK}"
        path = work.with_suffix(_LOCK)
        lock = _lock(path)
        if _acquire(lock, path):
            stack.callback(_release, lock, path)
            return work


def _acquire(lock: FileLock, path: Path) -> bool:
    """Acquire the lock with the file ``path``; False if another process has it.

    Between creating and acquiring it, the sweep of another process may acquire it as stale, or have removed it.
    """
    with suppress(Timeout):
        lock.acquire(timeout=0)
        if path.exists():
            return True
        lock.release(force=True)
    return False


def _sweep(parent: Path) -> None:
    """Remove what killed processes left in ``parent``; what cannot be removed is left for the next run."""
    for path in parent.glob(f"{_PREFIX}*{_LOCK}"):
        lock = _lock(path)
        with suppress(Timeout, OSError):
            lock.acquire(timeout=0)
            shutil.rmtree(path.with_suffix(_WORK), ignore_errors=True)
            _release(lock, path)


def _lock(path: Path) -> FileLock:
    return FileLock(path, is_singleton=False)


def _release(lock: FileLock, path: Path) -> None:
    # Removed while held, so that no other process acquires it; Windows cannot remove an open file, so again afterwards.
    with suppress(OSError):
        path.unlink(missing_ok=True)
    lock.release(force=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _move_folder(folder: Path, final: Path) -> None:
    # POSIX lets a folder replace an empty one, Windows does not. In both cases no existing file is touched.
    with suppress(FileExistsError):
        _move_new(folder, final)
        return
    if not _same(folder, final):
        raise WriteError(
            f"{final} already exists with other content",
            do="give the bundle another version, or move the old one away: it is not overwritten",
        )


def _same(one: Path, other: Path) -> bool:
    """Whether two paths contain the same names and bytes."""
    kinds = [stat.S_IFMT(path.lstat().st_mode) for path in (one, other)]
    if kinds[0] != kinds[1]:
        return False
    if kinds[0] == stat.S_IFDIR:
        names = sorted(path.name for path in one.iterdir())
        return names == sorted(path.name for path in other.iterdir()) and all(
            _same(one / name, other / name) for name in names
        )
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(CHUNK):
            if chunk != second.read(CHUNK):
                return False
    return True


def _flush(path: Path) -> None:
    """Flush ``path`` and everything below it to the disk: after a power cut no name may be there without its bytes."""
    if path.is_dir():
        for child in path.iterdir():
            _flush(child)
        disk.fsync_dir(path)
    else:
        with path.open("r+b") as file:
            os.fsync(file.fileno())
