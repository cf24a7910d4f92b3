"""Attacks by files that we read: locks, bundles, genuine files of other products."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.flow import package_kinds, spool, verify, verify_package
from bundler.pack import from_directory
from bundler.products.arc_server.product import ArcServer
from bundler.trust import anchors as trusted
from tests.support.lab_project import NOW

ANCHORS = ("--anchors", "lab/authority/anchors.json")


@pytest.fixture
def bundle(project) -> Path:
    assert project.run("build").code == 0
    return project.folder / "bundles/arc-test/1.0/arc-test-1.0"


def rewrite(bundle: Path, change) -> None:
    """Let ``change`` alter the manifest, and make every hash fit again."""
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    change(manifest)
    (bundle / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    paths = sorted(p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file())
    lines = (
        f"{hashlib.sha256((bundle / path).read_bytes()).hexdigest()}  {path}\n"
        for path in paths
        if path != "SHA256SUMS"
    )
    (bundle / "SHA256SUMS").write_bytes("".join(lines).encode())


def add(bundle: Path, manifest, path: str, content: bytes) -> None:
    (bundle / path).parent.mkdir(parents=True, exist_ok=True)
    (bundle / path).write_bytes(content)
    entry = {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "mode": "0644"}
    manifest["files"] = sorted([*manifest["files"], entry], key=lambda e: e["path"])


def refusal(project, bundle) -> str:
    refused = project.run("verify", "--insecure-no-seal", str(bundle), *ANCHORS, "--format", "json")
    assert refused.code == 6, refused.out
    return refused.json["error"]["reason"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("msi", "authenticode/good-microsoft-2023.msi"),
        ("deb", "deb/good-packages-microsoft-prod.deb"),
        ("rpm", "rpm/good-packages-microsoft-prod.rpm"),
    ],
)
def test_a_genuine_package_of_another_product_is_not_the_agent(corpus, kind, name):
    anchors = trusted.microsoft()
    with (corpus / name).open("rb") as file:
        verified = package_kinds.verify_package(file, kind, anchors=anchors, at=NOW)
    with pytest.raises(VerificationError) as refused:
        verify_package.require_product(verified.facts, kind, anchors, "here", product=ArcServer())
    assert refused.value.reason == "wrong-product"


def test_a_lab_s_stand_in_is_not_the_agent_for_real_anchors(project):
    from dataclasses import replace

    from bundler.model.evidence import PackageFacts

    lab = trusted.load(Path("lab/authority/anchors.json"))
    facts = PackageFacts(name="Azure Connected Machine Agent (LAB)", version="1.68.1.1", architecture="x64")
    verify_package.require_product(facts, "msi", lab, "here", product=ArcServer())
    with pytest.raises(VerificationError, match="Azure Connected Machine Agent"):
        verify_package.require_product(facts, "msi", replace(lab, lab=False), "here", product=ArcServer())


@pytest.mark.parametrize("change", [{"lab": False}, {"anchors": "Microsoft"}])
def test_a_bundle_cannot_hide_that_it_is_from_a_lab(project, bundle, change):
    rewrite(bundle, lambda manifest: manifest.update(change))
    assert refusal(project, bundle) == "disguised-anchors"


@pytest.mark.parametrize("path", ["payload/windows/x64/extra.msi", "payload/keys/" + "A" * 40 + ".asc"])
def test_the_payload_holds_only_pinned_packages(project, bundle, path):
    rewrite(bundle, lambda manifest: add(bundle, manifest, path, b"not verified"))
    assert refusal(project, bundle) == "not-pinned"


def test_a_package_does_not_lose_its_pin(project, bundle):
    rewrite(bundle, lambda manifest: manifest.update(pins=manifest["pins"][1:]))
    assert refusal(project, bundle) == "not-pinned"


def test_a_pin_of_a_repository_does_not_lose_its_evidence(project, bundle):
    def strip(manifest):
        for pin in manifest["pins"]:
            pin["evidence"] = pin["evidence"][:1]

    rewrite(bundle, strip)
    assert refusal(project, bundle) == "evidence-differs"


def _pin(manifest, kind):
    return next(pin for pin in manifest["pins"] if pin["kind"] == kind)


def _move(bundle: Path, manifest, kind: str, place: str, target) -> None:
    """Put the package of ``kind``, and its evidence, in the place of the package for another target."""
    pin = _pin(manifest, kind)
    for folder in ("payload", "evidence"):
        was, now = f"{folder}/{pin['place']}", f"{folder}/{place}"
        (bundle / now).parent.mkdir(parents=True, exist_ok=True)
        (bundle / was).rename(bundle / now)
        if not any((bundle / was).parent.iterdir()):
            (bundle / was).parent.rmdir()
        for entry in manifest["files"]:
            entry["path"] = entry["path"].replace(f"{was}/", f"{now}/")
    pin.update(place=place, targets=[target])


@pytest.mark.parametrize(
    ("kind", "place", "target"),
    [
        ("deb", "ubuntu/24.04/amd64", {"os": "ubuntu", "version": "24.04"}),
        ("deb", "ubuntu/24.04/amd64", {"os": "ubuntu", "version": "22.04"}),
        ("deb", "ubuntu/22.04/arm64", {"os": "ubuntu", "version": "22.04", "architecture": "arm64"}),
        ("rpm", "rhel/8/x86_64", {"os": "rhel", "version": "9"}),
        ("rpm", "rhel/6/x86_64", {"os": "rhel", "version": "6"}),
        ("msi", "windows/2022/arm64", {"os": "windows", "version": "2022", "architecture": "arm64"}),
    ],
)
def test_a_genuine_package_is_refused_in_the_folder_of_other_servers(project, bundle, kind, place, target):
    rewrite(bundle, lambda manifest: _move(bundle, manifest, kind, place, target))
    assert refusal(project, bundle) == "wrong-place"


@pytest.mark.parametrize("kind", ["deb", "rpm"])
@pytest.mark.parametrize("change", [{"date": "2001-01-01T00:00:00Z"}, {"origin": "https://elsewhere.example jammy"}])
def test_a_manifest_does_not_make_a_repository_younger_or_another(project, bundle, kind, change):
    rewrite(bundle, lambda manifest: _pin(manifest, kind)["repository"].update(change))
    assert refusal(project, bundle) == "evidence-differs"


def _first(lock):
    return lock["pins"][0]


@pytest.mark.parametrize(
    "change",
    [
        lambda lock: lock.update(name=".."),
        lambda lock: lock["pins"].pop(),
        lambda lock: _first(lock).update(place="../../escaped"),
        lambda lock: _first(lock).update(sha256="../" * 12 + "etc/passwd"),
        lambda lock: _first(lock).update(size=-1),
        lambda lock: _first(lock).update(kind="deb"),
        lambda lock: _first(lock).update(targets=[]),
        lambda lock: _first(lock)["facts"].update(architecture="arm64"),
        lambda lock: lock["pins"][1]["evidence"][1]["documents"][0].update(sha256=".."),
    ],
)
def test_an_edited_lock_is_refused_before_anything_is_fetched_or_written(project, change):
    assert project.run("lock").code == 0
    lock = json.loads(project.lock.read_text(encoding="utf-8"))
    change(lock)
    project.lock.write_text(json.dumps(lock), encoding="utf-8")
    refused = project.run("build", "--locked", "--format", "json")
    assert refused.code == 4, refused.out
    assert refused.json["error"]["kind"] == "lock"
    assert not (project.folder / "bundles").exists()


def test_an_archive_that_was_exchanged_with_its_sum_is_not_unchanged(project, bundle):
    archive = Path(f"{bundle}.tar.gz")
    archive.write_bytes(b"something else")
    sums = archive.with_name(f"{archive.name}.sha256")
    sums.write_bytes(f"{hashlib.sha256(b'something else').hexdigest()}  {archive.name}\n".encode())
    assert project.run("build").code == 7


@pytest.mark.parametrize("command", ["verify-file", "verify", "inspect"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_not_waited_for(project, command):
    os.mkfifo("pipe")
    refused = project.run(command, "pipe", "--format", "json")
    assert refused.code in (2, 6)
    assert refused.json["ok"] is False


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_file_that_becomes_a_pipe_or_a_link_while_a_folder_is_read_ends_the_reading(tmp_path):
    for name in ("pipe", "link"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a").write_bytes(b"a")
        (found,) = from_directory.walk(folder)
        (folder / "a").unlink()
        os.mkfifo(folder / "a") if name == "pipe" else (folder / "a").symlink_to("/dev/zero")
        with pytest.raises((VerificationError, OSError)):
            list(found.chunks())


def test_a_definition_or_lock_without_end_is_not_read_to_its_end(project):
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no endless file")
    assert project.run("lock", "-d", "/dev/zero").code == 3
    assert project.run("build", "--lock", "/dev/zero").code == 4


def test_a_package_that_is_exchanged_after_it_was_hashed_is_refused(project, bundle, monkeypatch):
    """An attacker who can write to the folder shows a genuine package to the verifier, and another to the sums."""
    package = next(bundle.rglob("*.deb"))
    genuine = package.read_bytes()
    forged = genuine + b"\n"

    def exchange(manifest):
        package.write_bytes(forged)
        digest = hashlib.sha256(forged).hexdigest()
        path = package.relative_to(bundle).as_posix()
        for entry in manifest["files"]:
            if entry["path"] == path:
                entry.update(sha256=digest, size=len(forged))
        for pin in manifest["pins"]:
            if pin["kind"] == "deb":
                pin.update(sha256=digest, size=len(forged), repository=None, evidence=pin["evidence"][:1])

    rewrite(bundle, exchange)
    sound = verify.check

    def checked(*arguments, **options):
        found = sound(*arguments, **options)
        package.write_bytes(genuine)
        return found

    monkeypatch.setattr(verify, "check", checked)
    assert refusal(project, bundle) == "digest-mismatch"


def test_what_came_out_of_an_archive_is_not_read_again(project, bundle, monkeypatch):
    read = []

    def counted(file):
        read.append(file)
        return sha256(file)

    sha256 = spool.chunks.sha256
    monkeypatch.setattr(spool.chunks, "sha256", counted)
    for path, times in ((f"{bundle}.zip", 0), (str(bundle), 3)):
        read.clear()
        assert project.run("verify", "--insecure-no-seal", path, *ANCHORS).code == 0
        assert len(read) == times


def test_a_temporary_folder_without_room_is_named(project, bundle):
    resource = pytest.importorskip("resource", reason="only POSIX bounds a file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        refused = project.run("verify", "--insecure-no-seal", f"{bundle}.zip", *ANCHORS, "--format", "json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.code == 7, refused.out
