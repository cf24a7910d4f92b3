"""What is known of an output that is complete?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Written:
    """An output that is complete."""

    path: Path
    size: int
    """Bytes; of all files together for a directory."""
    sha256: str
    """Over the archive's bytes; for a directory over its ``SHA256SUMS``, which is the bundle's digest."""
