"""Where is a PowerShell that tests can use?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

BENCH = Path(__file__).resolve().parents[3] / "shared" / "tools" / "powershell" / "powershell"
CACHE = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
"""Where the bench is unpacked once: whoever gives it a home of its own gives it this, too."""
REASON = "no PowerShell: set PWSH, or put pwsh on PATH"


def find() -> str | None:
    """``$PWSH``, then the bench beside the checkout, then ``pwsh`` on PATH."""
    named = os.environ.get("PWSH")
    if named:
        return shutil.which(named)
    return str(BENCH) if BENCH.is_file() else shutil.which("pwsh")


def find_linter() -> str | None:
    """The same, but one that knows ``-Lint``: Microsoft's own ``pwsh`` does not."""
    found = find()
    return found if found and Path(found).stem == "powershell" else None


def demanded() -> bool:
    """In CI a missing PowerShell is a failure, not something to pass over."""
    return os.environ.get("CI", "").lower() in {"true", "1"}
