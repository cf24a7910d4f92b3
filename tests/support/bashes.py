"""Which bashes run the scripts in the tests: this machine's, and those that ARC_BUNDLER_BASHES names.

The scripts promise bash 4.2 to 5.2; a machine has one of them. Others are built from source, outside of the repository,
and given as paths of programs, with the separator that PATH has.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache

VARIABLE = "ARC_BUNDLER_BASHES"


def named() -> list[str]:
    """The others."""
    return [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]


def paths() -> list[str]:
    """All of them, this machine's first; on Windows none."""
    here = shutil.which("bash") if os.name == "posix" else None
    return ([here] if here else []) + named()


@cache
def version(path: str) -> str:
    """As ``BASH_VERSION`` begins: ``4.2.45``."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+\.\d+\.\d+)", said)
    assert found, said
    return found.group(1)


def name(path: str) -> str:
    """What a test is called that runs with it: ``bash-4.2.45``."""
    return f"bash-{version(path)}"
