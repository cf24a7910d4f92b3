"""Reads the words that people write for a target: ``almalinux 9.4``, ``win2019``, ``ubuntu noble``, ``x86_64``.

What loses no meaning is read: another name of the same system, and the part of a version that chooses no other package.
Everything else is left as it is, and refused with the right word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bundler.definition.naming import one_letter_off
from bundler.products.arc_server import tables
from bundler.products.arc_server.spelling_tables import SystemWords, VersionScheme, words
from bundler.products.arc_server.windows_words import means_every, windows_version

_TOKEN = re.compile(r"\d{4}r2|\d+h[12]|\d+(?:\.(?:\d+|x|\*))*|[^\W\d_]+|[^\s\w.,:/-]")
_NUMBER = re.compile(r"\d+(\.\d+)*")
# Written together or apart: Windows' "2k19" and "2012 R2", SUSE's "15 SP5".
_SPELLINGS = (
    (re.compile(r"\b(?:win|w)?2k(\d)\b"), r"windows 200\1"),
    (re.compile(r"\b(?:win|w)?2k(\d\d)(?=r2|\b)"), r"windows 20\1"),
    (re.compile(r"(\d{4})[\s_-]*r[\s_-]*2\b"), r"\1r2"),
    (re.compile(r"(\d)[\s_.-]*sp[\s_-]*(\d)"), r"\1.\2"),
    (re.compile(r"\([^()]*\)"), " "),
)
_ARCHITECTURE = re.compile(r"(?<![a-z0-9])(x86[_-]64|amd64|x64|aarch64|arm64)(?![a-z0-9])")


_SHORTEST = 4
"""Characters: a shorter word is one letter off too many others."""


@dataclass(frozen=True)
class TargetWords:
    """What is written for one target, or what it means; an empty part is not written."""

    os: str
    version: str = ""
    architecture: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.os, self.version, self.architecture)))


def understand(written: TargetWords) -> TargetWords:
    """What ``written`` means; a part that is not understood is left as it is."""
    architecture = architecture_word(written.architecture) or written.architecture
    if tables.systems().find(written.os, written.version) is not None:
        return TargetWords(written.os, written.version, architecture)
    os_text, version_text = written.os.casefold(), written.version.casefold()
    told = {architecture_word(found) for found in _ARCHITECTURE.findall(f"{os_text} {version_text}")}
    told |= {architecture} - {""}
    found = _system(_tokens(os_text))
    if found is None or len(told) > 1:
        return TargetWords(written.os, written.version, architecture)
    system, rest = found
    architecture = next(iter(told), "")
    if system.os == "windows":
        return TargetWords(*_windows(written, rest), architecture)
    version = _joined(system, rest, _tokens(version_text))
    if version is None:  # the system's text and the version's contradict each other
        return TargetWords(written.os, written.version, architecture)
    return TargetWords(system.os, version or written.version or " ".join(rest), architecture)


def _windows(written: TargetWords, rest: Sequence[str]) -> tuple[str, str]:
    """Windows' names have the version anywhere; two versions contradict each other, and are left as they are."""
    tokens = [*rest, *_tokens(written.version.casefold())]
    version = windows_version(tokens)
    if version or means_every(tokens):
        return "windows", version
    contradicts = any(token[0].isdigit() for token in rest) or tables.systems().find("windows", written.version)
    if written.version and contradicts:
        return written.os, written.version
    return "windows", written.version or " ".join(rest)


def architecture_word(text: str) -> str:
    """``x64`` or ``arm64`` where ``text`` means one of them, otherwise nothing."""
    return next((one.architecture for one in words().architectures if text.casefold() in one.words), "")


def other_architecture(text: str) -> bool:
    """Whether ``text`` is an architecture that no agent is made for."""
    return text.casefold() in words().other_architectures


def suggest_system(text: str) -> str:
    """``; did you mean 'debian'?`` where ``text`` is nearly a name, otherwise nothing."""
    names = {name.replace(" ", ""): system.os for system in words().systems for name in system.names}
    plain = "".join(_tokens(text.casefold()))
    if re.fullmatch(r"el\d*", plain):  # as in the names of packages: Enterprise Linux
        return "; did you mean 'rhel'?"
    if plain.startswith(words().other_systems) or len(plain) < _SHORTEST:
        return ""
    # Other systems have names that end as ours do: Tencent OS, Miracle Linux.
    alike = [name for name in names if name[:1] == plain[:1]]
    near = one_letter_off(plain, names) or next(iter(get_close_matches(plain, alike, 1, 0.8)), "")
    return f"; did you mean {names[near]!r}?" if near else ""


def suggest_version(os: str, text: str) -> str:
    """``; did you mean '22.04'?`` for another version of the same major one, otherwise nothing."""
    found = _builds(text) if os == "windows" else []
    codenames = {word: one.version for one in words().codenames if one.os == os for word in one.words}
    near = one_letter_off(text.casefold(), codenames)
    major = re.match(r"\d+", text)
    if near:
        found = [codenames[near]]
    elif not found and major:
        known = [system.version for system in tables.systems().of(os)]
        found = [version for version in known if re.match(r"\d*", version)[0] == major[0]]  # type: ignore[index]
    supported = [version for version in found if tables.systems().find(os, version)]
    return f"; did you mean {supported[0]!r}?" if len(supported) == 1 else ""


def _builds(text: str) -> list[str]:
    """The Windows Server of a build, which is no version since clients share some, or of a year without century."""
    if re.fullmatch(r"\d\d", text):
        return [f"20{text}"]
    return [one.version for one in words().builds if text == one.build or f"{text}.".startswith(f"{one.number}.")]


def _tokens(text: str) -> list[str]:
    """The words and numbers of ``text``, without architectures; marks between them are left out."""
    for pattern, plain in _SPELLINGS:
        text = pattern.sub(plain, text)
    return [token.removesuffix(".x").removesuffix(".*") for token in _TOKEN.findall(_ARCHITECTURE.sub(" ", text))]


def _system(tokens: Sequence[str]) -> tuple[SystemWords, list[str]] | None:
    """The system that ``tokens`` begin with and what follows; None where a word is not understood."""
    names = [(name.split(), system) for system in words().systems for name in system.names]
    names += [(name.split(), words().of("windows")) for name in words().azure_local]
    for name, system in sorted(names, key=lambda pair: -len(pair[0])):
        if list(tokens[: len(name)]) == name:
            rest = list(tokens[len(name) :])
            if " ".join(name) in words().azure_local:
                rest = ["azure", "local", *rest]
            return (system, rest) if all(_says_version(system, token) for token in rest) else None
    return None


def _says_version(system: SystemWords, token: str) -> bool:
    known = token in (*system.extra, "local") or bool(_codename(system, token))
    return known or (token[0].isdigit() and bool(_TOKEN.fullmatch(token)))


def _codename(system: SystemWords, token: str) -> str:
    return next((one.version for one in words().codenames if one.os == system.os and token in one.words), "")


def _joined(system: SystemWords, rest: Sequence[str], version: Sequence[str]) -> str | None:
    """The version of both texts; empty where neither is understood, None where they contradict each other."""
    told = [_version(system, tokens) for tokens in (rest, version) if tokens]
    if len(told) > 1 and all(told):
        short, long = sorted(told, key=len)
        return long if long == short or long.startswith(f"{short}.") else None
    return told[-1] if told else ""


def _version(system: SystemWords, tokens: Sequence[str]) -> str:
    """The version in the table that ``tokens`` mean; empty where that is none, or not certain."""
    found = set()
    for token in tokens:
        if _NUMBER.fullmatch(token):
            found.add(_reduced(system.os, system.versions, token))
        elif _codename(system, token):
            found.add(_codename(system, token))
        elif token not in system.extra:
            return ""
    version = found.pop() if len(found) == 1 else ""
    return version if version and tables.systems().find(system.os, version) else ""


def _reduced(os: str, scheme: VersionScheme, number: str) -> str:
    """The part of ``number`` that packages are told apart by."""
    major, *minor = number.split(".")
    if scheme == "release":
        return f"{major}.{minor[0] if minor else '0'}"
    if scheme == "year-month":
        together = re.fullmatch(r"(\d\d)(\d\d)", number)
        return f"{together[1]}.{together[2]}" if together else ".".join((major, *minor[:1]))
    pack = ".".join((major, *minor[:1]))
    return pack if scheme == "service-pack" and tables.systems().find(os, pack) else major
