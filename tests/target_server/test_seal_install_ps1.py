"""install.ps1 with a sealed bundle: nothing beside it switches the check off, and no older one follows a newer."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from tests.support import sample_bundles as sample
from tests.support import seal_cases as cases
from tests.support import sealed_bundles as sealed
from tests.support.seal_cases import FIRST, SEALER, THIRD
from tests.support.windows_bench import outcomes

SERIAL = 20261122010203
RECIPE = replace(cases.APPROVED, lab=True, serial=SERIAL, pins=(sample.MSI,))


def install(server, recipe=RECIPE):
    shutil.rmtree(server / "bundle")
    return sealed.write(server / "bundle", recipe)


def test_the_commands_of_start_here_say_the_fingerprint_and_what_changed(tmp_path, powershell):
    """Pasted where PowerShell and .NET call the folder differently, as they do on a share."""
    bundle = sealed.write(tmp_path / "bundle", RECIPE)
    text = (bundle / "START-HERE.txt").read_text()
    typed = re.search(r"Windows, in PowerShell;[^\n]*\n((?:       [^\n]*\n)+)", text)
    assert typed
    (bundle / "verify.ps1").write_text("changed")
    drive = f"[void](New-PSDrive -Name Share -PSProvider FileSystem -Root '{bundle}')\nSet-Location Share:/\n"
    (tmp_path / "typed.ps1").write_text("$ErrorActionPreference = 'Stop'\n" + drive + typed[1])
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "typed.ps1"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    fingerprint, *changed = said.stdout.split("\n")
    assert fingerprint.replace("-", "").lower() == SEALER.fingerprint, said.stdout + said.stderr
    assert changed == ["CHANGED: verify.ps1", ""]


def installed(server) -> bool:
    return (server / "msiexec").exists()


def test_the_commands_of_start_here_tell_a_fingerprint_only_where_the_seal_holds(server, powershell):
    install(server)
    lines = (server / "bundle/START-HERE.txt").read_text().split("\n")
    start = next(at for at, line in enumerate(lines) if "Add-Type" in line)
    end = next(at for at, line in enumerate(lines) if "Get-FileHash" in line)
    # Line by line, as they are pasted: after an error the next one goes on.
    (server / "typed.ps1").write_text("\n".join(lines[start : end + 1]).replace("$PWD\\", "$PWD/"))
    digits = SEALER.fingerprint.upper()
    fingerprint = "-".join(digits[at : at + 2] for at in range(0, 64, 2))
    for change in (None, cases.write("SHA256SUMS", b"0" * 64 + b"  evil\n"), cases.write("SHA256SUMS.p7s", b"x")):
        if change:
            change(server / "bundle")
        command = [powershell, "-NoProfile", "-NonInteractive", "-File", server / "typed.ps1"]
        done = subprocess.run(command, cwd=server / "bundle", capture_output=True, text=True, check=False)
        assert (fingerprint in done.stdout) == (change is None), done
        assert ("Exception" in done.stdout + done.stderr) == (change is not None), done
        assert "CHANGED" not in done.stdout or change


def test_it_installs_says_on_whose_word_and_takes_no_older_one(server):
    install(server)
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok"] * 7
    assert "signed by CN=LAB sealer" in ended.out
    assert "approved by Approver 0, Approver 2" in ended.out
    written = server.receipt()["bundle"]
    assert written["serial"] == SERIAL
    assert written["seal"] == {
        "signer": SEALER.fingerprint,
        "verified": True,
        "approvals": [FIRST.fingerprint, THIRD.fingerprint],
        "checked_with": "SignedCms",
    }
    kept = server / "Data/arc-bundler/serials"
    assert kept.read_text().split() == [str(SERIAL), "arc-tokyo"]

    install(server, replace(RECIPE, serial=SERIAL - 1))
    for mode in ((), ("-CheckOnly",), ("-WhatIf",)):
        ended = server.run(*server.secret(), *mode)
        assert ended.code == 201, ended.out
        assert f"({SERIAL - 1})" in ended.out
        assert f"({SERIAL})" in ended.out
    assert server.run(*server.secret(), "-AllowOlder").code == 0
    assert server.receipt()["switches"] == ["-AllowOlder"]
    assert kept.read_text().split() == [str(SERIAL), "arc-tokyo"]

    cases.removed(cases.P7S)(server / "bundle")
    server.install_agent(sample.WINDOWS_VERSION)
    assert server.run("-Uninstall", "-ForceLocalOnly").code == 0
    assert kept.read_text().split() == [str(SERIAL), "arc-tokyo"]


def verifier_replaced(bundle):
    (bundle / "verify.ps1").write_text("exit 0\r\n")


def package_changed_and_sums_fixed(bundle):
    (bundle / sample.MSI.path).write_bytes(b"another package")
    cases.sums_fixed(bundle)


def all_seals_removed(bundle):
    cases.each(cases.removed(cases.P7S, cases.MANIFEST_P7S), cases.without_approval(FIRST, THIRD))(bundle)


def as_if_unsealed(bundle):
    script = (bundle / "install.ps1").read_bytes()
    all_seals_removed(bundle)
    for path, content in sealed.contents(replace(RECIPE, sealer=None, approvers=(), required=0, approved=())).items():
        (bundle / path).write_bytes(content)
    (bundle / "install.ps1").write_bytes(script)
    cases.sums_fixed(bundle)


TAMPERINGS = {
    "verify.ps1 replaced": (200, verifier_replaced),
    "a file added": (200, cases.write("payload/more.ps1", b"x")),
    "a file that it does not use is a link": (200, cases.linked),
    "the seal over the sums removed": (201, cases.removed(cases.P7S)),
    "the package changed, sums fixed": (201, package_changed_and_sums_fixed),
    "as if nobody had sealed it": (201, as_if_unsealed),
    "the seals of another bundle": (201, cases.of_another_bundle),
    "an approval taken away": (201, cases.without_approval(FIRST)),
}


@pytest.mark.parametrize(("code", "damage"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_nothing_beside_it_switches_that_off(server, code, damage):
    install(server)
    damage(server / "bundle")
    assert server.run("-CheckOnly").code == code
    ended = server.run(*server.secret())
    assert ended.code == code, ended.out
    assert not installed(server)
    written = server.receipt()
    assert (written["code"], written["bundle"]["seal"]["verified"]) == (code, False)


def test_a_signer_may_be_demanded(server):
    install(server)
    for given, code in ((f"SHA256:{SEALER.fingerprint.upper()}", 0), (FIRST.fingerprint, 201), ("somebody", 205)):
        ended = server.run("-CheckOnly", "-Signer", given, *server.secret())
        assert ended.code == code, ended.out
    assert server.run("-CheckOnly", environment={"ARC_BUNDLER_SIGNER": FIRST.fingerprint}).code == 201


def test_a_bundle_that_nobody_sealed_is_installed_and_said_to_be(server):
    assert server.run("-CheckOnly", "-Signer", SEALER.fingerprint).code == 201
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert "this bundle is not sealed" in ended.out
    unsealed = {"signer": "", "verified": False, "approvals": [], "checked_with": ""}
    assert server.receipt()["bundle"]["seal"] == unsealed
