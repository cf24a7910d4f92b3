"""Of an installation that ended with 1603 the lines are shown that say why; a held azcmagent.log is found before."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bundler.render import quoting
from tests.support.msi_logs import LOGS

BOTH_HOSTS = True
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"

HEAD = """
$Lab = $false
function Write-Line([string]$Text) { Write-Output $Text }
function Add-Note([string]$Text) { Write-Host ('note: ' + $Text) }
function Add-Warning([string]$Text) { Write-Host ('WARNING: ' + $Text) }
function Get-Reason($Problem) { $Problem.GetBaseException().Message }
function Write-Line([string]$Text) { Write-Host $Text }
"""


def run(powershell: str, folder: Path, script: str) -> str:
    files = [TEMPLATES / "runtime/windows/text.ps1", TEMPLATES / "runtime/windows/versions.ps1"]
    files.append(TEMPLATES / "arc-server/runtime/windows/msi_trouble.ps1")
    sourced = "".join(f". {quoting.powershell(str(file))}\n" for file in files)
    (folder / "all.ps1").write_text(sourced + HEAD + script, encoding="ascii")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", folder / "all.ps1"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.decode("utf-8")


def written(lines: tuple[str, ...], form: str) -> bytes:
    # What comes before may be much more than the end that is read.
    text = "".join(
        f"{line}\r\n" for line in ("=== Verbose logging started ===", *("Property" * 8 for _ in range(99)), *lines)
    )
    return b"\xff\xfe" + text.encode("utf-16-le") if form == "UTF-16" else text.encode("utf-8")


@pytest.mark.parametrize("form", ["UTF-16", "ANSI"])
def test_the_lines_that_say_why_are_shown(powershell, tmp_path, form):
    calls = ""
    # The code page of a real Windows is not this machine's: there only ASCII is compared.
    chosen = {name: log for name, log in LOGS.items() if form == "UTF-16" or "".join(log.lines).isascii()}
    for at, log in enumerate(chosen.values()):
        (tmp_path / f"{at}.log").write_bytes(written(log.lines, form))
        file = quoting.powershell(str(tmp_path / f"{at}.log"))
        calls += f"$cause = Show-MsiTrouble {file}\nWrite-Host ('cause: ' + $cause)\nWrite-Host '===='\n"
    answers = run(powershell, tmp_path, calls).split("====\n")[:-1]
    assert len(answers) == len(chosen)
    for (name, log), answer in zip(chosen.items(), answers, strict=True):
        assert log.shows in answer, (name, answer)
        assert not log.hides or log.hides not in answer, (name, answer)
        said = answer.partition("cause: ")[2].strip()
        assert re.match(log.cause, said) if log.cause else said == "", (name, said)
        assert answer.count("        | ") <= 13
        assert max(map(len, answer.splitlines())) <= 210


def test_of_a_large_log_the_end_is_read(powershell, tmp_path):
    (tmp_path / "large.log").write_bytes(written(LOGS["a custom action"].lines, "UTF-16"))
    file = quoting.powershell(str(tmp_path / "large.log"))
    out = run(
        powershell,
        tmp_path,
        f"$script:MsiLogEnd = 2001\n[void](Show-MsiTrouble {file})\n[void](Show-MsiTrouble 'nowhere.log')\n",
    )
    assert "InstallFluentdWinSvc returned" in out
    assert "note: msiexec's log cannot be read" in out


def test_a_held_log_is_found_before_an_upgrade_from_below_1_62(powershell, tmp_path):
    log = tmp_path / "AzureConnectedMachineAgent/Log/azcmagent.log"
    log.parent.mkdir(parents=True)
    log.write_text("x")
    script = f"""
$env:ProgramData = {quoting.powershell(str(tmp_path))}
function Get-AgentProcesses {{ 'azcmagent (12)', 'gc_arc_service (13)' }}
Test-AgentLogFree '1.61.00000.1'
Write-Host 'free'
$held = New-Object System.IO.FileStream {quoting.powershell(str(log))}, 'Open', 'ReadWrite', 'None'
Test-AgentLogFree '1.62.00000.1'
Test-AgentLogFree ''
Write-Host 'newer'
Test-AgentLogFree '1.61.00000.1'
$held.Dispose()
"""
    free, newer, warned = re.split("free\n|newer\n", run(powershell, tmp_path, script))
    assert (free, newer) == ("", "")
    assert warned.startswith("WARNING: upgrading from 1.61.00000.1 fails (1603) while another program holds ")
    assert "azcmagent (12), gc_arc_service (13)" in warned


def test_install_ps1_shows_them_and_the_cause(server):
    """The stand-in's exit code is one byte: 1603 arrives as 67."""
    (server / "msi-code").write_text("1603")
    (server / "msi.log").write_bytes(written(LOGS["a service of the agent"].lines, "UTF-16"))
    for file, old, new in (
        (server / "Windows/System32/msiexec.exe", "printf 'MSI log\\n' >", f"cat '{server / 'msi.log'}' >"),
        (server / "bundle/install.ps1", "@{ 1603 = 156", "@{ 67 = 156"),
    ):
        text = file.read_bytes()
        assert text.count(old.encode()) == 1
        file.write_bytes(text.replace(old.encode(), new.encode()))
    ended = server.run(*server.secret())
    assert ended.code == 156, ended.out
    assert "        | WixQuietExec64:  cannot be started due to the following error: Cannot start service" in ended.out
    assert "msiexec ended with 67: a service of the agent did not start" in ended.out
    assert "INSTALL. Return value 3" not in ended.out
