"""The scripts know the same reserved words as the rule about ``resource_name``."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bundler.products.arc_server import tables
from tests.support import bashes, powershell_hosts

RUNTIME = Path(__file__).parents[2] / "templates/arc-server/runtime"
BASH = RUNTIME / "linux/reserved_names.sh"
POWERSHELL = RUNTIME / "windows/reserved_names.ps1"
HOSTS = powershell_hosts.hosts(both=True)
NAMES = {
    "Exchange": "EXCHANGE",
    "office365": "OFFICE365",
    "web.config": "WEB.CONFIG",
    "MICROSOFT-SQL01": "MICROSOFT",
    "my-windows": "WINDOWS",
    "login": "LOGIN",
    "Login-7": "LOGIN",
    "exchange-01": "",
    "OFFICE3650": "",
    "my-login": "",
    "srv01.contoso.local": "",
    "web-config": "",
    "win-1": "",
}


def words(text):
    """By list of the bash part: its words."""
    return {name: tuple(found.split()) for name, found in re.findall(r"^RESERVED_(\w+)='([^']+)'", text, re.MULTILINE)}


def test_the_parts_have_the_table_s_words():
    limits = tables.limits()
    table = {"WHOLE": limits.reserved_names, "PART": limits.reserved_parts, "START": limits.reserved_starts}
    assert words(BASH.read_text()) == table
    found = re.findall(r"\$script:Reserved(\w+) = @\(([^)]+)\)", POWERSHELL.read_text())
    assert {name.upper(): tuple(re.findall(r"'([^']+)'", listed)) for name, listed in found} == table


def test_the_rule_finds_the_word():
    assert {name: tables.limits().reserved_word(name) for name in NAMES} == NAMES


@pytest.mark.parametrize("bash", bashes.paths())
def test_bash_finds_the_word(bash):
    script = f'. {BASH}\nfor name; do reserved_word "$name"; printf "%s=%s\\n" "$name" "$RESERVED_WORD"; done'
    run = subprocess.run([bash, "-c", script, "bash", *NAMES], capture_output=True, text=True, check=True)
    assert dict(line.split("=") for line in run.stdout.splitlines()) == NAMES


@pytest.mark.parametrize("name", HOSTS or [pytest.param("none", marks=pytest.mark.skip(powershell_hosts.REASON))])
def test_powershell_finds_the_word(name, tmp_path):
    listed = ", ".join(f"'{name}'" for name in NAMES)
    script = tmp_path / "words.ps1"
    loop = f"foreach ($name in @({listed})) {{ Write-Output ($name + '=' + (Get-ReservedWord $name)) }}"
    script.write_text(f"{POWERSHELL.read_text()}\n{loop}\n")
    command = [HOSTS[name], "-NoProfile", "-NonInteractive", "-File", script]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert dict(line.split("=") for line in run.stdout.splitlines()) == NAMES
