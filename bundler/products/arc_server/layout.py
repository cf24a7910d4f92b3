"""The folder of each package in a bundle, and whether a pin keeps to it."""

from __future__ import annotations

from bundler.model.lock import Pin
from bundler.model.target import Target
from bundler.products.arc_server import tables
from bundler.products.arc_server.tables import System

_WORDS = {
    ("msi", "x64"): "x64",
    ("deb", "x64"): "amd64",
    ("deb", "arm64"): "arm64",
    ("rpm", "x64"): "x86_64",
    ("rpm", "arm64"): "aarch64",
}


def word(system: System, architecture: str) -> str:
    """The word that a package for ``system`` has for the definition's ``architecture``; empty where it has none."""
    return _WORDS.get((system.kind, architecture), "")


def place(system: System, architecture: str) -> str:
    """The folder of the package that all systems with one repository share; ``architecture`` is the package's word."""
    folder = "windows" if system.kind == "msi" else system.repository or f"{system.os}/{system.version}"
    return f"{folder}/{architecture}"


def own_place(target: Target, architecture: str) -> str:
    """The folder of a package that only ``target`` gets, and those that share it; otherwise as :func:`place`."""
    return "/".join(part for part in (target.os, target.version, architecture) if part)


def misfit(pin: Pin) -> str:
    """Why ``pin`` cannot be what a build pins for its targets: a sentence, or nothing.

    Of a yum repository nothing that is signed says which system it is for (createrepo_c(8)), so that there the
    package's own kind and architecture are all that is compared; an apt ``Release`` names its suite.
    """
    places = set()
    for target in pin.targets:
        system = tables.systems().find(target.os, target.version)
        if system is None:
            return f"{target} is not known to this release"
        architecture = word(system, target.architecture)
        if (system.kind, architecture) != (pin.kind, pin.facts.architecture):
            return f"{target} does not support a {pin.kind} for {pin.facts.architecture}"
        if pin.kind == "deb" and pin.repository and pin.repository.origin.rpartition(" ")[2] != system.suite:
            return f"{target} needs the suite {system.suite}, but the package is from {pin.repository.origin}"
        places |= {place(system, architecture), own_place(target, architecture)}
    return "" if pin.place in places else f"no package of its targets belongs to {pin.place}"
