"""An access token is looked at before anything is installed: one table for install.sh, install.ps1 and seal-secret."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bundler.errors import UsageError
from bundler.flow import token_policy
from bundler.render import quoting
from bundler.signing.envelope import EnvelopePayload
from tests.support import sample_bundles as sample
from tests.support import small_root, tokens
from tests.support.small_root import put

BOTH_HOSTS = True
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
NOW = datetime.now(timezone.utc).replace(microsecond=0)
CASES = tokens.cases(int(NOW.timestamp()))
"""Of the moment when tests are collected. A test that asks a script, which has the machine's clock, makes its own."""

BASH = """
AUTHENTICATION=access-token LAB=''
note() { printf 'note: %s\\n' "$1"; }
warning() { printf 'WARNING: %s\\n' "$1"; }
try() {
    SECRET=$1 SECRET_PROBLEM=''
    if check_secret_form && check_token; then echo yes; else printf 'no: %s\\n' "$SECRET_PROBLEM"; fi
    echo ====
}
"""

POWERSHELL = """
$Authentication = 'access-token'; $Lab = $false
function Stop-Here([int]$Code, [string]$Text) { throw ('no: ' + $Code + ' ' + $Text) }
function Add-Note([string]$Text) { Write-Output ('note: ' + $Text) }
function Add-Warning([string]$Text) { Write-Output ('WARNING: ' + $Text) }
function Try-One([string]$Token) {
    try { Confirm-SecretForm $Token; Confirm-Token $Token; 'yes' } catch { $_.Exception.Message }
    '===='
}
"""


def fresh() -> dict[str, tuple[str, bool, str]]:
    return tokens.cases(int(time.time()))


def check_all(cases: dict[str, tuple[str, bool, str]], output: str) -> None:
    answers = output.split("====\n")[:-1]
    assert len(answers) == len(cases), output
    for (name, (given, usable, said)), answer in zip(cases.items(), answers, strict=True):
        assert (name, "\nyes" in f"\n{answer}", "no: " in answer) == (name, usable, not usable), answer
        assert re.search(said, answer), (name, answer)
        # No part of the token is shown; the name of a type is no secret.
        assert "hUsh7y" not in answer
        assert not [part for part in given.split(".") if len(part) > 20 and part in answer], name


def test_install_sh_looks_at_a_token(bash):
    parts = [TEMPLATES / "runtime/linux/json.sh", TEMPLATES / "arc-server/runtime/linux/access_token.sh"]
    cases = fresh()
    calls = "".join(f"try {quoting.bash(given)}\n" for given, _, _ in cases.values())
    script = "set -u\nexport LC_ALL=C\n" + "".join(part.read_text() for part in parts) + BASH + calls
    done = subprocess.run([bash, "-s"], input=script.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    check_all(cases, done.stdout.decode())


def test_install_ps1_looks_at_a_token(powershell, tmp_path):
    shared, own = TEMPLATES / "runtime/windows", TEMPLATES / "arc-server/runtime/windows"
    files = [shared / "text.ps1", shared / "json_reader.ps1", shared / "seal.ps1", own / "access_token.ps1"]
    sourced = "".join(f". {quoting.powershell(str(file))}\n" for file in files)
    cases = fresh()
    calls = "".join(f"Try-One {quoting.powershell(given)}\n" for given, _, _ in cases.values())
    (tmp_path / "all.ps1").write_text(sourced + POWERSHELL + calls, encoding="ascii")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "all.ps1"]
    check_all(cases, subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def python_says(given: str) -> tuple[bool, str]:
    payload = EnvelopePayload(bundle="b", kind="token", expires=NOW + timedelta(days=7), secret=given.encode())
    try:
        return True, " ".join(token_policy.require_usable(payload, at=NOW, lab=False))
    except UsageError as error:
        return False, f"{error.what} {error.do}"


@pytest.mark.parametrize("name", CASES)
def test_seal_secret_looks_at_a_token(name):
    given, usable, said = CASES[name]
    found, text = python_says(given)
    assert (found, bool(re.search(said, text))) == (usable, True), text
    assert "hUsh7y" not in text


def test_a_lab_takes_any_token_and_a_client_secret_is_no_type(bash):
    payload = EnvelopePayload(bundle="b", kind="token", expires=NOW, secret=b"lab")
    (text,) = token_policy.require_usable(payload, at=NOW, lab=True)
    assert "a lab takes it" in text
    assert token_policy.require_usable(replace(payload, kind="secret"), at=NOW, lab=False) == ()
    with pytest.raises(UsageError):
        token_policy.require_usable(
            replace(payload, kind="secret", secret=b"System.Security.SecureString"), at=NOW, lab=False
        )


@pytest.mark.parametrize(("given", "code"), [("expired an hour ago", 203), ("a SecureString", 203), ("good", 0)])
def test_nothing_is_installed_with_an_expired_token(tmp_path, bash, given, code):
    small_root.need()
    server = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    sample.write(server / "bundle", sample.TOKEN, (sample.DEB,), lab=True)
    secret = fresh()[given][0]
    put(server / "root/secret", secret + "\n", 0o600)
    ended = server.run("--secret-file", "/root/secret", "--skip-network-check")
    assert ended.code == code, ended.out
    assert (server / "packages").exists() == (code == 0)
    assert secret[40:80] not in ended.out or not secret[40:80]
