"""What a project brings beside its code: licence, locked dependencies, addresses in one place."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINKS = runpy.run_path(str(ROOT / "tools" / "project_links.py"))
LOCKS = {
    "runtime.txt": PROJECT["dependencies"],
    "dev.txt": [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]],
}


def locked(name: str) -> list[tuple[Requirement, int]]:
    """Each requirement of a lock, and how many hashes it has."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [(Requirement(line.partition(" --hash")[0].strip()), line.count("--hash=sha256:")) for line in lines]


@pytest.mark.parametrize("name", LOCKS)
def test_every_dependency_is_locked_to_a_version_that_is_allowed(name):
    pinned: dict[str, list[str]] = {}
    for requirement, _ in locked(name):
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        pinned.setdefault(canonicalize_name(requirement.name), []).append(specifier.version)
    wanted = [Requirement(text) for text in LOCKS[name] if not text.startswith("arc-bundler[")]
    for requirement in wanted:
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in {name}: make lock-requirements"
        assert all(requirement.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash_and_no_address(name):
    assert all(hashes for _, hashes in locked(name))
    assert not re.search(
        r"://|--(extra-)?index|--find-links", (ROOT / "requirements" / name).read_text(encoding="utf-8")
    )


def test_both_locks_agree():
    development = {(one.name, str(one.specifier), str(one.marker)) for one, _ in locked("dev.txt")}
    versions = {(name, specifier) for name, specifier, _ in development}
    assert {(one.name, str(one.specifier)) for one, _ in locked("runtime.txt")} <= versions


def test_pages_have_the_addresses_of_pyproject():
    links = LINKS["addresses"]()
    for name in LINKS["PAGES"]:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert LINKS["page"](text, links) == text, f"{name}: run `make docs`"
        for label in re.findall(r"\[project-([a-z]+)\]", text):
            assert f"\n[project-{label}]: {links[label]}" in text


def test_links_are_rewritten():
    text = "see [x][project-issues]\n\n[project-issues]: old\n"
    assert LINKS["page"](text, {"issues": "https://new.example"}).endswith("\n[project-issues]: https://new.example\n")
    with pytest.raises(KeyError):
        LINKS["page"]("\n[project-other]: old\n", {})


def test_the_licence_is_apache_2_0():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
