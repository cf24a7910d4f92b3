"""`verify` and `inspect`: any change is refused, and a bundle cannot verify itself."""

from __future__ import annotations

import errno
import io
import json
import random
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from bundler.flow.verify import hashes, verify
from bundler.trust import anchors
from tests.support.lab_project import NOW

ANCHORS = ("--anchors", "lab/authority/anchors.json")


@pytest.fixture
def bundle(project) -> Path:
    assert project.run("build").code == 0
    return project.folder / "bundles/arc-test/1.0/arc-test-1.0"


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar.gz", ".7z"])
def test_every_container_is_verified_and_inspected(project, bundle, suffix):
    path = f"{bundle}{suffix}"
    found = project.run("verify", "--insecure-no-seal", path, *ANCHORS, "--format", "json")
    assert found.code == 0, found.err
    assert {p["path"].rpartition(".")[2] for p in found.json["packages"]} == {"msi", "deb", "rpm"}
    seen = project.run("inspect", path, "--format", "json")
    assert seen.code == 0
    assert seen.json["verified"] is False
    assert len(seen.json["manifest"]["pins"]) == 3


@pytest.mark.parametrize("command", [("verify", "--insecure-no-seal", *ANCHORS), ("inspect",)])
def test_an_archive_that_may_not_be_read_is_no_failure_to_write(project, bundle, monkeypatch, command):
    archive, real = f"{bundle}.zip", Path.open

    def forbidden(path, *args, **kwargs):
        if str(path) == archive:
            raise PermissionError(errno.EACCES, "Permission denied", archive)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", forbidden)
    refused = project.run(*command, archive)
    assert refused.code == 2
    assert "cannot be read: Permission denied" in refused.err


def test_the_packages_of_a_directory_are_verified_in_place(project, bundle, monkeypatch):
    def spooling():
        pytest.fail("a copy was made")

    monkeypatch.setattr("bundler.flow.spool.tempfile.TemporaryFile", spooling)
    assert project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS).code == 0
    with pytest.raises(pytest.fail.Exception, match="a copy was made"):
        verify(Path(f"{bundle}.zip"), anchors=anchors.load(Path(ANCHORS[1])), trusted=None, at=NOW)


def test_a_lab_bundle_needs_the_lab_s_anchors_from_elsewhere(project, bundle):
    refused = project.run("verify", "--insecure-no-seal", str(bundle), "--format", "json")
    assert refused.code == 6
    assert refused.json["error"]["reason"] == "other-anchors"


def test_any_changed_byte_in_any_file_is_refused(project, bundle):
    chance = random.Random(4)
    for path in sorted(p for p in bundle.rglob("*") if p.is_file()):
        sound = path.read_bytes()
        for _ in range(2):
            place = chance.randrange(len(sound))
            changed = bytearray(sound)
            changed[place] ^= 1 << chance.randrange(8)
            path.write_bytes(changed)
            refused = project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS)
            assert refused.code == 6, f"{path} at {place}"
            assert "Traceback" not in refused.err
        path.write_bytes(sound)
    assert project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS).code == 0


def forge(bundle: Path, path: str, content: bytes) -> None:
    """Change a file and update every hash, as an attacker who can rewrite the bundle does."""
    import hashlib

    (bundle / path).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    manifest = json.loads((bundle / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["path"] == path:
            entry["sha256"], entry["size"] = digest, len(content)
    for pin in manifest["pins"]:
        if f"payload/{pin['place']}/{pin['filename']}" == path:
            pin["sha256"], pin["size"] = digest, len(content)
    (bundle / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
    lines = []
    for line in (bundle / "SHA256SUMS").read_text().splitlines():
        _, name = line.split("  ", 1)
        lines.append(f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}")
    (bundle / "SHA256SUMS").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("kind", ["msi", "deb", "rpm"])
def test_a_changed_package_is_refused_even_when_every_hash_was_made_to_fit(project, bundle, kind):
    path = next(p for p in bundle.rglob(f"*.{kind}"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    forge(bundle, path.relative_to(bundle).as_posix(), bytes(content))
    hashes(bundle, password=None)  # the bundle agrees with itself
    assert project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS).code == 6


def test_a_changed_document_of_evidence_is_refused_even_when_every_hash_was_made_to_fit(project, bundle):
    for path in ("evidence/ubuntu/22.04/amd64/InRelease", "evidence/rhel/9/x86_64/repomd.xml"):
        copy = bundle.with_name("copy")
        shutil.copytree(bundle, copy)
        sound = (copy / path).read_bytes()
        changed = (
            sound.replace(b"2026", b"2027") if path.endswith("InRelease") else sound.replace(b"<size>1", b"<size>2")
        )
        assert changed != sound
        forge(copy, path, changed)
        hashes(copy, password=None)
        assert project.run("verify", "--insecure-no-seal", str(copy), *ANCHORS).code == 6
        shutil.rmtree(copy)


def test_extra_and_missing_files_and_links_are_refused(project, bundle):
    (bundle / "extra.txt").write_text("x")
    assert (
        project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS, "--format", "json").json["error"]["reason"]
        == "extra-file"
    )
    (bundle / "extra.txt").unlink()
    (bundle / "START-HERE.txt").rename(bundle.parent / "aside")
    assert (
        project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS, "--format", "json").json["error"]["reason"]
        == "missing-file"
    )
    (bundle / "START-HERE.txt").symlink_to(bundle.parent / "aside")
    assert project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS).code == 6


def test_a_member_that_leaves_the_tree_is_refused(project, bundle):
    archive = Path(f"{bundle}.zip")
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("arc-test-1.0/../../escape.txt", "x")
    assert project.run("verify", "--insecure-no-seal", str(archive), *ANCHORS).code == 6


def test_a_path_that_is_no_bundle_is_reported_as_such(project):
    (project.folder / "page.zip").write_text("<!DOCTYPE html><html></html>")
    refused = project.run("verify", "--insecure-no-seal", "page.zip", *ANCHORS)
    assert refused.code == 6
    assert "web page" in refused.err
    assert project.run("verify", "--insecure-no-seal", "nowhere.zip").code == 2


def rewrap(archive: Path) -> None:
    """Pack the files of a zip or tar.gz anew, as other programs do."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as old:
            contents = {info: old.read(info) for info in old.infolist()}
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as new:
            for info, content in contents.items():
                new.writestr(info.filename, content)
    else:
        with tarfile.open(archive) as old_tar:
            members = {info.name: (info, old_tar.extractfile(info).read()) for info in old_tar}
        with tarfile.open(archive, "w:gz") as new_tar:
            for info, content in members.values():
                new_tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_an_archive_that_was_packed_anew_is_refused_and_its_folder_verifies(project, bundle, suffix, tmp_path):
    archive = Path(f"{bundle}{suffix}")
    rewrap(archive)
    for command in (("verify", "--insecure-no-seal", *ANCHORS), ("diff", str(bundle))):
        refused = project.run(*command, str(archive), "--format", "json")
        assert (refused.code, refused.json["error"]["reason"]) == (6, "rewrapped"), command
    told = project.run("verify", "--insecure-no-seal", *ANCHORS, str(archive)).err
    assert "this archive was not written by arc-bundler" in told
    assert "unpack it into an empty folder and verify that folder" in " ".join(told.split())
    shutil.unpack_archive(archive, tmp_path / "unpacked", {".zip": "zip", ".tar.gz": "gztar"}[suffix])
    folder = tmp_path / "unpacked" / bundle.name
    assert project.run("verify", "--insecure-no-seal", str(folder), *ANCHORS).code == 0
