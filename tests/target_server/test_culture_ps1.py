"""The Windows scripts compare text by its code units, whatever culture the server has."""

from __future__ import annotations

import os
import subprocess

import pytest

from bundler.render import quoting
from tests.support import powershell_hosts, sample_bundles, seal_cases, windows_bench
from tests.support import sealed_bundles as sealed

BOTH_HOSTS = True


def said(powershell: str, folder, text: str, language: str = "en_US") -> list[str]:
    """The lines that a script writes."""
    file = folder / "probe.ps1"
    file.write_text(text, encoding="ascii")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", file]
    environment = {**os.environ, "LC_ALL": f"{language}.UTF-8", "LANG": f"{language}.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def cultures(powershell, tmp_path):
    """.NET has its culture data (libicu); without it, .NET compares code units by itself, and tests see nothing."""
    probe = "Write-Host ('a' -ceq ('a' + [char]0xad))\nWrite-Host ('I' -imatch '^i$')\n"
    found = said(powershell, tmp_path, probe, "tr_TR")
    if found != ["True", "False"]:
        (pytest.fail if powershell_hosts.demanded() else pytest.skip)("no culture data: apt-get install libicu72")


@pytest.mark.parametrize("language", ["en_US", "tr_TR"])
def test_a_file_with_a_mark_that_cultures_ignore_is_refused(powershell, tmp_path, cultures, language):
    bundle = sealed.write(tmp_path / "bundle", seal_cases.PLAIN)
    call = f"& {quoting.powershell(str(bundle / 'verify.ps1'))} -Signer {seal_cases.SEALER.fingerprint}\n"
    runs = [call + 'Write-Host "<<$LASTEXITCODE"\n']
    for at, mark in enumerate(seal_cases.IGNORABLE):
        for name in ("SHA256SUMS", "manifest.json.p7s", "install.ps1"):
            path = quoting.powershell(str(bundle / name))
            file = f"({path} + [char]{ord(mark)})"
            runs.append(f"[IO.File]::WriteAllText({file}, 'x')\n{call}Write-Host \"<<$LASTEXITCODE {at} {name}\"\n")
            runs.append(f"[IO.File]::Delete({file})\n")
    codes = [line for line in said(powershell, tmp_path, "".join(runs), language) if line.startswith("<<")]
    assert codes[0] == "<<0"
    assert len(codes) == 1 + 3 * len(seal_cases.IGNORABLE)
    assert [line for line in codes[1:] if not line.startswith("<<200 ")] == []


def test_text_is_compared_by_its_code_units(powershell, tmp_path, cultures):
    probe = (
        windows_bench.source()
        + r"""
$soft = 'a' + [char]0xad
foreach ($answer in @(
    (Test-Same 'a' 'a'), (-not (Test-Same 'a' $soft)), (-not (Test-Same 'a' 'A')), (Test-Same $null ''),
    (Test-SameAnyCase 'I' 'i'), (-not (Test-SameAnyCase 'a' $soft)),
    (-not (Test-SameAnyCase 'i' ([string][char]0x130))),
    (Test-OneOf 'a' @('b', 'a')), (-not (Test-OneOf 'a' @($soft, 'A'))),
    (-not (Test-OneOf 'a' @())), (-not (Test-OneOf 'a' $null)),
    (Test-OneOfAnyCase 'I' @('b', 'i')), (-not (Test-OneOfAnyCase 'a' @($soft))),
    (Test-Pattern 'FILE' '^file$'), (-not (Test-Pattern $soft '^a$')),
    ((Get-Sorted @('b', 'B', 'a-b', 'ab', 'A')) -join '' -ceq 'ABa-babb'), ($null -eq (Get-Sorted @()))
)) { Write-Host $answer }
$table = New-Table
$table['i'] = 1
$table['a'] = 1
Write-Host ($table.ContainsKey('i') -and -not $table.ContainsKey('I') -and -not $table.ContainsKey($soft))
"""
    )
    for language in ("en_US", "tr_TR"):
        assert said(powershell, tmp_path, probe, language) == ["True"] * 18, language


def test_shapes_are_hidden_in_turkey(powershell, tmp_path, cultures):
    source = windows_bench.source(*windows_bench.REDACTION)
    probe = (
        "$script:SecretFromEnvironment = ''\n"
        + source
        + "Write-Host (Hide-Secrets 'CLIENT_SECRET=abc123 x?SIG=abc123')\n"
    )
    assert said(powershell, tmp_path, probe, "tr_TR") == ["CLIENT_SECRET=*** x?SIG=***"]


def test_the_sample_runs_in_turkey(powershell, tmp_path, cultures):
    server = windows_bench.make(tmp_path, powershell)
    ended = server.run(*server.secret(), environment={"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"})
    assert ended.code == 0, ended.out
    assert server.receipt()["outcome"] == "connected"
    assert sample_bundles.WINDOWS_VERSION in ended.out
