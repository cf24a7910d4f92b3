"""What other unpackers make of an archive: the measure for what a strict reader may accept.

Each unpacks into an empty folder of its own. A tool that is missing is an error in CI, and skipped elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "geheim"


@dataclass(frozen=True)
class Unpacker:
    """A program that unpacks one kind of archive."""

    name: str
    command: tuple[str, ...]
    """With ``{archive}`` and ``{folder}``."""
    pipe: tuple[str, ...] = ()
    """A second program, which reads what the first one writes."""


_TAR_BY_PYTHON = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], **dict([('filter', 'data')]))"
_ZIP_BY_PYTHON = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])"
_SEVENZIP_BY_PYTHON = (
    "import sys, py7zr; py7zr.SevenZipFile(sys.argv[1], password=sys.argv[3] or None).extractall(sys.argv[2])"
)

UNPACKERS: dict[str, tuple[Unpacker, ...]] = {
    "tar.gz": (
        Unpacker("GNU tar", ("tar", "xzf", "{archive}", "-C", "{folder}")),
        Unpacker("bsdtar", ("bsdtar", "xf", "{archive}", "-C", "{folder}")),
        Unpacker("busybox", ("busybox", "tar", "xzf", "{archive}", "-C", "{folder}")),
        Unpacker(
            "7zz",
            ("7zz", "x", "-so", "-tgzip", "{archive}"),
            ("7zz", "x", "-y", "-bd", "-si", "-ttar", "-o{folder}"),
        ),
        Unpacker("Python", (sys.executable, "-c", _TAR_BY_PYTHON, "{archive}", "{folder}")),
    ),
    "zip": (
        Unpacker("unzip", ("unzip", "-q", "-o", "{archive}", "-d", "{folder}")),
        Unpacker("bsdtar", ("bsdtar", "xf", "{archive}", "-C", "{folder}")),
        Unpacker("busybox", ("busybox", "unzip", "-q", "-o", "{archive}", "-d", "{folder}")),
        Unpacker("7zz", ("7zz", "x", "-y", "-bd", "-o{folder}", "{archive}")),
        Unpacker("Python", (sys.executable, "-c", _ZIP_BY_PYTHON, "{archive}", "{folder}")),
    ),
    "7z": (
        Unpacker("7zz", ("7zz", "x", "-y", "-bd", f"-p{PASSWORD}", "-o{folder}", "{archive}")),
        Unpacker("bsdtar", ("bsdtar", "xf", "{archive}", "-C", "{folder}")),
        Unpacker("Python", (sys.executable, "-c", _SEVENZIP_BY_PYTHON, "{archive}", "{folder}", "")),
    ),
}


def require(kind: str) -> None:
    """Skip the test where an unpacker of ``kind`` is missing; in CI, fail."""
    missing = [one.name for one in UNPACKERS[kind] for part in (one.command, one.pipe) if part and not _which(part[0])]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing in CI: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def unpacked(by: Unpacker, archive: Path, folder: Path) -> dict[str, bytes | str] | None:
    """What ``by`` unpacks into the new ``folder``: content by path; of a link ``-> target``; None where it fails."""
    folder.mkdir(parents=True)
    environment = os.environ | {"LC_ALL": "C.UTF-8"}

    def filled(command: tuple[str, ...]) -> list[str]:
        return [part.format(archive=archive, folder=folder) for part in command]

    first = subprocess.run(filled(by.command), capture_output=True, env=environment, timeout=60, check=False)
    code = first.returncode
    if by.pipe:
        second = subprocess.run(
            filled(by.pipe), input=first.stdout, capture_output=True, env=environment, timeout=60, check=False
        )
        code = code or second.returncode
    found = {path.relative_to(folder).as_posix(): _content(path) for path in sorted(folder.rglob("*")) if _counts(path)}
    return found if code == 0 else None


def _counts(path: Path) -> bool:
    return path.is_symlink() or not path.is_dir()


def _content(path: Path) -> bytes | str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return path.read_bytes() if path.is_file() else "neither a file nor a link"


def _which(program: str) -> str | None:
    return shutil.which(program)
