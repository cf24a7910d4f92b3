"""The wheel, installed elsewhere: everything that it needs is in it, and the whole path works far from the checkout."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import bundler
from tests.packaging.conftest import ROOT


def packed(folder: str) -> set[str]:
    """What a folder of the checkout holds, but for what tools leave behind."""
    there = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.as_posix() for path in there if "__pycache__" not in path.parts and path.suffix != ".pyc"}


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def about(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_it_holds_the_whole_package_and_the_templates_and_nothing_else(names):
    inside = {name for name in names if ".dist-info/" not in name}
    templates = {f"bundler/{name}" for name in packed("templates")}
    assert inside == packed("bundler") | templates


@pytest.mark.parametrize(
    "name",
    [
        "bundler/py.typed",
        "bundler/data/anchors/microsoft.json",
        "bundler/data/arc_server/systems.json",
        "bundler/lab/agents/azcmagent.exe",
        "bundler/lab/agents/azcmagent.sh",
        "bundler/templates/arc-server/linux/install.sh.j2",
    ],
)
def test_what_is_not_python_is_in_it_too(names, name):
    assert name in names


def test_its_metadata_say_what_it_is(about):
    assert about["Name"] == "arc-bundler"
    assert about["Version"] == bundler.__version__
    assert about["Requires-Python"] == ">=3.10"
    assert about["Summary"]
    assert about["Description-Content-Type"] == "text/markdown"
    assert about.get_payload().startswith("# arc-bundler")


def test_its_licence_is_in_it(about, names):
    assert about["License-Expression"] == "Apache-2.0"
    assert about.get_all("License-File") == ["LICENSE"]
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert {url.partition(",")[0] for url in about.get_all("Project-URL")} >= {
        "Homepage",
        "Issues",
        "Contact",
    }


def test_every_library_that_is_imported_is_declared_and_none_beyond(about):
    required = [Requirement(text) for text in about.get_all("Requires-Dist", [])]
    declared = {
        canonical(each.name) for each in required if each.marker is None or 'extra == "pkcs11"' in str(each.marker)
    }
    provider = {module: canonical(one.name) for one in metadata.distributions() for module in provided(one)}
    imported = {
        provider.get(module, module)
        for path in (ROOT / "bundler").rglob("*.py")
        for module in imports(path)
        if module not in sys.stdlib_module_names and module != "bundler"
    }
    assert imported - declared == set()
    # A dependency of ours that we import only by another's hand would be pinned here for no reason.
    assert declared - imported == set()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def provided(distribution: metadata.Distribution) -> set[str]:
    """The modules at the top of what a distribution installed, by its RECORD.

    Not by `metadata.packages_distributions`: Python 3.10's knows only those that ship the retired `top_level.txt`.
    """
    python = (file for file in distribution.files or () if file.suffix in {".py", ".so", ".pyd"})
    return {file.parts[0].partition(".")[0] for file in python}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_the_installed_command_is_the_wheel_s(elsewhere, installed):
    assert elsewhere.run("--version").split() == ["arc-bundler", bundler.__version__]
    python = next(path for path in (installed / "python.exe", installed / "python") if path.exists())
    asked = [str(python), "-c", "import bundler; print(bundler.__file__)"]
    said = subprocess.run(
        asked, cwd=elsewhere.folder, env=elsewhere.environment, capture_output=True, text=True, check=True
    )
    assert Path(said.stdout.strip()).is_relative_to(installed.parent)


def test_a_definition_can_be_begun(elsewhere):
    assert json.loads(elsewhere.run("schema"))["$schema"]
    elsewhere.run("init", "--name", "arc-elsewhere")
    assert "arc-elsewhere" in (elsewhere.folder / "bundle.yaml").read_text(encoding="utf-8")


def test_a_real_package_is_verified_with_the_built_in_anchors(elsewhere, corpus):
    told = json.loads(
        elsewhere.run("verify-file", str(corpus / "deb/good-packages-microsoft-prod.deb"), "--format", "json")
    )
    assert told["ok"] is True
    assert told["anchors"] == "Microsoft"


def test_the_whole_path_from_the_lab_to_a_verified_bundle(elsewhere):
    with elsewhere.lab():
        elsewhere.run("init", "--lab", "lab")
        elsewhere.run("lock")
        built = json.loads(elsewhere.run("build", "--locked", "--format", "json"))
    for made in built["outputs"]:
        found = json.loads(
            elsewhere.run(
                "verify",
                "--insecure-no-seal",
                made["path"],
                "--anchors",
                "lab/authority/anchors.json",
                "--format",
                "json",
            )
        )
        assert found["digest"] == made["digest"]
    scripts = {path.name for path in elsewhere.folder.glob("bundles/*/*/*/*") if path.is_file()}
    assert {"install.sh", "install.ps1", "verify.sh", "verify.ps1", "START-HERE.txt"} <= scripts
