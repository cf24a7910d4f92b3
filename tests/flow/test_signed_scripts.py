"""A bundle whose PowerShell scripts are signed is built, believed by whom it says, and runs where scripts must be."""

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
from tests.support.lab_project import Site
from tests.support.sealers import NOW, Identity, identity

ANCHORS = ("--anchors", "lab/authority/anchors.json")
SCRIPTS = ("install.ps1", "verify.ps1")
MARK = b"# SIG # Begin signature block"


def flags(site: Site, made: Identity, kind: str = "script") -> tuple[str, ...]:
    key, certificate = made.write(site.folder, kind)
    return f"--{kind}-key", str(key), f"--{kind}-certificate", str(certificate)


def build(site: Site, *arguments: str) -> Path:
    ran = site.run("build", *arguments, "--format", "json")
    assert ran.code == 0, ran.err
    return site.folder / "bundles/arc-test/1.0/arc-test-1.0"


def verify(site: Site, bundle: Path, *more: str) -> object:
    ran = site.run("verify", str(bundle), *ANCHORS, *(more or ("--insecure-no-seal",)), "--format", "json")
    return ran.json if ran.code == 0 else ran.json["error"].get("reason", ran.json["error"]["kind"])


def bodies(bundle: Path) -> dict[str, bytes]:
    return {name: (bundle / name).read_bytes() for name in SCRIPTS}


def rewritten(bundle: Path, files: dict[str, bytes], **stated: object) -> None:
    """What somebody does who may write in the bundle: other files, and a manifest and sums that fit them."""
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
def test_a_bundle_says_who_signed_its_scripts_and_it_is_so(site: Site, kind: str) -> None:
    signer = identity("LAB scripts", kind=kind)
    bundle = build(site, *flags(site, signer))
    for wrapped in (bundle, *(bundle.with_name(f"arc-test-1.0.{form}") for form in ("zip", "tar.gz", "7z"))):
        found = verify(site, wrapped)
        assert found["scripts_signed_by"]["sha256"] == signer.sha256
    assert all(MARK in body and body.isascii() for body in bodies(bundle).values())
    assert "signed by CN=LAB scripts" in site.run("inspect", str(bundle)).out
    assert "scripts signed by CN=LAB scripts" in site.run("verify", str(bundle), *ANCHORS, "--insecure-no-seal").out
    for page in ("review.html", "../arc-test-1.0.review.html"):
        assert signer.sha256 in (bundle / page).read_text(encoding="utf-8")
    assert signer.sha256 in (bundle / "START-HERE.txt").read_text()
    if shutil.which("osslsigncode"):
        for name in SCRIPTS:
            command = ("osslsigncode", "verify", "-CAfile", str(site.folder / "script.pem"), name)
            subprocess.run(command, cwd=bundle, check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_the_same_lock_and_key_make_the_same_scripts(site: Site, kind: str) -> None:
    given = flags(site, identity("LAB scripts", kind=kind))
    bundle = build(site, *given)
    first = bodies(bundle), (bundle / "SHA256SUMS").read_bytes()
    again = site.run("build", *given, "--format", "json").json
    assert again["unchanged"]
    assert again["scripts_signed_by"]["name"] == "CN=LAB scripts"
    shutil.rmtree(site.folder / "bundles")
    build(site, *given)
    assert (bodies(bundle), (bundle / "SHA256SUMS").read_bytes()) == first


def test_a_bundle_with_other_signatures_is_another_bundle(site: Site) -> None:
    given = flags(site, identity("LAB scripts"))
    build(site, *given)
    for other in ((), flags(site, identity("LAB other scripts"))):
        ran = site.run("build", *other, "--format", "json")
        assert (ran.code, ran.json["error"]["kind"]) == (7, "write")
    shutil.rmtree(site.folder / "bundles")
    plain = build(site)
    assert not any(MARK in body for body in bodies(plain).values())
    assert json.loads((plain / "manifest.json").read_text())["scripts_signed_by"] is None
    assert "Authenticode" not in (plain / "START-HERE.txt").read_text()
    ran = site.run("build", *given, "--format", "json")
    assert (ran.code, ran.json["error"]["kind"]) == (7, "write")


def test_a_difference_tells_of_another_signature_in_a_line(site: Site) -> None:
    """Forty lines of base64 that changed would hide the one line of the script that did."""
    site.define(outputs="[{format: directory}]")
    bundle = build(site, *flags(site, identity("LAB scripts")))
    was = shutil.copytree(bundle, site.folder / "was" / bundle.name)
    shutil.rmtree(site.folder / "bundles")
    build(site, *flags(site, identity("LAB other scripts")))
    found = site.run("diff", str(was), str(bundle), "--format", "json").json["diff"]
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


def test_a_key_that_draws_at_random_is_asked_once(site: Site) -> None:
    """As many tokens and services do; a rebuild finds its bundle whole, and asks for no signature over a script."""
    sealer = identity("LAB sealer", kind="p-256")
    flags(site, sealer, "seal")
    (site.folder / "drawing.py").write_text(RANDOM)
    command = shlex.join([Path(sys.executable).as_posix(), "drawing.py"])
    given = ("--sign-scripts", "--seal-command", command, "--seal-certificate", "seal.pem")
    site.define(outputs="[{format: zip}, {format: directory}]")
    bundle = build(site, *given)
    assert verify(site, bundle, "--signer", sealer.sha256)["scripts_signed_by"]["sha256"] == sealer.sha256
    asked = (site.folder / "asked.txt").read_text()
    assert len(asked) == len(SCRIPTS) + 3  # and the sums, the manifest, the provenance
    first = bodies(bundle)
    again = site.run("build", *given, "--format", "json")
    assert (again.code, again.json["unchanged"]) == (0, True), again.err
    assert (site.folder / "asked.txt").read_text() == asked
    assert bodies(bundle) == first


def test_no_key_is_asked_before_the_packages_are_believed(site: Site) -> None:
    sealer = identity("LAB sealer", kind="p-256")
    flags(site, sealer, "seal")
    (site.folder / "drawing.py").write_text(RANDOM)
    command = shlex.join([Path(sys.executable).as_posix(), "drawing.py"])
    assert site.run("lock").code == 0
    shutil.rmtree(site.store)
    given = ("--sign-scripts", "--seal-command", command, "--seal-certificate", "seal.pem")
    assert site.run("build", "--offline", *given).code != 0
    assert not (site.folder / "asked.txt").exists()


def test_each_platform_says_what_it_has(site: Site) -> None:
    site.define(outputs="[{format: directory, archives: per-platform}]")
    build(site, *flags(site, identity("LAB scripts")))
    folder = site.folder / "bundles/arc-test/1.0"
    stated = {name: json.loads((folder / name / "manifest.json").read_text())["scripts_signed_by"]
              for name in ("arc-test-1.0-linux", "arc-test-1.0-windows")}  # fmt: skip
    assert stated["arc-test-1.0-linux"] is None
    assert stated["arc-test-1.0-windows"]["name"] == "CN=LAB scripts"
    assert verify(site, folder / "arc-test-1.0-windows")["ok"]


def test_what_is_signed_by_another_or_by_nobody_is_refused(site: Site) -> None:
    """Even where manifest and sums fit, as with a seal by somebody who let himself be fooled."""
    signer, stranger = identity("LAB scripts"), identity("stranger")
    site.define(outputs="[{format: directory}]")
    theirs = bodies(build(site, *flags(site, stranger)))
    shutil.rmtree(site.folder / "bundles")
    bundle = build(site, *flags(site, signer))
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
        said[wanted] = verify(site, bundle)
    assert said == {wanted: wanted for wanted in cases}
    rewritten(bundle, good)
    assert verify(site, bundle)["ok"]


def test_who_signs_scripts_must_be_certified_for_it(site: Site) -> None:
    unfit = {
        "no purpose": {"purposes": ()},
        "mail": {"purposes": (ExtendedKeyUsageOID.EMAIL_PROTECTION,)},
        "expired": {"ends": NOW - timedelta(hours=1)},
    }
    for name, changes in unfit.items():
        made = identity(name, **changes)
        ran = site.run("build", *flags(site, made), "--format", "json")
        assert (ran.code, ran.json["error"]["kind"]) == (8, "signing"), name
    mail = identity("mail", purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    ran = site.run("build", *flags(site, mail, "seal"), "--sign-scripts", "--format", "json")
    assert (ran.code, ran.json["error"]["kind"]) == (8, "signing")
    assert "codeSigning" in ran.json["error"]["do"]
    assert not (site.folder / "bundles").exists()


def test_one_key_signs_and_its_flags_belong_together(site: Site) -> None:
    script, seal = flags(site, identity("LAB scripts")), flags(site, identity("LAB sealer"), "seal")
    for wrong in (
        ("--sign-scripts",),
        (*seal, *script, "--sign-scripts"),
        script[2:],
        ("--script-passphrase-file", "word.txt"),
    ):
        ran = site.run("build", *wrong, "--format", "json")
        assert (ran.code, ran.json["error"]["kind"]) == (2, "usage"), wrong
    ran = site.run("build", *script[:2], "--format", "json")
    assert (ran.code, "--script-certificate" in ran.json["error"]["do"]) == (8, True)


def test_a_passphrase_opens_the_key(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made = identity("LAB scripts")
    given = flags(site, made)
    locked = serialization.BestAvailableEncryption(b"opens it")
    pem = made.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    Path(given[1]).write_bytes(pem)
    ran = site.run("build", *given, "--format", "json")
    assert (ran.code, "ARC_BUNDLER_SCRIPT_PASSPHRASE" in ran.json["error"]["do"]) == (8, True)
    monkeypatch.setenv("ARC_BUNDLER_SCRIPT_PASSPHRASE", "opens it")
    assert verify(site, build(site, *given))["scripts_signed_by"]["sha256"] == made.sha256


def test_a_powershell_runs_the_signed_scripts(site: Site, powershell: str) -> None:
    """They still check themselves among the files. Whether a Windows believes the signature is not seen here."""
    sealer = identity("LAB sealer", kind="rsa-2048")
    bundle = build(site, *flags(site, sealer, "seal"), "--sign-scripts")
    if Path(powershell).stem == "powershell":  # the bench, which reads scripts as the oldest Windows would
        lint = [powershell, "-Lint", *(str(bundle / name) for name in SCRIPTS)]
        told = subprocess.run(lint, capture_output=True, text=True, check=False, timeout=120)
        assert told.returncode == 0, told.stdout
    run = [powershell, "-NoProfile", "-File", str(bundle / "verify.ps1"), "-Signer", sealer.sha256]
    told = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout
    assert "The seal is by the one whom you named" in told.stdout
    install = [powershell, "-NoProfile", "-File", str(bundle / "install.ps1"), "-WhatIf"]
    told = subprocess.run(install, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout
    assert "sealed by CN=LAB sealer" in told.stdout
    with (bundle / "install.ps1").open("ab") as script:
        script.write(b"\r\n")
    told = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 200, told.stdout
