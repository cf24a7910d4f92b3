"""A bundle before it is packed: paths, and their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

Mode = Literal[0o644, 0o755]


@dataclass(frozen=True)
class Blob:
    """Bytes in a file, with their digest."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One file of a tree."""

    path: str
    """From the tree's root, with ``/``."""
    content: bytes | Blob
    mode: Mode = 0o644


@dataclass(frozen=True)
class Tree:
    """A named folder of files, sorted by path, with one time for all of them."""

    name: str
    """The folder that contains everything after unpacking."""
    entries: tuple[Entry, ...]
    time: datetime
    """Modification time that every container gives every file; UTC."""
