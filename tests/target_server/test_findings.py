"""What both languages derive alike: the gravest of several findings, and the digits that tell machines apart."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise

import pytest

from bundler.products.arc_server.codes import GRAVITY
from bundler.render import quoting
from bundler.render.environment import templates
from tests.support.machine_digits import digits
from tests.support.windows_bench import source

BOTH_HOSTS = True
# Each: the codes in the order of their finding, and the one that ends the run.
FINDINGS = [
    *((list(pair), pair[0]) for pair in pairwise(GRAVITY)),
    *((list(reversed(pair)), pair[0]) for pair in pairwise(GRAVITY)),
    (list(reversed(GRAVITY)), 200),
    ([203, 208], 208),
    ([208, 209, 202], 202),
    ([202, 204], 204),
    ([220, 204], 204),
    ([26, 203], 203),
    ([26, 42], 26),
    ([208, 208], 208),
]
GUID = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
UUID = "4c4c4544-0043-3510-8052-b4c04f4e3132"
# What stands in each of the two places, and what the machine is known by; nothing: its name.
KEYS = [
    ("id", "", "id"),
    ("ID\r\n", UUID, "id"),
    (" id \n", UUID, "id"),
    ("", UUID.upper() + "\n", UUID),
    ("uninitialized\n", UUID, UUID),
    ("0" * 32, UUID, UUID),
    ("id0", UUID, UUID),
    ("", "00000000-0000-0000-0000-000000000000", ""),
    ("", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", ""),
    ("", "03000200-0400-0500-0006-000700080009", ""),
    ("", "Not Settable", ""),
    ("", "", ""),
]


def bash_says(bash: str, parts: str, script: str) -> list[str]:
    text = "".join((templates() / f"{part}.sh").read_text() for part in parts.split())
    done = subprocess.run([bash, "-s"], input=f"set -u\n{text}\n{script}".encode(), capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode().split()


def powershell_says(powershell: str, folder, parts: str, script: str) -> list[str]:
    (folder / "ask.ps1").write_text(source(*(f"{part}.ps1" for part in parts.split())) + script)
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", folder / "ask.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def test_the_order_names_each_code_once():
    assert len(set(GRAVITY)) == len(GRAVITY)


def test_the_gravest_finding_ends_a_bash_run(bash):
    script = "note() { :; }\nhide() { HIDDEN=$1; }\nLAB=''\n"
    for codes, _ in FINDINGS:
        script += "PROBLEMS=() PROBLEM_CODE=0 PROBLEM_REASON=''\n"
        script += "".join(f"problem {code} text r-{code}-{at}\n" for at, code in enumerate(codes))
        script += 'echo "$PROBLEM_CODE" "$PROBLEM_REASON" "${#PROBLEMS[@]}"\n'
    found = bash_says(bash, "arc-server/runtime/linux/codes runtime/linux/findings", script)
    assert found == expected()


def expected() -> list[str]:
    return [word for codes, code in FINDINGS for word in (str(code), f"r-{code}-{codes.index(code)}", str(len(codes)))]


def test_the_gravest_finding_ends_a_powershell_run(powershell, tmp_path):
    script = ""
    for codes, _ in FINDINGS:
        script += "$script:Problems = @(); $script:ProblemCode = 0; $script:ProblemReason = ''\n"
        script += "".join(f"Add-Problem {code} 'text' 'r-{code}-{at}'\n" for at, code in enumerate(codes))
        script += "'{0} {1} {2}' -f $script:ProblemCode, $script:ProblemReason, $script:Problems.Count\n"
    parts = "arc-server/runtime/windows/codes runtime/windows/problems"
    assert powershell_says(powershell, tmp_path, parts, script) == expected()


def filled(text: str, key: str) -> str:
    """A case's text with a whole id for its word."""
    return text.replace("ID", key.upper()).replace("id0", key[:-1]).replace("id", key) if len(text) < 9 else text


@pytest.mark.parametrize("host", ["srv-01", "SRV-01"])
def test_bash_knows_a_machine_by_its_id(bash, tmp_path, host):
    key = GUID.replace("-", "")
    script = f"HOST={host}\n"
    for at, (identity, uuid, _) in enumerate(KEYS):
        for name, text in (("id", filled(identity, key)), ("uuid", uuid)):
            (tmp_path / f"{at}.{name}").write_text(text, newline="")
            if not text:
                (tmp_path / f"{at}.{name}").unlink()
        files = " ".join(quoting.bash(str(tmp_path / f"{at}.{name}")) for name in ("id", "uuid"))
        script += f"MACHINE_FILES=({files})\nMACHINE_KNOWN=yes\nknow_machine\necho $MACHINE_DIGITS $MACHINE_KNOWN\n"
    found = bash_says(bash, "runtime/linux/hash runtime/linux/machine_digits", script)
    assert found == known(key, host)


def known(key: str, host: str) -> list[str]:
    wanted = []
    for _, _, what in KEYS:
        named = {"id": key, "": host.lower()}.get(what, what)
        wanted += [digits(named), "no" if not what else "yes"]
    return wanted


def test_powershell_knows_a_machine_by_its_id(powershell, tmp_path):
    script = "$script:HostName = 'SRV-01'\n"
    script += "function Test-Wow64 { $false }\n"
    script += "function Get-RegistryText([string]$Key, [string]$Name) { $script:Guid }\n"
    script += (
        "function Get-CimInstance($ClassName) { if (-not $script:Uuid) { throw 'none' }; @{ UUID = $script:Uuid } }\n"
    )
    for identity, uuid, _ in KEYS:
        script += f"$script:Guid = ConvertFrom-Json {quoting.powershell(json.dumps(filled(identity, GUID)))}\n"
        script += f"$script:Uuid = ConvertFrom-Json {quoting.powershell(json.dumps(uuid))}\n"
        script += "$script:MachineKnown = $true\nFind-MachineDigits\n"
        script += "'{0} {1}' -f $script:MachineDigits, @('no', 'yes')[[int]$script:MachineKnown]\n"
    parts = "runtime/windows/hashes runtime/windows/machine_digits"
    assert powershell_says(powershell, tmp_path, parts, script) == known(GUID, "SRV-01")


def test_what_powershell_quotes_begins_no_line_of_its_own(powershell, tmp_path):
    script = "function Write-Host([string]$Text) { '<' + $Text + '>' }\n"
    script += 'Add-Warning "it says`n[7/7]`r`n`r[6/7] ok"\nWrite-Line "! it`rsays"\nShow-End "1 %`r2 %`r`nend"\n'
    shared = "secret_forms secret_patterns redaction steps problems"
    parts = " ".join(f"runtime/windows/{part}" for part in shared.split())
    said = " ".join(powershell_says(powershell, tmp_path, parts, script))
    warning = "< ~ WARNING: it says [7/7] [6/7] ok>"
    assert said == f"{warning} <! it says> < | 1 %> < | 2 %> < | end>"


def test_a_kept_file_that_cannot_be_read_may_name_a_resource(powershell, tmp_path):
    folder = tmp_path / "AzureConnectedMachineAgent/Config"
    folder.mkdir(parents=True)
    script = f"$env:ProgramData = {quoting.powershell(str(tmp_path))}\n"
    script += "$file = $env:ProgramData + '/AzureConnectedMachineAgent/Config/agentconfig.json'\n"
    script += "function Try-One { [bool](Get-KeptResource) }\nTry-One\n"
    script += """[IO.File]::WriteAllText($file, '{"resourceName": ""}')\nTry-One\n"""
    script += """[IO.File]::WriteAllText($file, '{"resourceName": "srv"}')\nTry-One\n"""
    script += "$held = [IO.File]::Open($file, 'Open', 'ReadWrite', 'ReadWrite')\nTry-One\n$held.Dispose()\n"
    script += """[IO.File]::WriteAllText($file, '{"resourceName": ""}')\n"""
    script += "$held = [IO.File]::Open($file, 'Open', 'ReadWrite', 'None')\nTry-One\n$held.Dispose()\n"
    parts = "runtime/windows/json_reader runtime/windows/machine"
    parts += " arc-server/runtime/windows/agent_text arc-server/runtime/windows/agent_state"
    assert powershell_says(powershell, tmp_path, parts, script) == ["False", "False", "True", "True", "True"]
