"""What does it mean that writing failed, and what is to be done?"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bundler.errors import WriteError

_ADVICE = {
    errno.ENOSPC: "free space on that volume, or choose another output folder",
    errno.EDQUOT: "free space within your quota, or choose another output folder",
    errno.EFBIG: "the file system cannot hold files of this size (FAT32 ends at 4 GB); choose NTFS, exFAT or ext4",
    errno.EROFS: "the volume is read-only; choose another output folder",
    errno.EACCES: "give yourself write permission there, or choose another output folder",
    errno.EPERM: "give yourself write permission there, or choose another output folder",
    errno.EEXIST: "remove what is there, or choose another output folder",
    errno.ENAMETOOLONG: "choose an output folder with a shorter path",
}


@dataclass(frozen=True)
class Written:
    """An output that is complete."""

    path: Path
    size: int
    """Bytes; of all files together for a directory."""
    sha256: str
    """Over the archive's bytes; for a directory over its ``SHA256SUMS``, which is the bundle's digest."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn every :class:`OSError` within into a :class:`WriteError` about ``path`` that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise WriteError(
            f"{path} could not be written: {reason}",
            details=(str(error),) if error.strerror else (),
            do=_ADVICE.get(error.errno or 0, "look at the volume, then run the same command again"),
        ) from error
