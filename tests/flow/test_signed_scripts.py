"""Signed PowerShell scripts: built, verified by the named signer, and run where scripts must be signed."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from bundler.formats import json_codec
from bundler.model.manifest import Manifest
from bundler.pack.manifest import digest
from tests.support.lab_project import Project
from tests.support.sealers import NOW, Identity, identity

ANCHORS = ("--anchors", "lab/authority/anchors.json")
SCRIPTS = ("install.ps1", "verify.ps1")
MARK = b"# SIG # Begin signature block"


def flags(project: Project, made: Identity, kind: str = "script") -> tuple[str, ...]:
    key, certificate = made.write(project.folder, kind)
    return f"--{kind}-key", str(key), f"--{kind}-certificate", str(certificate)


def build(project: Project, *arguments: str) -> Path:
    ran = project.run("build", *arguments, "--format", "json")
    assert ran.code == 0, ran.err
    return project.folder / "bundles/arc-test/1.0/arc-test-1.0"


def verify(project: Project, bundle: Path, *more: str) -> object:
    ran = project.run("verify", str(bundle), *ANCHORS, *(more or ("--insecure-no-seal",)), "--format", "json")
    return ran.json if ran.code == 0 else ran.json["error"].get("reason", ran.json["error"]["kind"])


def bodies(bundle: Path) -> dict[str, bytes]:
    return {name: (bundle / name).read_bytes() for name in SCRIPTS}


def rewritten(bundle: Path, files: dict[str, bytes], **stated: object) -> None:
    """An attacker who can write to the bundle: other files, and a manifest and sums that match them."""
    for name, content in files.items():
        (bundle / name).write_bytes(content)
    path = bundle / "manifest.json"
    described = json.loads(path.read_bytes())
    described |= stated
    for entry in described["files"]:
        if entry["path"] in files:
            entry |= {"sha256": digest(files[entry["path"]]), "size": len(files[entry["path"]])}
    path.write_bytes(json_codec.to_json(json_codec.from_json(Manifest, json.dumps(described).encode())))
    told = (bundle / "SHA256SUMS").read_text().splitlines()
    paths = [line.split("  ", 1)[1] for line in told]
    lines = [f"{digest((bundle / name).read_bytes())}  {name}\n" for name in paths]
    (bundle / "SHA256SUMS").write_text("".join(lines), newline="\n")


@pytest.mark.parametrize("kind", ["rsa-3072", "p-384"])
def test_a_bundle_names_the_actual_signer_of_its_scripts(project: Project, kind: str) -> None:
    signer = identity("LAB scripts", kind=kind)
    bundle = build(project, *flags(project, signer))
    for wrapped in (bundle, *(bundle.with_name(f"arc-test-1.0.{form}") for form in ("zip", "tar.gz", "7z"))):
        found = verify(project, wrapped)
        assert found["scripts_signed_by"]["sha256"] == signer.sha256
    assert all(MARK in body and body.isascii() for body in bodies(bundle).values())
    assert "signed by CN=LAB scripts" in project.run("inspect", str(bundle)).out
    assert "scripts signed by CN=LAB scripts" in project.run("verify", str(bundle), *ANCHORS, "--insecure-no-seal").out
    for page in ("review.html", "../arc-test-1.0.review.html"):
        assert signer.sha256 in (bundle / page).read_text(encoding="utf-8")
    told = (bundle / "START-HERE.txt").read_text()
    assert "CN=LAB scripts" in told
    assert signer.sha256 not in told
    if shutil.which("osslsigncode"):
        for name in SCRIPTS:
            command = ("osslsigncode", "verify", "-CAfile", str(project.folder / "script.pem"), name)
            subprocess.run(command, cwd=bundle, check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_the_same_lock_and_key_make_the_same_scripts(project: Project, kind: str) -> None:
    given = flags(project, identity("LAB scripts", kind=kind))
    bundle = build(project, *given)
    first = bodies(bundle), (bundle / "SHA256SUMS").read_bytes()
    again = project.run("build", *given, "--format", "json").json
    assert again["unchanged"]
    assert again["scripts_signed_by"]["name"] == "CN=LAB scripts"
    shutil.rmtree(project.folder / "bundles")
    build(project, *given)
    assert (bodies(bundle), (bundle / "SHA256SUMS").read_bytes()) == first


def test_a_bundle_with_other_signatures_is_another_bundle(project: Project) -> None:
    given = flags(project, identity("LAB scripts"))
    build(project, *given)
    for other in ((), flags(project, identity("LAB other scripts"))):
        ran = project.run("build", *other, "--format", "json")
        assert (ran.code, ran.json["error"]["kind"]) == (7, "write")
    shutil.rmtree(project.folder / "bundles")
    plain = build(project)
    assert not any(MARK in body for body in bodies(plain).values())
    assert json.loads((plain / "manifest.json").read_text())["scripts_signed_by"] is None
    assert "Authenticode" not in (plain / "START-HERE.txt").read_text()
    ran = project.run("build", *given, "--format", "json")
    assert (ran.code, ran.json["error"]["kind"]) == (7, "write")


def test_a_diff_reports_another_signature_in_one_line(project: Project) -> None:
    """Forty lines of base64 that changed would hide the one line of the script that did."""
    project.define(outputs="[{format: directory}]")
    bundle = build(project, *flags(project, identity("LAB scripts")))
    was = shutil.copytree(bundle, project.folder / "was" / bundle.name)
    shutil.rmtree(project.folder / "bundles")
    build(project, *flags(project, identity("LAB other scripts")))
    found = project.run("diff", str(was), str(bundle), "--format", "json").json["diff"]
    (signer,) = (one for one in found["changes"] if (one["subject"], one["field"]) == ("scripts", "signer"))
    assert signer["was"][0] == "CN=LAB scripts"
    assert signer["now"][0] == "CN=LAB other scripts"
    for script in SCRIPTS:
        (text,) = (one for one in found["scripts"] if one["path"] == script)
        lines = [line for piece in text["hunks"] for line in piece["lines"] if line["sign"] in "+-"]
        assert [line["text"][:20] for line in lines] == ["# (a signature block"] * 2


RANDOM = """
import sys, pathlib
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
with open("asked.txt", "a") as asked:
    asked.write("x")
key = serialization.load_pem_private_key(pathlib.Path("seal.key").read_bytes(), None)
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))
"""


def test_a_key_that_draws_at_random_is_asked_once(project: Project) -> None:
    """As many tokens and services do; a rebuild finds its bundle whole, and asks for no signature over a script."""
    sealer = identity("LAB sealer", kind="p-256")
    flags(project, sealer, "seal")
    (project.folder / "drawing.py").write_text(RANDOM)
    command = shlex.join([Path(sys.executable).as_posix(), "drawing.py"])
    given = ("--sign-scripts", "--seal-command", command, "--seal-certificate", "seal.pem")
    project.define(outputs="[{format: zip}, {format: directory}]")
    bundle = build(project, *given)
    assert verify(project, bundle, "--signer", sealer.sha256)["scripts_signed_by"]["sha256"] == sealer.sha256
    asked = (project.folder / "asked.txt").read_text()
    assert len(asked) == len(SCRIPTS) + 3  # and the sums, the manifest, the provenance
    first = bodies(bundle)
    again = project.run("build", *given, "--format", "json")
    assert (again.code, again.json["unchanged"]) == (0, True), again.err
    assert (project.folder / "asked.txt").read_text() == asked
    assert bodies(bundle) == first


def test_no_key_is_used_before_the_packages_are_verified(project: Project) -> None:
    sealer = identity("LAB sealer", kind="p-256")
    flags(project, sealer, "seal")
    (project.folder / "drawing.py").write_text(RANDOM)
    command = shlex.join([Path(sys.executable).as_posix(), "drawing.py"])
    assert project.run("lock").code == 0
    shutil.rmtree(project.store)
    given = ("--sign-scripts", "--seal-command", command, "--seal-certificate", "seal.pem")
    assert project.run("build", "--offline", *given).code != 0
    assert not (project.folder / "asked.txt").exists()


def test_each_platform_lists_its_own_signatures(project: Project) -> None:
    project.define(outputs="[{format: directory, archives: per-platform}]")
    build(project, *flags(project, identity("LAB scripts")))
    folder = project.folder / "bundles/arc-test/1.0"
    stated = {name: json.loads((folder / name / "manifest.json").read_text())["scripts_signed_by"]
              for name in ("arc-test-1.0-linux", "arc-test-1.0-windows")}  # fmt: skip
    assert stated["arc-test-1.0-linux"] is None
    assert stated["arc-test-1.0-windows"]["name"] == "CN=LAB scripts"
    assert verify(project, folder / "arc-test-1.0-windows")["ok"]


def test_unsigned_or_foreign_signed_scripts_are_refused(project: Project) -> None:
    """Even where manifest and sums match, as with a seal by a deceived sealer."""
    signer, stranger = identity("LAB scripts"), identity("stranger")
    project.define(outputs="[{format: directory}]")
    theirs = bodies(build(project, *flags(project, stranger)))
    shutil.rmtree(project.folder / "bundles")
    bundle = build(project, *flags(project, signer))
    good = bodies(bundle)
    cases = {
        "wrong-publisher": theirs["install.ps1"],
        "unsigned": good["install.ps1"].partition(b"\r\n" + MARK)[0],
        "trailing-data": good["install.ps1"] + b"exit 0\r\n",
        "line-endings": good["install.ps1"].replace(b"\r\n", b"\n"),
        "digest-mismatch": good["verify.ps1"].partition(MARK)[0] + MARK + good["install.ps1"].partition(MARK)[2],
    }
    said = {}
    for wanted, content in cases.items():
        rewritten(bundle, {"install.ps1": content})
        said[wanted] = verify(project, bundle)
    assert said == {wanted: wanted for wanted in cases}
    rewritten(bundle, good)
    assert verify(project, bundle)["ok"]


def test_who_signs_scripts_must_be_certified_for_it(project: Project) -> None:
    unfit = {
        "no purpose": {"purposes": ()},
        "mail": {"purposes": (ExtendedKeyUsageOID.EMAIL_PROTECTION,)},
        "expired": {"ends": NOW - timedelta(hours=1)},
    }
    for name, changes in unfit.items():
        made = identity(name, **changes)
        ran = project.run("build", *flags(project, made), "--format", "json")
        assert (ran.code, ran.json["error"]["kind"]) == (8, "signing"), name
    mail = identity("mail", purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    ran = project.run("build", *flags(project, mail, "seal"), "--sign-scripts", "--format", "json")
    assert (ran.code, ran.json["error"]["kind"]) == (8, "signing")
    assert "codeSigning" in ran.json["error"]["do"]
    assert not (project.folder / "bundles").exists()


def test_one_key_signs_and_its_flags_belong_together(project: Project) -> None:
    script, seal = flags(project, identity("LAB scripts")), flags(project, identity("LAB sealer"), "seal")
    for wrong in (
        ("--sign-scripts",),
        (*seal, *script, "--sign-scripts"),
        script[2:],
        ("--script-passphrase-file", "word.txt"),
    ):
        ran = project.run("build", *wrong, "--format", "json")
        assert (ran.code, ran.json["error"]["kind"]) == (2, "usage"), wrong
    ran = project.run("build", *script[:2], "--format", "json")
    assert (ran.code, "--script-certificate" in ran.json["error"]["do"]) == (8, True)


def test_a_passphrase_opens_the_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    made = identity("LAB scripts")
    given = flags(project, made)
    locked = serialization.BestAvailableEncryption(b"opens it")
    pem = made.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    Path(given[1]).write_bytes(pem)
    ran = project.run("build", *given, "--format", "json")
    assert (ran.code, "ARC_BUNDLER_SCRIPT_PASSPHRASE" in ran.json["error"]["do"]) == (8, True)
    monkeypatch.setenv("ARC_BUNDLER_SCRIPT_PASSPHRASE", "opens it")
    assert verify(project, build(project, *given))["scripts_signed_by"]["sha256"] == made.sha256


def test_a_powershell_runs_the_signed_scripts(project: Project, powershell: str) -> None:
    """They still check themselves among the files. Whether Windows accepts the signature is not tested here."""
    sealer = identity("LAB sealer", kind="rsa-2048")
    bundle = build(project, *flags(project, sealer, "seal"), "--sign-scripts")
    if Path(powershell).stem == "powershell":  # the bench, which reads scripts as the oldest Windows would
        lint = [powershell, "-Lint", *(str(bundle / name) for name in SCRIPTS)]
        told = subprocess.run(lint, capture_output=True, text=True, check=False, timeout=120)
        assert told.returncode == 0, told.stdout
    run = [powershell, "-NoProfile", "-File", str(bundle / "verify.ps1"), "-Signer", sealer.sha256]
    told = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout
    assert "The signature matches the fingerprint you gave" in told.stdout
    install = [powershell, "-NoProfile", "-File", str(bundle / "install.ps1"), "-WhatIf"]
    told = subprocess.run(install, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout
    assert "signed by CN=LAB sealer" in told.stdout
    with (bundle / "install.ps1").open("ab") as script:
        script.write(b"\r\n")
    told = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 200, told.stdout
