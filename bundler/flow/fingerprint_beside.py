"""Finds files with a fingerprint that lie beside a bundle: anyone who exchanges the bundle can exchange them, too."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIX = ".fingerprint.txt"
"""How the file's name ends that ``build`` writes."""


def beside(bundle: Path) -> tuple[str, ...]:
    """Names of such files in the folder of ``bundle``; none where that folder cannot be read."""
    try:
        names = [one.name for one in Path(os.path.abspath(bundle)).parent.iterdir()]  # noqa: PTH100
    except OSError:
        return ()
    return tuple(sorted(name for name in names if name.lower().endswith(SUFFIX)))


def warning(name: str) -> str:
    """What to say of the file called ``name``."""
    return (
        f"{name} lies beside this bundle: a fingerprint that travels with a bundle proves nothing. "
        "Use the one that you received through a separate channel"
    )
