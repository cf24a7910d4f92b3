"""May a tree be packed under these names? By the rules of the checker, one room below."""

from __future__ import annotations

from collections.abc import Iterable

from bundler.errors import WriteError
from bundler.integrity.names import refuse

__all__ = ["refuse", "require_safe"]


def require_safe(paths: Iterable[str]) -> None:
    """Raise :class:`WriteError` unless every system that a bundle may reach can hold ``paths`` side by side."""
    faults = refuse(paths)
    if faults:
        raise WriteError(
            "the bundle would hold names that some target refuses",
            details=faults[:20],
            do="rename the files, or the bundle and version that the names are made of",
        )
