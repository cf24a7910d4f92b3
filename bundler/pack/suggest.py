"""Which bundle was meant, where a path leads to none?"""

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
_MOST_LOOKED_AT = 2000
_MOST_TOLD = 4


def is_bundle(folder: Path) -> bool:
    """Whether ``folder`` has what only a bundle's folder has; nothing is judged."""
    return any((folder / mark).exists() for mark in _MARKS)


def advice(path: Path) -> str:
    """What to do instead of naming ``path``, which is no bundle; empty where no bundle is in sight.

    It looks at a bounded number of names and opens nothing.
    """
    for folder in path.absolute().parents:
        if all((folder / mark).is_file() for mark in _MARKS):
            return f"name the bundle's whole folder: {folder}"
    found = list(islice(_below(path), _MOST_TOLD + 1)) if path.is_dir() else []
    if not found:
        return ""
    more = ", …" if len(found) > _MOST_TOLD else ""
    return f"name one of those that lie there: {', '.join(map(str, found[:_MOST_TOLD]))}{more}"


def _below(root: Path) -> Iterator[Path]:
    """The folders and archives below ``root`` that look like bundles, nearest first."""
    level, looked_at = [root], 0
    for _ in range(_DEEPEST):
        entries = [entry for folder in level for entry in _entries(folder)]
        looked_at += len(entries)
        if looked_at > _MOST_LOOKED_AT:
            return
        bundles = [entry for entry in entries if entry.name.endswith(_ARCHIVES) or is_bundle(entry)]
        yield from bundles
        level = [entry for entry in entries if entry not in bundles and entry.is_dir() and not entry.is_symlink()]


def _entries(folder: Path) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as listing:
        return sorted(Path(entry) for entry in islice(listing, _MOST_LOOKED_AT))
    return []
