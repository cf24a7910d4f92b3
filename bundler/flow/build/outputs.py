"""Into which files does a build divide a lock, and what is each called?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bundler.definition.common import Output
from bundler.model.lock import Lock, Pin


@dataclass(frozen=True)
class Part:
    """One bundle of a build: the whole, or what one platform needs."""

    name: str
    """The folder after unpacking, and the stem of the archives."""
    pins: tuple[Pin, ...]


@dataclass(frozen=True)
class Planned:
    """One output: a part, and what it is to be wrapped in."""

    output: Output
    part: Part

    @property
    def file(self) -> str:
        """Its name below the version's folder: the bundle's folder, or its archive."""
        return self.part.name if self.output.format == "directory" else f"{self.part.name}.{self.output.format}"


def planned(lock: Lock, outputs: Iterable[Output]) -> Iterator[Planned]:
    """Everything that a build from ``lock`` makes for the ``outputs`` of its definition, in their order."""
    for output in outputs:
        for part in _parts(lock, per_platform=output.archives == "per-platform"):
            yield Planned(output, part)


def _parts(lock: Lock, *, per_platform: bool) -> tuple[Part, ...]:
    whole = f"{lock.name}-{lock.version}"
    if not per_platform:
        return (Part(whole, lock.pins),)
    by_platform: dict[str, list[Pin]] = {}
    for pin in lock.pins:
        by_platform.setdefault("windows" if pin.kind == "msi" else "linux", []).append(pin)
    return tuple(Part(f"{whole}-{platform}", tuple(pins)) for platform, pins in sorted(by_platform.items()))
