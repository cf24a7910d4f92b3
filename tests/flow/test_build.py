"""`build`: verified packages, packed once, checked, and never written over something else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bundler.pack import sevenzip_form


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_tree_is_the_design_s(project):
    built = project.run("build", "--format", "json")
    assert built.code == 0, built.err
    names = set(contents(project.folder / "bundles/arc-test/1.0/arc-test-1.0"))
    assert {
        "START-HERE.txt",
        "install.ps1",
        "install.sh",
        "verify.ps1",
        "verify.sh",
        "SHA256SUMS",
        "manifest.json",
        "config/settings.json",
        "config/endpoints.json",
        "evidence/anchors.json",
        "evidence/ubuntu/22.04/amd64/InRelease",
        "evidence/rhel/9/x86_64/repomd.xml",
        "evidence/rhel/9/x86_64/repomd.xml.asc",
        "payload/windows/x64/AzureConnectedMachineAgent.msi",
    } <= names
    assert built.json["lab"] is True
    digest = hashlib.sha256((project.folder / "bundles/arc-test/1.0/arc-test-1.0/SHA256SUMS").read_bytes()).hexdigest()
    assert {made["digest"] for made in built.json["outputs"]} == {digest}


def test_the_manifest_lists_every_other_file(project):
    project.run("build")
    root = project.folder / "bundles/arc-test/1.0/arc-test-1.0"
    manifest = json.loads((root / "manifest.json").read_text())
    listed = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    there = contents(root)
    del there["manifest.json"], there["SHA256SUMS"]
    assert listed == there
    assert manifest["parameters"]["tenant_id"] == "11111111-1111-4111-8111-111111111111"


def test_an_unchanged_rebuild_is_reported_and_changes_nothing(project):
    project.run("build")
    before = {p: p.stat().st_mtime_ns for p in (project.folder / "bundles").rglob("*")}
    again = project.run("build", "--format", "json")
    assert again.code == 0
    assert again.json["unchanged"] is True
    assert {p: p.stat().st_mtime_ns for p in (project.folder / "bundles").rglob("*")} == before


@pytest.mark.parametrize("victim", ["zip", "zip.sha256", "manifest.json", "directory"])
def test_a_conflicting_output_is_left_alone_and_refused(project, victim):
    project.run("build")
    path = project.made("install.sh" if victim == "directory" else f".{victim}") if victim != "directory" else None
    path = path or next((project.folder / "bundles").rglob("install.sh"))
    path.write_bytes(path.read_bytes() + b"x")
    changed = path.read_bytes()
    refused = project.run("build")
    assert refused.code == 7
    assert "never overwritten" in refused.err
    assert path.read_bytes() == changed


def test_locked_refuses_to_make_a_lock(project):
    assert project.run("build", "--locked").code == 4
    assert not project.lock.exists()
    assert project.run("build").code == 0
    assert project.lock.exists()


def test_a_lock_of_another_definition_is_refused_where_it_must_not_be_written(project):
    project.run("lock")
    project.define(location="westeurope")
    refused = project.run("build", "--locked")
    assert refused.code == 4
    assert "definition: location changed" in refused.err
    assert "the pins still fit" in refused.err
    assert "run `arc-bundler lock` (it keeps them)" in refused.err


def test_offline_builds_from_the_store_alone(project):
    assert project.run("build", "--offline").code == 5
    project.run("lock")
    asked = len(project.lab.requests)
    built = project.run("build", "--locked", "--offline")
    assert built.code == 0, built.err
    assert len(project.lab.requests) == asked


def test_offline_without_the_bytes_names_what_is_missing(project):
    project.run("lock")
    shutil.rmtree(project.store)
    refused = project.run("build", "--locked", "--offline")
    assert refused.code == 5
    assert "AzureConnectedMachineAgent.msi" in refused.err


def test_a_store_damaged_since_the_lock_is_healed_from_upstream(project):
    project.run("lock")
    for held in (project.store / "objects").rglob("*"):
        if held.is_file():
            held.chmod(0o644)
            held.write_bytes(held.read_bytes()[:-1] + b"!")
    built = project.run("build", "--locked")
    assert built.code == 0, built.err
    assert (
        project.run(
            "verify", "--insecure-no-seal", str(project.made(".zip")), "--anchors", "lab/authority/anchors.json"
        ).code
        == 0
    )


def test_two_builds_from_one_lock_are_the_same_bytes_anywhere(project, tmp_path_factory):
    project.run("build")
    here = contents(project.folder / "bundles")
    elsewhere = tmp_path_factory.mktemp("else where ü")
    for name in ("bundle.yaml", "bundle.lock", "lab"):
        source = project.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, elsewhere / name)
    environment = {
        **os.environ,
        "TZ": "Pacific/Chatham",
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONHASHSEED": "7",
        "ARC_BUNDLER_STORE": str(elsewhere / "s"),
    }
    script = "import os, sys; os.umask(0o077); from bundler.cli.main import run; run(['build', '--locked'])"
    subprocess.run([sys.executable, "-c", script], cwd=elsewhere, env=environment, check=True)
    assert contents(elsewhere / "bundles") == here


def test_one_archive_a_platform(project):
    project.define(outputs="[{format: zip, archives: per-platform}]")
    built = project.run("build", "--format", "json")
    assert built.code == 0, built.err
    names = {}
    for made in built.json["outputs"]:
        with zipfile.ZipFile(made["path"]) as archive:
            names[Path(made["path"]).name] = {n.partition("/")[2] for n in archive.namelist()}
        assert (
            project.run("verify", "--insecure-no-seal", made["path"], "--anchors", "lab/authority/anchors.json").code
            == 0
        )
    assert set(names) == {"arc-test-1.0-windows.zip", "arc-test-1.0-linux.zip"}
    assert "install.ps1" in names["arc-test-1.0-windows.zip"]
    assert "install.sh" not in names["arc-test-1.0-windows.zip"]
    assert not any(n.endswith(".msi") for n in names["arc-test-1.0-linux.zip"])


def test_an_encrypted_archive_needs_its_password_and_shows_no_names(project, monkeypatch):
    project.define(outputs="[{format: 7z, encrypted: true}]")
    refused = project.run("build")
    assert refused.code == 2
    assert "--password-file" in refused.err
    assert not (project.folder / "bundles").exists() or not any((project.folder / "bundles").rglob("*.7z"))
    (project.folder / "password").write_text("correct horse\n")
    assert project.run("build", "--password-file", "password").code == 0
    archive = project.made(".7z")
    assert b"manifest" not in archive.read_bytes()
    assert project.run("inspect", str(archive)).code == 2
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "wrong")
    wrong = project.run("inspect", str(archive))
    assert wrong.code in (2, 6)
    assert "password" in wrong.err
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "correct horse")
    assert (
        project.run("verify", "--insecure-no-seal", str(archive), "--anchors", "lab/authority/anchors.json").code == 0
    )


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_fault_of_our_7z_is_found_before_anything_gets_its_name(project, monkeypatch, encrypted):
    """Writer and reader share it, and agree: py7zr is the second reader, and leaves no output."""
    project.define(outputs=f"[{{format: zip}}, {{format: 7z, encrypted: {str(encrypted).lower()}}}]")
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "correct horse")
    with monkeypatch.context() as patched:
        patched.setattr(sevenzip_form, "attributes_of", lambda mode: 0x8020 | mode << 16)
        failed = project.run("build", "--format", "json")
        assert failed.code == 7
        assert failed.json["error"]["kind"] == "write"
        assert failed.json["error"]["message"].startswith("arc-test-1.0.7z was written, but py7zr")
        assert "What to do: report it" in failed.err
        assert list((project.folder / "bundles").rglob("*.*")) == []
    assert project.run("build").code == 0


WARNS = """
import sys, warnings
import py7zr
opened = py7zr.SevenZipFile.__init__
def warn(self, *given, **named):
    warnings.warn("py7zr grows old", stacklevel=1)
    opened(self, *given, **named)
py7zr.SevenZipFile.__init__ = warn
from bundler.cli.main import run
run(sys.argv[1:])
"""


def test_what_py7zr_warns_of_is_not_on_the_screen(project):
    project.define(outputs="[{format: 7z}]", targets='[{os: rhel, version: "9"}]')
    command = [sys.executable, "-W", "always", "-c", WARNS, "build", "--no-progress", "--log-file", "log"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "arn" not in ran.stderr
    assert "grows old" not in ran.stdout + ran.stderr
    assert "a library warns: UserWarning: py7zr grows old" in (project.folder / "log").read_text()


def test_the_version_can_be_built_from_the_pipeline_s_variables(project, monkeypatch):
    monkeypatch.setenv("BUILD_NUMBER", "417")
    project.define(version='"{date}.{env:BUILD_NUMBER}"')
    built = project.run("build", "--format", "json")
    assert built.code == 0, built.err
    assert built.json["version"].endswith(".417")


def test_plan_names_every_step_and_changes_nothing(project):
    before = contents(project.folder)
    unlocked = project.run("plan", "--format", "json")
    assert unlocked.code == 0
    assert {action["verb"] for action in unlocked.json["plan"]["actions"]} == {"resolve", "write"}
    assert contents(project.folder) == before
    project.run("lock")
    planned = project.run("plan", "--format", "json").json["plan"]
    verbs = [action["verb"] for action in planned["actions"]]
    assert verbs == sorted(verbs, key=["reuse", "fetch", "verify", "render", "write"].index)
    assert all(action["reason"] for action in planned["actions"])
    assert not (project.folder / "bundles").exists()
    project.run("build")
    assert "skip" in {action["verb"] for action in project.run("plan", "--format", "json").json["plan"]["actions"]}


def test_lab_is_shown_in_every_output(project):
    built = project.run("build")
    assert "LAB" in built.out
    root = project.folder / "bundles/arc-test/1.0/arc-test-1.0"
    for name in ("START-HERE.txt", "install.sh", "install.ps1", "manifest.json", "config/settings.json"):
        text = (root / name).read_text(encoding="utf-8")
        assert ('"lab": true' if name.endswith(".json") else "LAB") in text, name
    assert "LAB" in project.run("inspect", str(root)).out
    assert (
        project.run(
            "verify", "--insecure-no-seal", str(root), "--anchors", "lab/authority/anchors.json", "--format", "json"
        ).json["lab"]
        is True
    )


def test_two_builds_at_once_make_one_bundle(project):
    project.run("lock")
    shutil.rmtree(project.store)
    command = [sys.executable, "-m", "bundler", "build", "--locked", "-q"]
    builds = [subprocess.Popen(command, cwd=project.folder, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ends = [(process.communicate()[1], process.returncode) for process in builds]
    assert [code for _, code in ends] == [0, 0, 0], ends
    assert (
        project.run(
            "verify", "--insecure-no-seal", str(project.made(".zip")), "--anchors", "lab/authority/anchors.json"
        ).code
        == 0
    )
    assert sorted(path.name for path in (project.folder / "bundles/arc-test").iterdir()) == ["1.0"]
