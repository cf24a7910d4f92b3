"""Which proxy the agent takes from the machine's variables: found wherever a service gets them from, and told."""

from __future__ import annotations

import json
import subprocess

from bundler.render import quoting
from bundler.render.environment import templates
from tests.support.small_root import put
from tests.support.windows_bench import source

BOTH_HOSTS = True
PROXY = "http://10.0.0.7:3128"
OWN = "etc/systemd/system/himdsd.service.d/proxy.conf"
DEFAULT = "lib/systemd/system.conf.d/azcmagent.conf"
CASE_07 = f'[Service]\nEnvironment="https_proxy={PROXY}"\nEnvironment="HTTPS_PROXY={PROXY}"\n'
SET = f"HTTPS_PROXY={PROXY}"
OLD = "HTTPS_PROXY=http://old:1"
LATER = OWN.replace("proxy", "z")


def unit(*lines: str) -> str:
    return "\n".join(["[Service]", *lines, ""])


# Files, and the way that himdsd goes and what goes past it; nothing: no proxy.
PLACES = {
    "nothing": ({}, "", ""),
    "field/07": ({OWN: CASE_07}, PROXY, ""),
    "azcmagent_proxy add": (
        {DEFAULT: f'[Manager]\nDefaultEnvironment="{SET}" "NO_PROXY=.corp,10.0.0.1"\n'},
        PROXY,
        ".corp,10.0.0.1",
    ),
    "system.conf itself": (
        {"etc/systemd/system.conf": f"[Manager]\n#DefaultEnvironment=\nDefaultEnvironment=A=b {SET}\n"},
        PROXY,
        "",
    ),
    "the unit": ({"usr/lib/systemd/system/himdsd.service": f"[Unit]\n[Service]\nEnvironment = {SET}\n"}, PROXY, ""),
    "of run": (
        {"run/systemd/system/himdsd.service.d/a.conf": f"[Service]\nEnvironment='https_proxy={PROXY}'\n"},
        PROXY,
        "",
    ),
    "of all services": ({"etc/systemd/system/service.d/a.conf": unit(f"Environment={SET}")}, PROXY, ""),
    "the own goes before the default": ({OWN: CASE_07, DEFAULT: f"[Manager]\nDefaultEnvironment={OLD}\n"}, PROXY, ""),
    "a later name goes before": ({OWN: unit(f"Environment={OLD}"), LATER: CASE_07}, PROXY, ""),
    "etc hides lib": ({OWN.replace("etc", "usr/lib"): CASE_07, OWN: "[Service]\n"}, "", ""),
    "taken back": ({OWN: CASE_07, LATER: "[Service]\nEnvironment=\n"}, "", ""),
    "continued, with a comment": (
        {OWN: f"[Service]\nEnvironment=A=1 \\\n# no\n  {SET} \\\n  NO_PROXY=a\n"},
        PROXY,
        "a",
    ),
    "CRLF": ({OWN: CASE_07.replace("\n", "\r\n")}, PROXY, ""),
    "by a file": (
        {OWN: "[Service]\nEnvironmentFile=-/etc/proxy\n", "etc/proxy": f"# x\nHTTPS_PROXY='{PROXY}'\n"},
        PROXY,
        "",
    ),
    "a comment alone": ({OWN: f"[Service]\n; Environment={SET}\n"}, "", ""),
    "HTTP_PROXY alone": ({OWN: f"[Service]\nEnvironment=HTTP_PROXY={PROXY}\n"}, "", ""),
    "empty": ({OWN: '[Service]\nEnvironment="HTTPS_PROXY="\n'}, "", ""),
    "without a scheme": ({OWN: "[Service]\nEnvironment=HTTPS_PROXY=10.0.0.7:3128/\n"}, PROXY, ""),
    "with a password": ({OWN: "[Service]\nEnvironment=HTTPS_PROXY=http://u:cAn4ry/@x@10.0.0.7:3128/p\n"}, PROXY, ""),
    "another service's": ({OWN.replace("himdsd", "sshd"): CASE_07}, "", ""),
    "of extd alone": ({OWN.replace("himdsd", "extd"): CASE_07}, "", ""),
    "of sessions": ({"etc/environment": f'export HTTPS_PROXY="{PROXY}"\n'}, "", ""),
}
PARTS = ("rows", "text", "os_release", "systemd")
# What Azure's names are for NO_PROXY.
PAST = [
    ("*", "login.microsoftonline.com", True), (".azure.com", "management.azure.com", True),
    ("azure.com", "management.azure.com", True), ("zure.com", "management.azure.com", False),
    ("a, management.AZURE.com:443", "management.azure.com", True), ("*.azure.com", "management.azure.com", True),
    ("", "management.azure.com", False), (",,", "management.azure.com", False), ("10.0.0.0/8", "x", False),
]  # fmt: skip


def asked(bash: str, script: str) -> list[str]:
    text = "".join((templates() / f"runtime/linux/{part}.sh").read_text() for part in PARTS)
    text += (templates() / "arc-server/runtime/linux/agent_proxy.sh").read_text()
    done = subprocess.run(
        [bash, "-s"],
        input=f"set -u\n{text}\n{script}".encode(),
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


def test_bash_finds_the_variable_in_every_place(bash, tmp_path):
    script = "note() { SAID+=\"$1;\"; }\nnetwork_wanted() { return 1; }\nSTATE=absent PROXY_URL='' MODE=install\n"
    for at, (files, _, _) in enumerate(PLACES.values()):
        for path, text in {"etc/x": "", **files}.items():
            (tmp_path / str(at) / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / str(at) / path).write_text(text, newline="")
        script += f"SYSTEMD_ROOT={tmp_path}/{at} SAID='' VARIABLE_URL='' VARIABLE_BYPASS='' VARIABLE_TEXT=''\n"
        script += 'check_agent_proxy\nprintf "%s\\0%s\\0%s\\0" "$VARIABLE_URL" "$VARIABLE_BYPASS" "$SAID"\n'
    said = asked(bash, script)
    for (name, (_, url, past)), got, bypass, text in zip(
        PLACES.items(), said[::3], said[1::3], said[2::3], strict=True
    ):
        assert (got, bypass) == (url, past), name
        assert "cAn4ry" not in text
        mentions = bool(url) or name in {"of extd alone", "of sessions"}
        assert ("network.proxy" in text) == mentions, (name, text)
        assert not url or "the agent goes through the proxy of HTTPS_PROXY (10.0.0.7:3128, in /" in text
    by_name = dict(zip(PLACES, said[2::3], strict=True))
    assert "the service extd does not go the way of himdsd" in by_name["of extd alone"]
    assert "the agent's services do not" in by_name["of sessions"]
    assert "with a user name" in by_name["with a password"]


def test_bash_asks_the_running_systemd(bash, tmp_path):
    script = "note() { :; }\nnetwork_wanted() { return 1; }\nSTATE=absent PROXY_URL='' VARIABLE_URL=''\n"
    script += "ask_manager() { SERVICE_ENVIRONMENT=$'HTTPS_PROXY=$\\'http://10.0.0.7:3128\\'\\nNO_PROXY=a,b'; }\n"
    script += f"SYSTEMD_ROOT={tmp_path}\n"
    script += 'check_agent_proxy; printf "%s\\0%s\\0%s\\0" "$VARIABLE_URL" "$VARIABLE_BYPASS" "$VARIABLE_TEXT"\n'
    assert asked(bash, script) == [PROXY, "a,b", "HTTPS_PROXY (10.0.0.7:3128, in systemctl show-environment)"]


def test_where_proxy_url_is_set_the_variable_does_not_count(bash, tmp_path):
    put(tmp_path / OWN, CASE_07)
    script = "network_wanted() { return 1; }\n"
    script += f"note() {{ printf '%s\\0' \"$1\"; }}\nSYSTEMD_ROOT={tmp_path} STATE=absent PROXY_URL=http://p:1\n"
    (told,) = asked(bash, script + "check_agent_proxy\nSTATE=wanted; check_agent_proxy\n")
    assert "is not used: this bundle sets proxy.url" in told


def test_no_proxy_is_read_as_the_agent_reads_it(bash):
    script = "".join(
        f"VARIABLE_BYPASS={quoting.bash(value)}; past_variable {name} && printf 'yes\\0' || printf 'no\\0'\n"
        for value, name, _ in PAST
    )
    assert asked(bash, script) == ["yes" if past else "no" for *_, past in PAST]


WINHTTP = bytes([0x28, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0, 13, 0, 0, 0]) + b"10.0.0.9:8080" + bytes(4)
SCRIPT = """
$script:Lab = $false; $script:ProxyUrl = ''; $script:SkipNetworkCheck = $true; $script:WhatIf = $false
function Hide-Controls($Text) { $Text }
function Hide-Secrets($Text) { $Text }
function Write-Line($Text) { $script:Said += $Text + ';' }
function Get-RegistryText($Key, $Name) { [string]$script:Machine[$Name] }
function Get-ItemProperty($Path) {
    if ($Path.EndsWith('himds')) { return @{ Environment = $script:Service } }
    @{ WinHttpSettings = $script:WinHttp }
}
function Show {
    $script:Said = ''
    Test-AgentProxy
    $script:Said
}
"""
CASES = [
    (
        {"machine": {"HTTPS_PROXY": PROXY}},
        "through the proxy of HTTPS_PROXY (10.0.0.7:3128, in the machine's environment)",
    ),
    ({"machine": {"https_proxy": "u:cAn4ry@10.0.0.7:3128"}}, "with a user name, which the agent does not support"),
    (
        {"service": ["A=b", "HTTPS_PROXY=http://10.0.0.8:1"], "machine": {"HTTPS_PROXY": PROXY}},
        "(10.0.0.8:1, in the service himds)",
    ),
    ({"winhttp": list(WINHTTP)}, "WinHTTP has the proxy 10.0.0.9:8080, which the agent ignores"),
    ({"winhttp": [0x28, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]}, ""),
    ({"winhttp": [1, 2]}, ""),
    ({"winhttp": list(WINHTTP[:20])}, ""),
    ({"session": PROXY}, "the agent's services do not"),
    ({}, ""),
    ({"machine": {"HTTPS_PROXY": PROXY}, "own": "http://p:1"}, "is not used: this bundle sets proxy.url"),
]


def test_powershell_finds_it_in_every_place(powershell, tmp_path):
    script = source("runtime/windows/problems.ps1") + SCRIPT
    parts = source("arc-server/runtime/windows/agent_proxy.ps1")
    for facts, _ in CASES:
        cells = "; ".join(f"{name} = {quoting.powershell(value)}" for name, value in facts.get("machine", {}).items())
        lines = ", ".join(map(quoting.powershell, facts.get("service", [])))
        script += f"$script:ProxyUrl = '{facts.get('own', '')}'\n{parts}"
        script += f"$script:Machine = @{{ {cells} }}; $script:Service = @({lines})\n"
        script += f"$script:WinHttp = [byte[]]@({', '.join(map(str, facts.get('winhttp', [])))})\n"
        script += f"[Environment]::SetEnvironmentVariable('HTTPS_PROXY', '{facts.get('session', '')}'); Show\n"
    for value, name, _ in PAST:
        script += f"$script:WayBypass = '{value}'; Test-PastVariable '{name}'\n"
    (tmp_path / "ask.ps1").write_text(script)
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "ask.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    for (facts, piece), text in zip(CASES, said, strict=False):
        assert piece in text, json.dumps(facts)
        assert bool(piece) == bool(text), text
        assert ("network.proxy" in text) == (bool(piece) and "own" not in facts), text
        assert "cAn4ry" not in text
    assert said[len(CASES) :] == [str(past) for *_, past in PAST]
