"""Writes a bundle as zip, the one format that every Windows opens.

Members are stored: packages do not compress, and stored bytes do not depend on the compressor of this Python
(docs/decisions/0005-containers.md). Format: PKWARE APPNOTE 6.3; entries above 4 GiB use its Zip64 extensions.
"""

from __future__ import annotations

import stat
from datetime import timezone
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from bundler.errors import WriteError
from bundler.fetch.disk import writing
from bundler.model.progress import Progress
from bundler.model.tree import Entry, Tree
from bundler.pack import content
from bundler.pack.content import Written

_UNIX = 3
_EARLIEST = 1980


def write(tree: Tree, out: Path, progress: Progress) -> Written:
    """Write ``tree`` as the new zip file ``out``; raises :class:`WriteError` where that fails."""
    with writing(out), progress.task(f"pack {out.name}", content.total(tree)) as task, out.open("x+b") as file:
        with ZipFile(file, "w", ZIP_STORED, allowZip64=True) as archive:
            for entry in tree.entries:
                with archive.open(_described(tree, entry), "w") as member:
                    content.copy(entry, member, task)
        length = file.tell()
    with writing(out):
        return Written(out, length, content.file_sha256(out))


def _described(tree: Tree, entry: Entry) -> ZipInfo:
    utc = tree.time.astimezone(timezone.utc)
    if utc.year < _EARLIEST:
        raise WriteError(
            f"a zip cannot hold the time {utc.isoformat()}", do="correct the clock, then run `arc-bundler lock`"
        )
    # UTC, in the format's steps of two seconds from 1980 on.
    time = (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second // 2 * 2)
    info = ZipInfo(f"{tree.name}/{entry.path}", time)
    info.create_system = _UNIX  # otherwise the bytes depend on the system that made the bundle
    info.external_attr = (stat.S_IFREG | entry.mode) << 16
    info.compress_type = ZIP_STORED
    info.file_size = content.size(entry)
    return info
