"""Adds files to a bundle that is packed already, and computes what it was before: approvals, which no list names."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from bundler.fetch.disk import writing
from bundler.model.manifest import Manifest
from bundler.model.progress import NullProgress, Progress
from bundler.model.tree import Blob, Entry, Mode, Tree
from bundler.pack import container, writers
from bundler.pack.members import Password
from bundler.pack.staging import exclusive, replacement, write_file, write_within

_SMALL = 1 << 16
"""Bytes up to which a file is held in memory."""


def add(
    bundle: Path,
    files: Mapping[str, bytes],
    *,
    modes: Mapping[str, Mode],
    time: datetime,
    password: Password | None,
    progress: Progress,
) -> None:
    """Add ``files`` to ``bundle``, replacing those of the same name.

    An archive is written again beside itself, as a build would write it with these files, and then replaced in one
    step; its ``.sha256`` follows. A symbolic link to the bundle is followed and kept.

    Args:
        bundle: a directory or an archive.
        files: content by path.
        modes: of the other files, as in the manifest.
        time: of every file, as in the manifest.
        password: opens an encrypted 7z, and encrypts the new one.
        progress: of writing.

    Raises:
        WriteError: writing fails, another process is changing the same archive, or py7zr finds other files in a new 7z.
        VerificationError: the archive cannot be read.
    """
    bundle = bundle.resolve()
    if bundle.is_dir():
        for path, content in files.items():
            write_within(bundle, path, content)
        return
    needed = 2 * bundle.stat().st_size + sum(map(len, files.values()))
    # Read under the lock: otherwise a file that another process adds meanwhile would be lost.
    with exclusive(bundle):
        with replacement(bundle, needed=needed) as fresh:
            given: list[str] = []  # the password that opens the archive encrypts the new one

            def ask(source: Password) -> str:
                given.append(source())
                return given[0]

            opening = partial(ask, password) if password else None
            wanted, tree = _unpacked(bundle, files, modes, time, opening, fresh.parent / "unpacked")
            secret = given[0] if given else None
            written = writers.write(wanted, tree, fresh, progress=progress, password=secret)
            if wanted == "7z":
                from bundler.pack import second_reader

                second_reader.require_same(fresh, tree, secret, name=bundle.name)
            shutil.copymode(bundle, fresh)
        write_file(bundle.with_name(f"{bundle.name}.sha256"), f"{written.sha256}  {bundle.name}\n".encode())


def modes_of(manifest: Manifest) -> dict[str, Mode]:
    """The mode of each file that ``manifest`` lists, by its path."""
    return {one.path: 0o755 if one.mode == "0755" else 0o644 for one in manifest.files}


def sha256_without(
    archive: Path, sha256: str, left_out: Collection[str], *, modes: Mapping[str, Mode], time: datetime
) -> str | None:
    """What the SHA-256 of a zip or tar.gz was before :func:`add` added the files ``left_out``.

    Both containers are stored, so the same files give the same bytes with every release and on every system.

    Args:
        archive: not encrypted.
        sha256: of ``archive`` as it is, in hex.
        left_out: paths.
        modes: of the other files, as in the manifest.
        time: of every file, as in the manifest.

    Returns:
        64 hex digits; None where ``archive`` itself is not, byte for byte, what :func:`add` writes.

    Raises:
        WriteError: no space for temporary files.
        VerificationError: the archive cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        wanted, tree = _unpacked(archive, {}, modes, time, None, work / "unpacked")
        whole = writers.write(wanted, tree, work / "whole", progress=NullProgress())
        if whole.sha256 != sha256:
            return None
        before = replace(tree, entries=tuple(entry for entry in tree.entries if entry.path not in left_out))
        return writers.write(wanted, before, work / "before", progress=NullProgress()).sha256


def _unpacked(
    bundle: Path,
    files: Mapping[str, bytes],
    modes: Mapping[str, Mode],
    time: datetime,
    password: Password | None,
    folder: Path,
) -> tuple[writers.Format, Tree]:
    """Unpack the archive to numbered files in ``folder``; returns its format, and its tree with ``files`` added."""
    entries = [Entry(path, content) for path, content in files.items()]
    name = bundle.stem
    with container.open_bundle(bundle, password=password) as opened, writing(folder):
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
    """The content; only a large one goes to a file, so that an embedded secret is not written to the disk."""
    if member.size <= _SMALL:
        return b"".join(member.chunks())
    digest = hashlib.sha256()
    with at.open("xb") as file:
        for chunk in member.chunks():
            digest.update(chunk)
            file.write(chunk)
        return Blob(at, file.tell(), digest.hexdigest())
