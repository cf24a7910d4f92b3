"""The lab has everything that the product can request."""

from __future__ import annotations

from bundler.lab import upstream
from bundler.products.arc_server import tables

WORDS = {"deb": {"x64": "amd64", "arm64": "arm64"}, "rpm": {"x64": "x86_64", "arm64": "aarch64"}}
ENDED = {("ubuntu", "16.04"), ("debian", "10")}
"""Their last agent, 1.44, is older than any that the lab has."""


def served(system):
    return next((each for each in upstream.DISTRIBUTIONS if each.path == system.repository), None)


def linux():
    return [system for system in tables.systems().systems if system.repository]


def test_every_supported_system_has_its_repository():
    missing = {(system.os, system.version) for system in linux() if not served(system)}
    assert missing == ENDED


def test_every_undisputed_architecture_is_there():
    for system in linux():
        distribution = served(system)
        for architecture in set(system.architectures) - set(system.disputed) if distribution else ():
            assert WORDS[system.kind][architecture] in distribution.architectures, system


def test_suites_are_named_alike():
    assert [s for s in linux() if served(s) and served(s).codename != system_suite(s)] == []


def system_suite(system):
    return system.suite if system.kind == "deb" else ""
