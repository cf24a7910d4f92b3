"""Says what a file is that cannot be read as a bundle: empty, still being copied, one part of several, a web page."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from bundler.errors import VerificationError
from bundler.formats import shell_words, sniff
from bundler.pack import suggest
from bundler.pack.members import cut_short, refused

GIVE_A_BUNDLE = "give the path of a bundle: its folder, or its zip, tar.gz or 7z"
MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c")
"""How archives begin."""
_PART = re.compile(r"(?P<whole>.+)\.(?P<number>[0-9]{3,4})")
"""As 7-Zip and split name volumes: NAME.7z.001. More digits are a date or a build."""
_SHOWN = 10
"""Parts that are named one by one."""
_ZIP_PART = re.compile(r".+\.z\d\d", re.IGNORECASE)
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp", ".!ut")
"""Endings that browsers and copying programs give to a file until it is complete."""
_TAIL = 4096
_KINDS = {
    "msi": "a Windows package (MSI)",
    "pe": "a Windows program",
    "ps1": "a PowerShell script",
    "deb": "a Debian package",
    "rpm": "an RPM package",
    "cab": "a cabinet file",
    "pem": "a certificate or key (PEM)",
    "text": "a text",
}


def unknown(path: Path, file: BinaryIO, size: int) -> VerificationError:
    """The error for the file at ``path``, which begins as no archive does."""
    file.seek(0)
    head = file.read(sniff.HEAD)
    if not head:
        return refused(f"{path} is empty: it has 0 bytes", "unknown-container", do=advice(path))
    if size < max(map(len, MAGIC)) and any(magic.startswith(head) for magic in MAGIC):
        return cut_short(f"it has {size} bytes, fewer than any archive")
    if _ZIP_PART.fullmatch(path.name) and head.startswith(b"PK"):
        return refused(
            f"{path.name} is one part of a zip that was split",
            "unknown-container",
            do="get the bundle as one file, or as a 7z: its parts can be joined again",
        )
    kind = sniff.kind(head)
    if kind == "html" or head.lstrip()[:1] == b"<":
        return refused("this is a web page, not a bundle: a proxy or portal sent it", "unknown-container")
    if not head.strip(b"\0"):
        return refused(f"{path} begins with zeros: it is still being copied, or its copy stopped", "unknown-container")
    named = f"{path} is {_KINDS[kind]}, not a bundle" if kind in _KINDS else f"{path} is not a bundle"
    return refused(f"{named}: it is neither a folder nor a zip, tar.gz or 7z", "unknown-container", do=advice(path))


def advice(path: Path) -> str:
    """What to give in the place of ``path``, which is no bundle."""
    return suggest.advice(path) or f"{GIVE_A_BUNDLE}; if this is one, copy it again from where it was built"


def explained(error: VerificationError, path: Path, file: BinaryIO, size: int) -> VerificationError:
    """``error`` about the archive at ``path``, with what the file shows of the reason; ``size`` was there at first."""
    if error.reason not in ("damaged-archive", "unknown-container"):
        return error
    part = _PART.fullmatch(path.name)
    if part:
        return _split(path, part["whole"], len(part["number"]))
    details = [*error.details, *_signs(path, file, size)]
    return VerificationError(error.what, reason=error.reason, details=details, do=error.do)


def _signs(path: Path, file: BinaryIO, size: int) -> list[str]:
    """What shows that ``file`` is not complete."""
    now = file.seek(0, os.SEEK_END)
    if now != size:
        return [f"It is still being written: it had {size} bytes, and now has {now}. Wait until the copy is done."]
    if path.name.lower().endswith(_UNFINISHED):
        return [f"Its name ends with {path.suffix}: the program that copies it is not done."]
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    if len(tail) == _TAIL and not tail.strip(b"\0"):
        return ["It ends with zeros: it is still being copied, or its copy stopped."]
    return []


def _split(path: Path, whole: str, digits: int) -> VerificationError:
    """The error for one part of an archive that was split, with the parts that are missing or too short."""
    pattern = re.compile(rf"{re.escape(whole)}\.([0-9]{{{digits},4}})")
    sizes = {
        int(match[1]): entry.stat().st_size
        for entry in os.scandir(path.absolute().parent)
        if (match := pattern.fullmatch(entry.name)) and entry.is_file()
    }
    last = max(sizes)
    missing = [f"{whole}.{number:0{digits}}" for number in range(1, last) if number not in sizes]
    largest = max(sizes.values())
    cut = sorted(number for number, size in sizes.items() if size < largest and number < last)
    short = [f"{whole}.{number:0{digits}}" for number in cut]
    details = [*_listed("Missing", missing), *_listed("Shorter than others", short)]
    names = [f"{whole}.{number:0{digits}}" for number in sorted(sizes)]
    first = "get all parts again, then join them" if details else "join its parts, then give the whole"
    what = f"{path.name} is one part of an archive that was split"
    return refused(what, "damaged-archive", details, do=f"{first}: {_join(names, whole)}")


def _listed(title: str, names: list[str]) -> list[str]:
    more = [f"{title}: {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return [*(f"{title}: {name}" for name in names[:_SHOWN]), *more]


def _join(names: list[str], whole: str) -> str:
    if os.name == "nt":
        return f"`cmd /c copy /b {'+'.join(map(shell_words.windows, names))} {shell_words.windows(whole)}`"
    return f"`cat {shell_words.posix(whole)}.* >{shell_words.posix(whole)}`"
