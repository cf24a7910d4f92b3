"""Checks that the names of a bundle's files are valid and distinct on every system.

The rules do not depend on the system, so that a bundle made on Linux unpacks on Windows and vice versa.
Rules for Windows: Microsoft, "Naming Files, Paths, and Namespaces"
(https://learn.microsoft.com/windows/win32/fileio/naming-a-file), which also lists the superscript digits that count as
digits in ``COM¹``. Rules for Unicode: UAX #15 (normal form C).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

MAX_PATH = 180
"""UTF-16 units of a path from the bundle's root: leaves 80 of Windows' 260 for the folder it is unpacked in."""
MAX_PART = 255
"""UTF-8 bytes of one part: the least of what ext4, XFS, NTFS and APFS allow."""

_FORBIDDEN = frozenset('<>:"|?*\\')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [device + digit for device in ("COM", "LPT") for digit in "0123456789¹²³"]
)
# Control characters, format characters (they hide or reorder what is read), separators of lines, lone surrogates.
_INVISIBLE = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])


def name_faults(paths: Iterable[str]) -> tuple[str, ...]:
    """The faults of ``paths`` as the files of one bundle, one sentence each; empty if all are valid.

    Each path is checked alone, then all together: duplicates, paths that differ only in case, a file where another path
    needs a folder.
    """
    every = tuple(paths)
    alone = (fault for path in every for fault in _path_faults(path))
    return tuple(dict.fromkeys((*alone, *_clashes(every))))


def _path_faults(path: str) -> Iterator[str]:
    shown = ascii(path)
    if path.startswith("/") or not path:
        yield f"{shown}: is absolute or empty"
        return
    if not unicodedata.is_normalized("NFC", path):
        yield f"{shown}: is not in Unicode normalization form C"
    if len(path.encode("utf-16-le", "surrogatepass")) // 2 > MAX_PATH:
        yield f"{shown[:40]}…: is longer than {MAX_PATH} characters"
    for part in path.split("/"):
        fault = _part_fault(part)
        if fault:
            yield f"{shown}: {fault}"


def _part_fault(part: str) -> str:
    if part in ("", ".", ".."):
        return "has an empty part, or a part . or .."
    if any(unicodedata.category(letter) in _INVISIBLE for letter in part):
        return "has a control or invisible character"
    if not _FORBIDDEN.isdisjoint(part):
        return 'has one of <>:"|?*\\'
    if part[-1] in ". ":
        return "has a part that ends in a dot or a space"
    if part.split(".", maxsplit=1)[0].rstrip(" ").upper() in _DEVICES:
        return "has a name that Windows reserves for a device"
    return "has a part that is too long" if len(part.encode()) > MAX_PART else ""


def _clashes(paths: tuple[str, ...]) -> Iterator[str]:
    spelling: dict[str, str] = {}
    folders: set[str] = set()
    files: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            part = "/".join(parts[:length])
            first = spelling.setdefault(_folded(part), part)
            if first != part:
                yield f"{part!a}: differs from {first!a} only in case"
        folders.update(_folded("/".join(parts[:length])) for length in range(1, len(parts)))
        if path in files:
            yield f"{path!a}: occurs twice"
        files.add(path)
    for path in sorted(files):
        if _folded(path) in folders:
            yield f"{path!a}: is both a file and a folder"


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
