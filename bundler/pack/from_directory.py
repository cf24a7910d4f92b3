"""Reads the files of a folder.

Their permission bits are not reported: a share, a FAT drive or a umask changes them, and the scripts are started
through their interpreters.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from bundler.pack.content import CHUNK
from bundler.pack.members import RawMember, refused

# Windows' junctions and symbolic links (ntifs.h, IO_REPARSE_TAG_…); its other reparse points, such as deduplicated
# files, read as plain files.
_LINK_TAGS = frozenset([0xA0000003, 0xA000000C])
_DEEPEST = 64


def walk(root: Path) -> Iterator[RawMember]:
    """Give the members below ``root`` by name, each folder before its files.

    Raises :class:`VerificationError` for links and everything else that is neither a file nor a folder.
    """
    yield from _below(root, "")


def _below(folder: Path, prefix: str) -> Iterator[RawMember]:
    if prefix.count("/") > _DEEPEST:
        raise refused("the folder is nested deeper than any bundle", "bomb")
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        path = prefix + entry.name
        status = entry.stat(follow_symlinks=False)
        if getattr(status, "st_reparse_tag", 0) in _LINK_TAGS or stat.S_ISLNK(status.st_mode):
            raise refused(f"{path!a} is a link", "link")
        if stat.S_ISDIR(status.st_mode):
            yield RawMember(path, 0, None, lambda: iter(()), folder=True)
            yield from _below(folder / entry.name, path + "/")
        elif stat.S_ISREG(status.st_mode):
            size = (folder / entry.name).lstat().st_size
            yield RawMember(path, size, None, partial(_chunks, folder / entry.name))
        else:
            raise refused(f"{path!a} is neither a file nor a folder", "special-file")


def _chunks(path: Path) -> Iterator[bytes]:
    with opened(path, buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def opened(path: Path, buffering: int = -1) -> BinaryIO:
    """Open a file that was listed, and make sure that it has not become a link or a pipe since.

    The flags are POSIX's, as is the danger: Windows opens no pipe by a path in a folder.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags), "rb", buffering=buffering)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise refused(f"{path.name!a} was replaced while it was read", "special-file")
    return file
