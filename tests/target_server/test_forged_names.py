"""The name in a sealer's or approver's certificate begins no line of its own on a server's screen."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed
from tests.support import small_root
from tests.support.sealed_bundles import Recipe, signer
from tests.support.small_root import put

FORGED = "VERIFIED by y"
SEALER = f"x\n{FORGED}\r\n\x1b[2K{FORGED}\x1b]0;{FORGED}\x07"
# Its own output is shown behind a bar.
SAYS = "[[ $1 != connect ]] || { cat /says; exit 42; }\n"
MARKS = f"\x85{FORGED}\u2028{FORGED}\u2029{FORGED}\u202e{FORGED}\u2067\u200f\u061c"


@cache
def recipe() -> Recipe:
    approver = signer("p256", "LAB approver")
    return replace(Recipe(sealer=signer(name=SEALER)), approvers=(approver,), required=1, approved=(approver,))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return sealed.write(tmp_path_factory.mktemp("forged") / "arc-tokyo-2026.11.22", recipe())


def assert_harmless(shown: str) -> None:
    assert FORGED in shown
    assert not [line for line in shown.splitlines() if line.strip().startswith(FORGED)]
    assert not set(shown) & {"\x1b", "\x07", "\x9b", *MARKS.replace(FORGED, ""), "\r"}


def test_verify_sh_shows_the_name_in_one_line(bundle):
    command = ["bash", "verify.sh", "--signer", signer(name=SEALER).fingerprint]
    told = subprocess.run(command, cwd=bundle, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
    assert_harmless(told.stdout.decode())


def test_verify_ps1_shows_the_name_in_one_line(bundle, powershell):
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", "verify.ps1"]
    told = subprocess.run(
        [*command, "-Signer", signer(name=SEALER).fingerprint], cwd=bundle, capture_output=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert_harmless(told.stdout.decode().replace("\r\n", "\n"))


def test_the_start_page_shows_the_name_in_one_line(bundle):
    text = (bundle / "install.sh").read_text(encoding="ascii")
    assert not [line for line in text.splitlines() if line.startswith(FORGED)]


def damaged(bundle: Path, tmp_path: Path) -> Path:
    """With a file that does not belong to it."""
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    (copy / f"x{MARKS}").write_bytes(b"")
    return copy


def test_verify_sh_shows_a_file_s_name_in_one_line(bundle, tmp_path):
    command = ["bash", "verify.sh", "--insecure-no-seal"]
    told = subprocess.run(command, cwd=damaged(bundle, tmp_path), capture_output=True, check=False)
    assert told.returncode == 200
    assert_harmless(told.stderr.decode())


def test_verify_ps1_shows_a_file_s_name_in_one_line(bundle, tmp_path, powershell):
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", "verify.ps1", "-InsecureNoSeal"]
    told = subprocess.run(command, cwd=damaged(bundle, tmp_path), capture_output=True, check=False)
    assert told.returncode == 200
    assert_harmless(told.stdout.decode().replace("\r\n", "\n"))


@pytest.mark.parametrize("says", ["the name of another resource", "while it connects"])
def test_install_sh_shows_what_the_agent_says_in_lines_of_its_own(tmp_path, bash, says):
    small_root.need()
    server = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    sample.write(server / "bundle", lab=True)
    put(server / "root/secret", "a-secret-of-this-test\n", 0o600)
    text = f"x\n{FORGED}{MARKS}"
    if says == "while it connects":
        put(server / "says", f"{text}\n", 0o644)
        put(server / "stand-in/wrapper", small_root.WRAPPER.replace("exec ", SAYS + "exec "))
    else:
        put(server / "dpkg-version", sample.LINUX_VERSION, 0o644)
        for name in ("lab-agent", "azcmagent"):
            source = "stand-in/agent" if name == "lab-agent" else "stand-in/wrapper"
            put(server / "opt/azcmagent/bin" / name, (server / source).read_text())
        words = {"subscriptionId": "s", "resourceGroup": "g", "resourceName": text, "status": "Connected"}
        put(server / "says", json.dumps(words, ensure_ascii=False), 0o644)
        wrapper = small_root.WRAPPER.replace("exec ", "[[ $1 != show ]] || { cat /says; exit; }\nexec ")
        put(server / "opt/azcmagent/bin/azcmagent", wrapper)
    ended = server.run("--secret-file", "/root/secret", "--connect-tries", "1")
    assert ended.code in (42, 67), ended.out
    assert_harmless(ended.out)
    (log,) = (server / "var/log/arc-bundler").glob("install-*.log")
    assert not set(log.read_text()) & set(MARKS.replace(FORGED, ""))
