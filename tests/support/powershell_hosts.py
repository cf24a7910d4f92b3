"""Which PowerShell runs the tests of Windows scripts: the bench with 5.1's habits, Microsoft's own 7, or both."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.support.thorough import THOROUGH

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "tools" / "powershell"
BENCH = _FOLDER / "powershell"
MICROSOFTS = _FOLDER / "pwsh"
CACHE = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
"""Where both are unpacked once: a test that gives them a home of its own gives them this, too."""
REASON = "no PowerShell: set PWSH, or put pwsh on PATH"


def find() -> str | None:
    """``$PWSH``, then the bench beside the checkout, then ``pwsh`` on PATH."""
    named = os.environ.get("PWSH")
    if named:
        return shutil.which(named)
    return str(BENCH) if BENCH.is_file() else shutil.which("pwsh")


def find_microsofts() -> str | None:
    """PowerShell 7 itself: beside the bench, or on PATH."""
    return str(MICROSOFTS) if MICROSOFTS.is_file() else shutil.which("pwsh")


def find_linter() -> str | None:
    """The same as :func:`find`, but one that knows ``-Lint``: Microsoft's own ``pwsh`` does not."""
    found = find()
    return found if found and Path(found).stem == "powershell" else None


def demanded() -> bool:
    """In CI a missing PowerShell is a failure, not a reason to skip."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def hosts(*, both: bool) -> dict[str, str]:
    """The hosts that a test runs on, by a name for its id.

    Args:
        both: this test runs on each host in every run, not in ``make thorough`` alone.
    """
    found = find()
    if found is None:
        return {}
    microsofts = find_microsofts() if (both or THOROUGH) and "PWSH" not in os.environ else None
    if microsofts is None or microsofts == found:
        return {Path(found).stem: found}
    return {Path(found).stem: found, Path(microsofts).stem: microsofts}
