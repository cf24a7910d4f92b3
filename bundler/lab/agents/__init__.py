"""The lab's stand-in agents, as the bytes that a package installs.

``azcmagent.sh`` is for Linux whatever its architecture, ``azcmagent.exe`` (made from ``azcmagent.c``, see ``BUILD.md``)
for Windows. Both carry a place for their version.
"""

from __future__ import annotations

import re
from importlib.resources import files

PLACE = b"@LAB-AGENT-VERSION@"
"""Where a version is written; the executable has the same words with room for 31 bytes."""
ROOM = 32
"""Bytes of the executable's place, its closing NUL included."""


def linux(version: str) -> bytes:
    """``azcmagent`` for ``/opt/azcmagent/bin``: a bash script that says that it is of this version.

    Raises:
        ValueError: The version is more than digits and dots, or longer than 31 characters.
    """
    return _template("azcmagent.sh").replace(PLACE, _checked(version))


def windows(version: str) -> bytes:
    """``azcmagent.exe`` for the program folder ``AzureConnectedMachineAgent``: an x64 console program of this version.

    Raises:
        ValueError: The version is more than digits and dots, or longer than 31 characters.
    """
    program = _template("azcmagent.exe")
    at = program.index(PLACE)
    return program[:at] + _checked(version).ljust(ROOM, b"\0") + program[at + ROOM :]


def _template(name: str) -> bytes:
    return files(__name__).joinpath(name).read_bytes()


def _checked(version: str) -> bytes:
    if not re.fullmatch(r"[0-9.]{1,31}", version):
        raise ValueError(f"no version of an agent: {version!r}")
    return version.encode()
