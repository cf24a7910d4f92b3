"""``config/settings.json``: what the scripts have baked in."""

from __future__ import annotations

from collections.abc import Sequence

from bundler.model.frozen import frozen
from bundler.model.lock import Pin
from bundler.model.target import Target
from bundler.products.arc_server.script_parameters import ScriptParameters

SETTINGS_SCHEMA = "arc-bundler/settings/1"


@frozen
class PackageSetting:
    """One package, and the machines that it is for."""

    path: str
    sha256: str
    size: int
    """Bytes."""
    version: str
    targets: tuple[Target, ...]


@frozen
class Settings:
    """``config/settings.json``: what the scripts have baked in, for a person or a program to read."""

    schema: str = SETTINGS_SCHEMA
    name: str
    version: str
    tool: str
    lab: bool = False
    parameters: ScriptParameters
    packages: tuple[PackageSetting, ...]


def package_settings(pins: Sequence[Pin]) -> tuple[PackageSetting, ...]:
    """The packages as ``config/settings.json`` names them."""
    return tuple(
        PackageSetting(path=pin.path, sha256=pin.sha256, size=pin.size, version=pin.facts.version, targets=pin.targets)
        for pin in pins
    )
