"""How does a bundle that is already wrapped get a further file?

Only what nothing lists can be added: the word of somebody who vouches for the rest.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from bundler.fetch.disk import writing
from bundler.model.progress import Progress
from bundler.model.tree import Blob, Entry, Mode, Tree
from bundler.pack import container, writers
from bundler.pack.members import Password
from bundler.pack.staging import exclusive, replacement, write_file, write_within

_SMALL = 1 << 16
"""Bytes of a file that is held in memory."""


def add(
    bundle: Path,
    files: Mapping[str, bytes],
    *,
    modes: Mapping[str, Mode],
    time: datetime,
    password: Password | None,
    progress: Progress,
) -> None:
    """Put ``files`` (content by path) into ``bundle``, a directory or an archive, in place of any of the same name.

    An archive is written anew beside itself, as a build would have written it with these files, and takes its own
    place whole; its ``.sha256`` follows. ``modes`` and ``time`` are the other files', as the manifest says.
    A link is followed, and stays one. Raises :class:`WriteError`, also where another is just now adding to the same
    archive, and what reading ``bundle`` raises.
    """
    bundle = bundle.resolve()
    if bundle.is_dir():
        for path, content in files.items():
            write_within(bundle, path, content)
        return
    needed = 2 * bundle.stat().st_size + sum(map(len, files.values()))
    # Who read it before another's file was in it would take that out again.
    with exclusive(bundle):
        with replacement(bundle, needed=needed) as fresh:
            asked = _Password(password)
            wanted, tree = _unpacked(bundle, files, modes, time, asked, fresh.parent / "unpacked")
            written = writers.write(wanted, tree, fresh, progress=progress, password=asked.given)
            shutil.copymode(bundle, fresh)
        write_file(bundle.with_name(f"{bundle.name}.sha256"), f"{written.sha256}  {bundle.name}\n".encode())


class _Password:
    """Remembers what an archive was opened with, so that it is closed with the same."""

    def __init__(self, source: Password | None) -> None:
        self._source = source
        self.given: str | None = None

    @property
    def source(self) -> Password | None:
        return self._ask if self._source else None

    def _ask(self) -> str:
        assert self._source is not None  # noqa: S101  # `source` gives this method only then
        self.given = self._source()
        return self.given


def _unpacked(
    bundle: Path,
    files: Mapping[str, bytes],
    modes: Mapping[str, Mode],
    time: datetime,
    password: _Password,
    folder: Path,
) -> tuple[writers.Format, Tree]:
    """The archive's files in ``folder``, under numbers for names, and the tree that they make with ``files``."""
    entries = [Entry(path, content) for path, content in files.items()]
    name = bundle.stem
    with container.open_bundle(bundle, password=password.source) as opened, writing(folder):
        folder.mkdir()
        for number, member in enumerate(opened.walk()):
            name = member.top or name
            if member.path not in files:
                held = _held(member, folder / str(number))
                entries.append(Entry(member.path, held, modes.get(member.path, 0o644)))
        wanted = opened.format
    ordered = tuple(sorted(entries, key=lambda entry: entry.path.encode()))
    return wanted, Tree(name, ordered, time)


def _held(member: container.BundleMember, at: Path) -> Blob | bytes:
    """The content, in a file where it is large: an encrypted archive's secret is none of the disk's business."""
    if member.size <= _SMALL:
        return b"".join(member.chunks())
    digest = hashlib.sha256()
    with at.open("xb") as file:
        for chunk in member.chunks():
            digest.update(chunk)
            file.write(chunk)
        return Blob(at, file.tell(), digest.hexdigest())
