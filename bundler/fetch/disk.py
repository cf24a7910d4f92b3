"""Free space, durable writes, and advice for errors of a volume.

Used for everything that is written: downloads in the store, and the outputs of the rooms above.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bundler.errors import WriteError

_MARGIN = 16 * 1024 * 1024
"""Bytes that stay free, so that small files written alongside (states, locks, logs) do not fail at the last moment."""

_ADVICE = {
    errno.ENOSPC: "free space on that volume, or choose {elsewhere}",
    errno.EDQUOT: "free space within your quota, or choose {elsewhere}",
    errno.EFBIG: "choose a folder on NTFS, exFAT or ext4: this file system cannot hold files of this size "
    "(FAT32: at most 4 GB)",
    errno.EROFS: "choose {elsewhere}: that volume is read-only",
    errno.EACCES: "give yourself write permission there, or choose {elsewhere}",
    errno.EPERM: "give yourself write permission there, or choose {elsewhere}",
    errno.EEXIST: "remove what exists there, or choose {elsewhere}",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
    errno.ENOTDIR: "a file is where a folder must be: move it away, or choose {elsewhere}",
}
_OTHERWISE = "check that volume, or choose {elsewhere}; then run the same command again"
ANOTHER_FOLDER = "another folder"
ANOTHER_STORE = "another store with `--store DIR` (ARC_BUNDLER_STORE)"


def free(path: Path) -> int | None:
    """Free bytes on the volume where ``path`` is or will be; None where the volume does not report them."""
    there = next((folder for folder in (path, *path.parents) if folder.is_dir()), None)
    try:
        return shutil.disk_usage(there).free if there else None
    except OSError:
        return None


def require(path: Path, size: int, label: str, *, elsewhere: str = ANOTHER_FOLDER) -> None:
    """Check that ``path`` has room for ``size`` more bytes of ``label``, and 16 MiB beside them.

    Raises:
        WriteError: the volume reports less.
    """
    available = free(path)
    if available is None or available >= size + _MARGIN:
        return
    needed = _megabytes(size + _MARGIN)
    raise WriteError(
        f"not enough space for {label} at {path}: {needed} needed, {_megabytes(available)} free",
        do=_ADVICE[errno.ENOSPC].format(elsewhere=elsewhere),
    )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


@contextmanager
def writing(path: Path, *, elsewhere: str = ANOTHER_FOLDER) -> Iterator[None]:
    """Turn every :class:`OSError` within into a WriteError about ``path``, with advice that names ``elsewhere``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise WriteError(
            f"{path} cannot be written: {reason}",
            do=_ADVICE.get(error.errno or 0, _OTHERWISE).format(elsewhere=elsewhere),
        ) from error


def fsync_dir(folder: Path) -> None:
    """Make a rename within ``folder`` durable, so that a power cut does not lose the name of bytes that it left.

    Does nothing on Windows, where a folder cannot be opened as a file and need not be.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
