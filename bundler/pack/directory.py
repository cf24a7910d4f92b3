"""Writes a bundle as plain files."""

from __future__ import annotations

import os
from pathlib import Path

from bundler.fetch.disk import writing
from bundler.model.progress import Progress
from bundler.model.tree import Tree
from bundler.pack import content
from bundler.pack.content import Written
from bundler.pack.manifest import bundle_digest

_FOLDER_MODE = 0o755


def write(tree: Tree, out: Path, progress: Progress) -> Written:
    """Write the files of ``tree`` into the new folder ``out``, with the tree's modes and time.

    Raises :class:`WriteError` where ``out`` exists or cannot be written.
    """
    seconds = tree.time.timestamp()
    folders = [out]
    with writing(out), progress.task(f"write {out.name}", content.total(tree)) as task:
        out.mkdir(parents=True)
        for entry in tree.entries:
            path = out / entry.path
            folders += _make_folders(out, path.parent)
            with path.open("xb") as file:
                content.copy(entry, file, task)
            path.chmod(entry.mode)
            os.utime(path, (seconds, seconds))
        # Deepest first, because a new file touches its folder.
        for folder in reversed(folders):
            folder.chmod(_FOLDER_MODE)
            os.utime(folder, (seconds, seconds))
    return Written(out, content.total(tree), bundle_digest(tree))


def _make_folders(root: Path, folder: Path) -> list[Path]:
    missing: list[Path] = []
    while folder != root and not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
    return missing[::-1]
