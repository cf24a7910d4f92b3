"""What does a disk hold and keep, and what is to be done where it does not?

One answer for everything that is written: fetched files in the store, and the outputs of the room above.
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
"""Bytes that are left alone, so that what is written beside (states, locks, logs) does not fail at the last moment."""

_ADVICE = {
    errno.ENOSPC: "free space on that volume, or choose another folder",
    errno.EDQUOT: "free space within your quota, or choose another folder",
    errno.EFBIG: "choose a folder on NTFS, exFAT or ext4: this file system holds no files of this size "
    "(FAT32 ends at 4 GB)",
    errno.EROFS: "choose another folder: that volume is read-only",
    errno.EACCES: "give yourself write permission there, or choose another folder",
    errno.EPERM: "give yourself write permission there, or choose another folder",
    errno.EEXIST: "remove what is there, or choose another folder",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
}


def free(path: Path) -> int | None:
    """Bytes that are free where ``path`` is or will be; None where the volume does not say."""
    there = next((folder for folder in (path, *path.parents) if folder.is_dir()), None)
    try:
        return shutil.disk_usage(there).free if there else None
    except OSError:
        return None


def require(path: Path, size: int, label: str) -> None:
    """Refuse to begin what cannot end: ``size`` more bytes for ``label`` below ``path``.

    A margin of 16 MiB is kept free as well. Raises WriteError where the volume says that there is less.
    """
    available = free(path)
    if available is None or available >= size + _MARGIN:
        return
    needed = _megabytes(size + _MARGIN)
    raise WriteError(
        f"there is no room for {label} at {path}: it needs {needed}, {_megabytes(available)} are free",
        do=_ADVICE[errno.ENOSPC],
    )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn every :class:`OSError` within into a WriteError about ``path`` that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise WriteError(
            f"{path} cannot be written: {reason}",
            do=_ADVICE.get(error.errno or 0, "look at that volume, then run the same command again"),
        ) from error


def fsync_dir(folder: Path) -> None:
    """Make a rename within ``folder`` durable: a name must not vanish in a power cut that its bytes survived.

    Windows opens no folder as a file, and needs it not.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
