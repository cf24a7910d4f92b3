"""What install.ps1 uses is what it checked; and a folder in which other users can exchange files is reported."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from bundler.products.arc_server.script_parameters import CarriedCertificate
from tests.support import envelope_cases as cases
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed
from tests.support.windows_bench import outcomes, source, write_bundle
from tests.target_server.test_preflight_ps1 import Issuer

# The preflight runs it: after the check of the files, before their use.
SECEDIT = """#!/bin/bash
cp '{new}' '{old}'
exit 1
"""
WARNING = "who can exchange files of this bundle"
EVERY, MEMBERS, AUTHENTICATED, OTHER = "S-1-1-0", "S-1-5-32-545", "S-1-5-11", "S-1-5-21-1-2-3-1001"
READ, MODIFY, FULL = 0x1200A9, 0x1301BF, 0x1F01FF
CREATE_FOLDERS, DELETE_CHILD = 0x4, 0x40


def exchange(server, path: str | Path, content: bytes) -> None:
    """Has another user exchange the file between check and use."""
    (server / "exchanged").write_bytes(content)
    tool = server / "Windows/System32/secedit.exe"
    tool.write_text(SECEDIT.format(new=server / "exchanged", old=server / path))
    tool.chmod(0o755)


def is_exchanged(server, path: str | Path) -> bool:
    return (server / path).read_bytes() == (server / "exchanged").read_bytes()


def test_a_package_that_is_exchanged_after_the_check_is_not_installed(server):
    path = "bundle/payload/windows/x64/AzureConnectedMachineAgent.msi"
    exchange(server, path, b"another package")
    ended = server.run(*server.secret())
    assert is_exchanged(server, path)
    assert ended.code == 200, ended.out
    assert "AzureConnectedMachineAgent.msi has changed" in ended.out
    assert not (server / "msiexec").exists()


def carried(issuer) -> tuple[CarriedCertificate, bytes]:
    pem = issuer.pem.read_bytes()
    made = x509.load_pem_x509_certificate(pem)
    return (
        CarriedCertificate(
            path=f"payload/certificates/{hashlib.sha256(pem).hexdigest()}.pem",
            name="LAB Carried Root",
            sha1=made.fingerprint(hashes.SHA1()).hex().upper(),
            sha256=hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest(),
            store="root",
        ),
        pem,
    )


@pytest.mark.parametrize("kind", ["another", "the same and another"])
def test_a_certificate_that_is_exchanged_after_the_check_is_not_trusted(server, tmp_path, kind):
    one, pem = carried(Issuer(tmp_path, "LAB", "LAB Carried Root"))
    (tmp_path / "other").mkdir()
    other = Issuer(tmp_path / "other", "LAB", "LAB Other Root").pem.read_bytes()
    write_bundle(server / "bundle", replace(sample.SECRET, certificates=(one,)), extra={one.path: pem})
    script = server / "bundle/install.ps1"
    # On Linux only the user's own store can be written.
    script.write_text(script.read_text().replace("= 'LocalMachine'", "= 'CurrentUser'"), newline="\r\n")
    exchange(server, f"bundle/{one.path}", other if kind == "another" else pem + other)
    (server / "home").mkdir()
    home = {"environment": {"HOME": str(server / "home")}}
    ended = server.run("-InstallCertificates", *server.secret(), **home)
    assert is_exchanged(server, f"bundle/{one.path}")
    assert ended.code == 200, ended.out
    assert "has changed" in ended.out
    assert list((server / "home").rglob("*.pfx")) == []


def test_a_secret_in_the_bundle_that_is_exchanged_is_not_used(server):
    shutil.rmtree(server / "bundle")
    path = "config/secret"
    recipe = sealed.Recipe(
        sealer=cases.SEALER,
        lab=True,
        pins=(sample.MSI,),
        parameters=replace(sample.SECRET, embedded_secret=path),
        extra={path: b"the-real-secret\n"},
    )
    sealed.write(server / "bundle", recipe)
    exchange(server, f"bundle/{path}", b"another-secret\n")
    ended = server.run()
    assert is_exchanged(server, f"bundle/{path}")
    assert ended.code == 200, ended.out
    assert "config/secret has changed" in ended.out
    assert not (server / "arrived").exists()


@pytest.mark.parametrize("signed", [True, False])
def test_an_envelope_that_is_exchanged_is_opened_only_where_the_sealer_signed_it(server, signed):
    given = cases.to()
    shutil.rmtree(server / "bundle")
    sealed.write(server / "bundle", sealed.Recipe(sealer=cases.SEALER, lab=True, pins=(sample.MSI,)))
    path = server / "one.envelope"
    path.write_bytes(given.envelope)
    path.with_name(f"{path.name}.p12").write_bytes(given.key)
    exchange(server, path, given.envelope if signed else given.envelope[:-1] + b"x")
    environment = {"ARC_BUNDLER_ENVELOPE_PASSPHRASE": given.passphrase}
    ended = server.run("-Envelope", str(path), environment=environment)
    assert is_exchanged(server, path)
    if signed:
        assert ended.code == 0, ended.out
        assert json.loads((server / "arrived").read_bytes())["service-principal-secret"] == cases.SECRET
    else:
        assert ended.code == 203, ended.out
        assert not (server / "arrived").exists()
        assert not (server / "msiexec").exists()


PLACES = [
    ("bundle", EVERY, MODIFY, 0, "bundle can be written by every user"),
    ("bundle", MEMBERS, CREATE_FOLDERS, 3, ""),
    ("bundle", MEMBERS, CREATE_FOLDERS, 0, "bundle can be written by every user"),
    ("bundle", AUTHENTICATED, MODIFY, 0, "bundle can be written by every user"),
    ("bundle", OTHER, MODIFY, 0, f"bundle can be written by {OTHER}"),
    ("bundle", EVERY, READ, 0, ""),
    ("bundle", "S-1-5-32-544", FULL, 0, ""),
    ("bundle", "S-1-5-18", FULL, 0, ""),
    ("bundle", "S-1-3-0", 0x10000000, 2, ""),
    ("bundle", "owner", OTHER, 0, f"bundle can be written by its owner {OTHER}"),
    ("bundle/install.ps1", MEMBERS, MODIFY, 0, "install.ps1 can be written by every user"),
    ("bundle/payload/windows/x64", EVERY, DELETE_CHILD, 0, "x64 can be written by every user"),
    # As Windows sets them up: every user may make folders in C:\\, which exchanges nothing that is there.
    (".", AUTHENTICATED, CREATE_FOLDERS, 0, ""),
    (".", AUTHENTICATED, MODIFY, 2, ""),
    (".", AUTHENTICATED, MODIFY, 0, " can be written by every user"),
]


def test_what_others_can_write_is_found(server):
    probe = source("runtime/windows/rights.ps1") + f"$Bundle = '{server / 'bundle'}'\n"
    for path, who, mask, flags, _told in PLACES:
        line = f"{server / path}|{who}|{mask}|{flags}"
        probe += f"[IO.File]::WriteAllText('{server / 'rights'}', '{line}')\n'<' + (Get-SharedPlace) + '>'\n"
    (server / "bundle/probe.ps1").write_text(probe)
    found = server.run(script="probe.ps1").out.splitlines()
    assert len(found) == len(PLACES), found
    for said, (path, who, mask, flags, told) in zip(found, PLACES, strict=True):
        assert bool(told) == (said != "<>"), (path, who, mask, flags, said)
        assert said.endswith(f"{told}>"), (path, who, mask, flags, said)


def test_a_folder_that_others_can_write_is_told(server):
    (server / "rights").write_text(f"{server / 'bundle'}|{MEMBERS}|{MODIFY}|0\n")
    ended = server.run("-CheckOnly", *server.secret())
    assert ended.code == 0, ended.out
    assert f"{server / 'bundle'} can be written by every user, {WARNING} while it is used: copy it into" in ended.out
    assert outcomes(ended) == ["ok", "warn"]
    ended = server.run("-Uninstall", "-WhatIf", "-ForceLocalOnly")
    assert WARNING in ended.out, ended.out
