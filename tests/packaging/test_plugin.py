"""A product of another distribution: installed it does the whole path, uninstalled its bundles' packages cannot be
verified.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Elsewhere, built, environment, pip

ANCHORS = ("--anchors", "lab/authority/anchors.json")


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    plugin = built("plugin wheel", ROOT / "tests" / "plugin")
    return environment(tmp_path_factory.mktemp("with a plug-in") / "venv", wheel, plugin)


def definition(folder: Path) -> str:
    told = json.loads((folder / "lab/lab.json").read_text(encoding="utf-8"))
    return (
        f"product: hello\nname: hello\nversion: '1'\nrepository: {told['linux']}/ubuntu/22.04/prod\n"
        f"upstream: {{ca: lab/{told['ca']}, anchors: lab/{told['anchors']}}}\n"
    )


def test_the_whole_path_with_an_installed_product(commands, tmp_path):
    elsewhere = Elsewhere(commands, tmp_path)
    assert "hello" in elsewhere.run("--version", "-v")
    with elsewhere.lab():
        (tmp_path / "bundle.yaml").write_text(definition(tmp_path), encoding="utf-8")
        elsewhere.run("lock")
        told = json.loads((tmp_path / "lab/lab.json").read_text(encoding="utf-8"))
        key = ("--seal-key", f"lab/{told['seal_key']}", "--seal-certificate", f"lab/{told['seal_certificate']}")
        built_json = json.loads(elsewhere.run("build", "--locked", *key, "--format", "json"))
    (made,) = built_json["outputs"]
    bundle, signer = tmp_path / made["path"], ("--signer", f"lab/{told['seal_certificate']}")
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    assert manifest["tool"].endswith("+ arc-hello 1.0")

    found = json.loads(elsewhere.run("verify", made["path"], *signer, *ANCHORS, "--format", "json"))
    assert [one["methods"] for one in found["packages"]] == [["debsigs", "apt-repository"]]
    assert found["scripts_rendered_by"].endswith("arc-hello 1.0")
    page = (bundle / "review.html").read_text(encoding="utf-8")
    assert "Says hello, and installs one package." in page
    assert "arc-hello 1.0" in page
    ran = subprocess.run(["bash", "install.sh", "--dry-run"], cwd=bundle, capture_output=True, text=True, check=True)
    package = f"payload/ubuntu/amd64/{manifest['pins'][0]['filename']}"
    assert ran.stdout == f"hello from hello: would install {package}\n"

    assert "product   hello\n" in elsewhere.run("inspect", made["path"])

    pip(commands, "uninstall", "--yes", "--quiet", "arc-hello")
    refused = elsewhere.begin("verify", made["path"], *signer, *ANCHORS)
    _, said = refused.communicate(timeout=60)
    assert refused.returncode == 6
    assert "'hello'" in said
    assert "cannot verify its packages" in said
    assert "product   hello (not installed" in elsewhere.run("inspect", made["path"])
    allowed = json.loads(elsewhere.run("verify", made["path"], *signer, "--allow-unknown-product", "--format", "json"))
    assert allowed["ok"] is True
    assert allowed["packages"] == []
    assert any("hello" in warning for warning in allowed["warnings"])
