"""Writes words so that the shell for which a command is printed reads them again as they are."""

from __future__ import annotations

import os
import re
import shlex

_POWERSHELL_QUOTES = "'\u2018\u2019\u201a\u201b"
"""Each of these ends a text in single quotes (PowerShell Language Specification 3.0, section 2.3.5.2)."""
_PLAIN = re.compile(r"[A-Za-z0-9_/\\.:][A-Za-z0-9_/\\.:+-]*|--?[A-Za-z0-9][A-Za-z0-9-]*")
"""Means itself in PowerShell and in cmd.exe."""
_SAME_IN_DOUBLE_QUOTES = re.compile(r"[^\"$`%!\u201c\u201d\u201e\x00-\x1f]*[^\\\"$`%!\u201c\u201d\u201e\x00-\x1f]")
"""Means itself in double quotes in both: there PowerShell expands $ and `, cmd.exe % and !."""


def posix(word: str) -> str:
    """``word`` for ``sh``. What cannot be printed is written in ``$'…'``, which bash, zsh, ksh and busybox read."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = "".join(c if c.isprintable() and c not in "'\\" else _bytes(c) for c in word)
    return f"$'{escaped}'"


def powershell(word: str) -> str:
    """``word`` for PowerShell, in single quotes unless it is plain (the same specification, section 2.3.5.2)."""
    if _PLAIN.fullmatch(word):
        return word
    return "'" + "".join(c * 2 if c in _POWERSHELL_QUOTES else c for c in word) + "'"


def windows(word: str) -> str:
    """``word`` for a Windows shell that is not known: the same in both where that can be, otherwise PowerShell's."""
    if _PLAIN.fullmatch(word):
        return word
    return f'"{word}"' if _SAME_IN_DOUBLE_QUOTES.fullmatch(word) else powershell(word)


def command(*words: object, on_windows: bool = os.name == "nt") -> str:
    """The words as a command line to copy, for a shell of this computer."""
    quote = windows if on_windows else posix
    return " ".join(quote(str(word)) for word in words)


def _bytes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
