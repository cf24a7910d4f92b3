"""A bundle's targets as the scripts compare them with their machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bundler.model.lock import Pin
from bundler.model.target import Target
from bundler.products.arc_server import spelling_tables, tables
from bundler.products.arc_server.agent_version import AgentVersion

# ``uname -m`` for the definition's words.
_MACHINES = {"x64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class TargetRow:
    """One target as a script compares it with its machine; all text, as scripts have it."""

    id: str
    version_id: str
    machine: str
    target: str
    path: str
    sha256: str
    package_version: str
    kind: str
    packed: str
    """KiB of the package."""
    installed: str
    """KiB that it takes when installed."""
    supported: str = ""
    """The versions below ``version_id`` that the agent supports, by blanks; empty: none has one of its own."""


@dataclass(frozen=True)
class TargetRows:
    """The targets of a bundle, by platform."""

    linux: list[TargetRow]
    windows: list[TargetRow]

    @staticmethod
    def of(pins: Sequence[Pin]) -> TargetRows:
        """The targets of ``pins``."""
        return TargetRows(
            linux=[row for pin in pins if pin.kind != "msi" for row in _rows(pin)],
            windows=[row for pin in pins if pin.kind == "msi" for row in _rows(pin)],
        )


def targets_text(rows: Iterable[TargetRow]) -> str:
    """The targets by name, each once."""
    return ", ".join(dict.fromkeys(row.target for row in rows))


def _row(pin: Pin, target: Target, *, release_id: str, version_id: str, machine: str) -> TargetRow:
    packed = -(-pin.size // 1024)
    # Where the package does not say: the published packages take three times their size (facts of 1.50 and 1.51).
    installed = -(-pin.facts.installed_size // 1024) or 3 * packed
    # A target such as sles/15 has service packs, of which Microsoft's table has left some behind.
    below = (one for one in tables.systems().of(target.os) if one.version.startswith(f"{version_id}."))
    return TargetRow(
        id=release_id,
        version_id=version_id,
        machine=machine,
        target=str(target),
        path=pin.path,
        sha256=pin.sha256,
        package_version=pin.facts.version,
        kind=pin.kind,
        packed=str(packed),
        installed=str(installed),
        supported=" ".join(one.version for one in below if not AgentVersion(pin.facts.version).newer_than(one.last)),
    )


def _rows(pin: Pin) -> Iterable[TargetRow]:
    for target in pin.targets:
        if pin.kind == "msi":
            # "2012 R2" and "2012-r2" are 2012r2; azure-local is a word.
            version_id = re.sub(r"[ -]+", "-", target.version.lower()).replace("-r2", "r2")
            yield _row(pin, target, release_id="windows", version_id=version_id, machine="AMD64")
            continue
        # SLES says "15 SP5", its VERSION_ID "15.5".
        version_id = re.sub(r"[ -]?sp", ".", target.version, flags=re.IGNORECASE)
        machine = _MACHINES.get(target.architecture, target.architecture)
        for release_id in spelling_tables.words().of(target.os).ids:
            yield _row(pin, target, release_id=release_id, version_id=version_id, machine=machine)
