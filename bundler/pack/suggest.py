"""Suggests a bundle near a path that is not one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

_MARKS = ("manifest.json", "SHA256SUMS")
_ARCHIVES = (".zip", ".tar.gz", ".7z")
_DEEPEST = 3
"""Folders below: as deep as ``bundles/<name>/<version>/`` has its bundles."""
_MOST_READ = 2000
_MOST_SHOWN = 4


def is_bundle(folder: Path) -> bool:
    """Whether ``folder`` has a file that only a bundle's folder has; nothing is verified."""
    return any((folder / mark).exists() for mark in _MARKS)


def advice(path: Path) -> str:
    """The advice for ``path``, which is not a bundle; empty where none is near it.

    Reads a bounded number of names and opens no file.
    """
    for folder in path.absolute().parents:
        if all((folder / mark).is_file() for mark in _MARKS):
            return f"give the bundle's folder: {folder}"
    found = list(islice(_below(path), _MOST_SHOWN + 1)) if path.is_dir() else []
    if not found:
        return ""
    more = ", …" if len(found) > _MOST_SHOWN else ""
    return f"give one of these bundles: {', '.join(map(str, found[:_MOST_SHOWN]))}{more}"


def _below(root: Path) -> Iterator[Path]:
    """The folders and archives below ``root`` that look like bundles, nearest first."""
    level, names_read = [root], 0
    for _ in range(_DEEPEST):
        entries = [entry for folder in level for entry in _entries(folder)]
        names_read += len(entries)
        if names_read > _MOST_READ:
            return
        bundles = [entry for entry in entries if entry.name.endswith(_ARCHIVES) or is_bundle(entry)]
        yield from bundles
        level = [entry for entry in entries if entry not in bundles and entry.is_dir() and not entry.is_symlink()]


def _entries(folder: Path) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as listing:
        return sorted(Path(entry) for entry in islice(listing, _MOST_READ))
    return []
