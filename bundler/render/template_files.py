"""Finds the templates' files and hashes them; knows no template language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent

# Windows' own tools before 2018 show a file with bare line feeds as one line, and a signature over a script
# needs line ends that nothing on the way "corrects". What bash reads must have none of it.
_LINE_ENDS = {".sh": "\n", ".ps1": "\r\n", ".txt": "\r\n"}


def line_end(name: str) -> str:
    """The line end of a file by its name's ending: ``.sh``, ``.ps1`` or ``.txt``."""
    return _LINE_ENDS[Path(name).suffix]


def templates() -> Path:
    """The folder of the templates: inside the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "templates"
    return installed if installed.is_dir() else _PACKAGE.parent / "templates"


def digest(folders: Iterable[Path]) -> str:
    """SHA-256 of the scripts' templates (``*.sh.j2``, ``*.ps1.j2``) at or below ``folders``: of each its path and text.

    Line ends count as line feeds: a checkout on Windows may have changed them. 64 lower-case hex digits.
    """
    sums = []
    for folder in folders:
        found = (path for path in folder.rglob("*.j2") if Path(path.stem).suffix in (".sh", ".ps1"))
        for path in sorted(found, key=lambda one: one.relative_to(folder).parts):
            text = path.read_bytes().replace(b"\r\n", b"\n")
            sums.append(f"{hashlib.sha256(text).hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    return hashlib.sha256("".join(sums).encode()).hexdigest()
