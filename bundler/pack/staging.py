"""How does an output appear whole, or not at all?

Work happens in a hidden folder beside the final name, so on the same volume, and is moved to that name at the end.
While it lasts its maker holds a lock beside that folder; the system lets go of the lock when the maker dies, however
that happens, and the next one to work there removes what the dead left behind.
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
"""How systems say that a folder cannot be moved to where another is."""


@contextmanager
def Staging(final: Path, *, needed: int = 0) -> Iterator[Path]:  # noqa: N802  # reads as the thing that it gives
    """Give a new, empty folder that becomes ``final`` when the block ends well, and vanishes when it does not.

    ``needed`` bytes must be free on the volume. Where ``final`` exists by then, holding exactly the same files is
    success and changes nothing; anything else there is left alone. Raises :class:`WriteError`.
    """
    with _workplace(final, needed) as work:
        folder = work / "output"
        with writing(folder):
            folder.mkdir()
        yield folder
        with writing(final):
            _rest(folder)
            _move_folder(folder, final)


def write_file(path: Path, document: bytes, *, private: bool = False) -> None:
    """Write ``document`` as ``path``, replacing what was there in one step. Raises :class:`WriteError`.

    ``private``: for its owner's eyes alone, where the system has such modes.
    """
    with replacement(path, needed=len(document)) as fresh, writing(path):
        fresh.touch(0o600 if private else 0o666)
        fresh.write_bytes(document)


def write_within(root: Path, path: str, document: bytes) -> None:
    """As :func:`write_file`, for the file ``path`` in the folder ``root``, which is checked for every name in it.

    So nothing else is ever in there, not even an empty folder, whenever this is killed: the work is beside ``root``.
    """
    with _workplace(root, len(document)) as work, writing(root / path):
        fresh = work / "output" / path
        fresh.parent.mkdir(parents=True)
        fresh.write_bytes(document)
        _rest(work / "output")
        first = path.split("/", maxsplit=1)[0]
        with suppress(FileExistsError):
            _move_new(work / "output" / first, root / first)
            return
        fresh.replace(root / path)
        disk.fsync_dir((root / path).parent)


def _move_new(made: Path, final: Path) -> None:
    """Give ``made`` the name ``final``. Raises FileExistsError where that is taken."""
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
    """Let nobody else who asks so work on ``path`` while the block lasts. Raises :class:`WriteError`."""
    held = path.with_name(f"{_PREFIX}{path.name}{_LOCK}")
    lock = _lock(held)
    with writing(path.parent):
        taken = _take(lock, held)
    if not taken:
        raise WriteError(
            f"somebody else is changing {path} at this moment",
            do="run the same command again when they have finished",
        )
    try:
        yield
    finally:
        _let_go(lock, held)


@contextmanager
def replacement(path: Path, *, needed: int = 0) -> Iterator[Path]:
    """Give a name to write a file at; it takes the place of ``path`` in one step when the block ends well.

    The name's folder is the block's own, for whatever else it has to put down, and goes with the block.
    ``needed`` bytes must be free on the volume. Raises :class:`WriteError`.
    """
    with _workplace(path, needed) as work:
        fresh = work / "output"
        yield fresh
        with writing(path):
            _rest(fresh)
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
        stack.callback(_remove, work)
        with writing(work):
            work.mkdir(0o700)  # what is half made is nobody else's business; its modes stay when it is moved out
        yield work


def _claim(parent: Path, stack: ExitStack) -> Path:
    """A name that nobody else uses, with its lock held until ``stack`` ends."""
    while True:
        work = parent / f"{_PREFIX}{secrets.token_hex(8)}{_WORK}"
        path = work.with_suffix(_LOCK)
        lock = _lock(path)
        if _take(lock, path):
            stack.callback(_let_go, lock, path)
            return work


def _take(lock: FileLock, path: Path) -> bool:
    """Take the lock whose file is ``path``, unless somebody has it.

    Between making and taking it, somebody's sweep may take it for a dead one: it has it, or has removed it.
    """
    with suppress(Timeout):
        lock.acquire(timeout=0)
        if path.exists():
            return True
        lock.release(force=True)
    return False


def _sweep(parent: Path) -> None:
    """Remove what dead makers left in ``parent``; what cannot be removed is left for the next."""
    for path in parent.glob(f"{_PREFIX}*{_LOCK}"):
        lock = _lock(path)
        with suppress(Timeout, OSError):
            lock.acquire(timeout=0)
            _remove(path.with_suffix(_WORK))
            _let_go(lock, path)


def _lock(path: Path) -> FileLock:
    return FileLock(path, is_singleton=False)


def _let_go(lock: FileLock, path: Path) -> None:
    # Removed while held, so that nobody takes it in between; Windows removes nothing that is open, so again after.
    with suppress(OSError):
        path.unlink(missing_ok=True)
    lock.release(force=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _remove(work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)


def _move_folder(folder: Path, final: Path) -> None:
    # POSIX would let a folder replace an empty one; Windows replaces none. Either way nothing of others is touched.
    with suppress(FileExistsError):
        _move_new(folder, final)
        return
    if not _same(folder, final):
        raise WriteError(
            f"{final} is already there and holds something else",
            do="give the bundle another version, or move the old one away: it is never overwritten",
        )


def _same(one: Path, other: Path) -> bool:
    """Whether two paths hold the same names and bytes."""
    kinds = [stat.S_IFMT(path.lstat().st_mode) for path in (one, other)]
    if kinds[0] != kinds[1]:
        return False
    if kinds[0] == stat.S_IFDIR:
        names = sorted(path.name for path in one.iterdir())
        return names == sorted(path.name for path in other.iterdir()) and all(
            _same(one / name, other / name) for name in names
        )
    return one.stat().st_size == other.stat().st_size and _same_bytes(one, other)


def _same_bytes(one: Path, other: Path) -> bool:
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(CHUNK):
            if chunk != second.read(CHUNK):
                return False
    return True


def _rest(path: Path) -> None:
    """Bring ``path``, and all below it, to the medium: a name must not outlive a power cut that its bytes did not."""
    if path.is_dir():
        for child in path.iterdir():
            _rest(child)
        disk.fsync_dir(path)
    else:
        with path.open("r+b") as file:
            os.fsync(file.fileno())
