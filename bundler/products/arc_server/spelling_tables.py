"""What people write for an operating system, a version or an architecture: ``words.json``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from bundler.formats import json_codec
from bundler.model.frozen import frozen

VersionScheme = Literal["windows", "year-month", "major", "service-pack", "release"]
"""How the packages of a system are told apart: what of a version counts."""


@frozen
class SystemWords:
    """The words for one operating system."""

    os: str
    ids: tuple[str, ...]
    """``ID`` in /etc/os-release."""
    names: tuple[str, ...]
    """Each of lower-case words with a blank between."""
    versions: VersionScheme
    extra: tuple[str, ...]
    """Words that say nothing about the version."""
    source: str


@frozen
class Codename:
    """The words of one version's name."""

    os: str
    version: str
    words: tuple[str, ...]


@frozen
class Build:
    """A Windows Server by its build; Windows 10 and 11 share some of them, so that a build is no version."""

    build: str
    number: str
    version: str


@frozen
class LongTerm:
    """A long-term release of Windows IoT Enterprise by its year."""

    year: str
    version: str


@frozen
class ArchitectureWords:
    """The words for one architecture."""

    architecture: str
    words: tuple[str, ...]


@frozen
class Words:
    """``words.json``."""

    source: str
    note: str
    systems: tuple[SystemWords, ...]
    azure_local: tuple[str, ...]
    """Names of Azure Local, which is a version of ``windows``."""
    azure_local_source: str
    codenames: tuple[Codename, ...]
    codenames_source: str
    builds: tuple[Build, ...]
    builds_source: str
    long_term: tuple[LongTerm, ...]
    long_term_source: str
    architectures: tuple[ArchitectureWords, ...]
    other_systems: tuple[str, ...]
    """Beginnings of names that are near one above, and another system's all the same."""
    other_architectures: tuple[str, ...]
    """Those that no agent is made for."""

    def of(self, os: str) -> SystemWords:
        """The words for ``os``, which the definition's schema knows."""
        return next(system for system in self.systems if system.os == os)


@cache
def words() -> Words:
    """The words, read once."""
    return json_codec.from_json(Words, (files("bundler.data.arc_server") / "words.json").read_bytes())
