"""No command loads a library that it does not need, because each slows the start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIBRARIES = ("cyclonedx", "jinja2", "py7zr", "pydantic", "pysequoia", "requests", "rich", "yaml")
ANCHORS = ("--anchors", "lab/authority/anchors.json")
SCRIPT = f"""
import sys
from bundler.cli.main import main
code = main(sys.argv[1:])
loaded = sorted(name for name in {LIBRARIES!r} if name in sys.modules)
print("loaded", code, *loaded, file=sys.stderr)
"""


def loaded(*arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command in a Python of its own, and which of `LIBRARIES` it loaded."""
    ran = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True)
    code, *names = ran.stderr.splitlines()[-1].split()[1:]
    return int(code), set(names)


def test_an_msi_is_verified_by_authenticode_alone(corpus):
    msi = corpus / "authenticode" / "good-microsoft-2023.msi"
    assert loaded("verify-file", str(msi)) == (0, set())


def test_a_refused_msi_loads_no_more(project):
    assert project.run("build").code == 0
    (msi,) = (project.folder / "bundles").rglob("*.msi")
    assert loaded("verify-file", str(msi)) == (6, set())


def test_a_deb_needs_sequoia_and_nothing_else(corpus):
    deb = corpus / "deb" / "good-packages-microsoft-prod.deb"
    assert loaded("verify-file", str(deb)) == (0, {"pysequoia"})


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar.gz", ".7z"])
def test_a_bundle_is_read_without_network(project, suffix):
    assert project.run("build").code == 0
    bundle = str(project.folder / "bundles/arc-test/1.0/arc-test-1.0") + suffix
    # Jinja makes the headers of the scripts again, as this very release made the bundle.
    assert loaded("verify", "--insecure-no-seal", bundle, *ANCHORS) == (0, {"jinja2", "pydantic", "pysequoia"})
    assert loaded("inspect", bundle) == (0, {"pydantic"})


@pytest.mark.parametrize(("kind", "more"), [("directory", set()), ("zip", set()), ("tar.gz", set()), ("7z", {"py7zr"})])
def test_a_build_loads_py7zr_where_it_writes_a_7z(project, kind, more):
    project.define(outputs=f"[{{format: {kind}}}]")
    assert project.run("lock").code == 0
    code, libraries = loaded("build", "--locked", "--no-progress")
    assert (code, libraries & {"py7zr"}) == (0, more)
    assert loaded("build", "--locked", "--no-progress")[1] & {"py7zr"} == set()


def test_looking_upstream_writes_no_container_and_renders_nothing(project):
    assert project.run("lock").code == 0
    code, libraries = loaded("lock", "--check", "--no-progress")
    assert code == 0
    assert not libraries & {"jinja2", "py7zr", "rich"}
    assert Path("bundle.lock").exists()
