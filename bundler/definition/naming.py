"""Names in definitions: which a bundle may have, what its version becomes, and which known word was meant.

A bundle's name and version become a folder on any jump host and any server, so they are what every file system takes:
Microsoft, "Naming Files, Paths, and Namespaces" (reserved names, forbidden characters, no dot at the end).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches

from bundler.errors import DefinitionError, Fault

NAMING_SOURCE = 'Microsoft, "Naming Files, Paths, and Namespaces"'
ALLOWED = (
    "ASCII letters, digits, '.', '_', '-', '+'; a letter or digit first, no '.' last; at most 64; no Windows device"
)
PATTERN_ALLOWED = "{date}, {agent} and {env:NAME} between literal text"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{(date|agent|env:([A-Za-z_][A-Za-z0-9_]*))\}")


def suggest(word: str, words: Sequence[str]) -> str:
    """``; did you mean 'ubuntu'?`` where one of ``words`` is near, otherwise nothing."""
    by_fold = {one.casefold(): one for one in words}
    near = get_close_matches(word.casefold(), by_fold, 1, 0.6)
    return f"; did you mean {by_fold[near[0]]!r}?" if near else ""


def one_letter_off(word: str, words: Iterable[str]) -> str:
    """The one of ``words`` that ``word`` is a slip of the pen away from; empty where there is none.

    A letter missing, added or changed, or two exchanged. A digit is no slip: names differ by digits alone.
    """
    return next((one for one in words if one != word and _is_slip(word, one)), "")


def _is_slip(word: str, known: str) -> bool:
    short, long = sorted((word, known), key=len)
    differ = [at for at, (one, other) in enumerate(zip(short, long, strict=False)) if one != other]
    if len(long) - len(short) == 1:
        at = differ[0] if differ else len(short)
        return long[at].isalpha() and short[at:] == long[at + 1 :]
    if len(long) != len(short) or not all(word[at].isalpha() and known[at].isalpha() for at in differ):
        return False
    if len(differ) == 1:
        return True
    # Two positions differ, and each word has at one what the other has at the other.
    return len(differ) == 2 and [word[at] for at in differ] == [known[at] for at in reversed(differ)]


def name_fault(name: str) -> str:
    """Why ``name`` cannot be a folder everywhere; empty where it can."""
    if not _NAME.fullmatch(name):
        return f"{name!r} cannot be a folder's name everywhere"
    if name.endswith("."):
        return f"{name!r} ends with a dot, which Windows drops"
    if _DEVICE.fullmatch(name):
        return f"{name!r} is a device on Windows"
    return ""


def pattern_fault(pattern: str) -> str:
    """Why ``pattern`` can never become a version; empty where it can."""
    literal = _PLACEHOLDER.sub("0", pattern)
    if "{" in literal or "}" in literal:
        return f"{pattern!r} has an unknown placeholder"
    return name_fault(literal)


def version(pattern: str, today: date, env: Mapping[str, str], agent_versions: Iterable[str]) -> str:
    """Fill ``pattern``: the bundle's version.

    ``{date}`` becomes ``2026.11.22``; ``{agent}`` the packages' ``MAJOR.MINOR`` (``1.58-1.67``, oldest to newest, where
    they differ: Windows and Linux never share a full build); ``{env:NAME}`` the variable.
    Raises :class:`~bundler.errors.DefinitionError` where a variable is not set or the result cannot be a folder's name.
    """

    def fill(match: re.Match[str]) -> str:
        if match[1] == "date":
            return today.strftime("%Y.%m.%d")
        if match[1] == "agent":
            return _agent(agent_versions)
        if match[2] not in env:
            raise _refusal(f"the variable {match[2]} is not set", "set it, or write a literal version")
        return env[match[2]]

    filled = _PLACEHOLDER.sub(fill, pattern)
    wrong = name_fault(filled)
    if wrong:
        raise _refusal(wrong, ALLOWED)
    return filled


def _agent(versions: Iterable[str]) -> str:
    known = {tuple(int(part) for part in match.groups()) for v in versions if (match := re.match(r"(\d+)\.(\d+)", v))}
    if not known:
        raise _refusal("{agent} has no value yet: the agent's version is not known", "a literal version, or {date}")
    ends = dict.fromkeys((min(known), max(known)))
    return "-".join(".".join(map(str, end)) for end in ends)


def _refusal(message: str, allowed: str) -> DefinitionError:
    fault = Fault(path="version", message=message, allowed=allowed, source=NAMING_SOURCE)
    return DefinitionError(f"the bundle's version: {message}", faults=[fault], do=f"use what is allowed: {allowed}")
