"""Versions of the agent, as definitions request them and packages state them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.products.arc_server.definition import Definition

ALLOWED = 'latest, "MAJOR.MINOR" such as "1.67", or a full build such as "1.67.03504.3207"'

_REQUESTED = re.compile(r"latest|[0-9]{1,4}\.[0-9]{1,4}(\.[0-9]{1,8}[.-][0-9]{1,8})?")
_STATED = re.compile(r"([0-9]+)\.([0-9]+)(?:\.|$)")


@dataclass(frozen=True)
class AgentVersion:
    """One version; versions are compared by ``MAJOR.MINOR``, and ``latest`` is newer than any."""

    text: str
    """``latest``, ``1.67``, or a full build such as ``1.67.03504.3207``."""

    @staticmethod
    def requested(text: str) -> AgentVersion | None:
        """The version that a definition requests by ``text``; None where it is not a version."""
        return AgentVersion(text) if _REQUESTED.fullmatch(text) else None

    @property
    def is_latest(self) -> bool:
        """Whether it is the newest that the upstream has."""
        return self.text == "latest"

    @property
    def is_full_build(self) -> bool:
        """Whether it has a build number; Windows and Linux never share one."""
        return self.text.count(".") > 1

    @property
    def release(self) -> tuple[int, int] | None:
        """``MAJOR.MINOR``; None for ``latest``, and for a package's version of another form."""
        stated = _STATED.match(self.text)
        return (int(stated[1]), int(stated[2])) if stated else None

    @property
    def release_text(self) -> str:
        """``MAJOR.MINOR`` as text; ``latest`` stays."""
        return self.text if self.release is None else ".".join(self.text.split(".")[:2])

    def older_than(self, release: str) -> bool:
        """Whether it is older than ``release`` (``MAJOR.MINOR``; empty: than none)."""
        return bool(release) and self.release is not None and self.release < _release(release)

    def newer_than(self, release: str) -> bool:
        """Whether it is newer than ``release`` (``MAJOR.MINOR``; empty: than none)."""
        return bool(release) and (self.release is None or self.release > _release(release))

    def __str__(self) -> str:
        return self.text


def requested_versions(definition: Definition) -> list[AgentVersion]:
    """The version that each target requests, where it is a version."""
    found = (AgentVersion.requested(definition.requested_version(target)) for target in definition.targets)
    return [version for version in found if version]


def older_ones(definition: Definition, release: str) -> str:
    """Those of the requested versions that are older than ``release``, in order, with commas; empty for none."""
    return ", ".join(
        sorted({str(version) for version in requested_versions(definition) if version.older_than(release)})
    )


def _release(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)
