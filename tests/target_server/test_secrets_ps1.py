"""The Windows scripts hide a secret by its value, however a program repeats it."""

from __future__ import annotations

import base64
import re
import subprocess
import zipfile

import pytest

from bundler.formats import secret_forms
from bundler.render import quoting
from tests.support import powershell_hosts, windows_bench
from tests.support import secret_forms as cases
from tests.support.windows_bench import REDACTION, source

BOTH_HOSTS = True

KEY = "\n".join(["-----BEGIN PRIVATE KEY-----", *("MIIabc+/" * 8 for _ in range(12)), "-----END PRIVATE KEY-----"])
SIGNS = "a\tb`^[]\\c|{}()*+?.$#"
VALUES = {
    "signs": cases.SECRET,
    "plain": cases.PLAIN,
    "unicode": cases.UNICODE,
    "short": cases.SHORT,
    "key": KEY,
    "long": "A+/9" * 200,
    "blanks around": "  x y z 1234567  \r\n",
    "expressions": SIGNS,
}


def _text(value: str) -> str:
    """An expression for ``value``, whatever is in it."""
    return f"($Utf8.GetString([Convert]::FromBase64String('{base64.b64encode(value.encode()).decode()}')))"


def _bytes(content: bytes) -> str:
    return f"($Latin.GetString([Convert]::FromBase64String('{base64.b64encode(content).decode()}')))"


def _said(expression: str) -> str:
    return f"Write-Host ([Convert]::ToBase64String($Utf8.GetBytes(({expression}))))\n"


def ran(powershell: str, folder, script: str) -> list[bytes]:
    """What a script on the runtime's files says, line by line."""
    file = folder / "probe.ps1"
    head = "Set-StrictMode -Version 2.0\n$ErrorActionPreference = 'Stop'\n"
    file.write_text(head + source(*REDACTION) + script, encoding="ascii")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return [base64.b64decode(line) for line in done.stdout.splitlines()]


def test_the_expressions_are_letter_by_letter_the_table_s(powershell, tmp_path):
    script = ""
    for value in VALUES.values():
        script += f"foreach ($one in @(Get-SecretPatterns {_text(value)})) {{\n"
        script += "    Write-Host ([Convert]::ToBase64String($Latin.GetBytes($one)))\n}\n"
    expected = [pattern.encode("latin-1") for value in VALUES.values() for pattern in secret_forms.patterns(value)]
    assert ran(powershell, tmp_path, script) == expected


def _registry_file(value: str) -> bytes:
    digits = value.encode("utf-16-le").hex(",")
    return b"hex(1):" + "\\\r\n  ".join(digits[at : at + 60] for at in range(0, len(digits), 60)).encode()


def test_every_way_of_repeating_a_secret_is_hidden(powershell, tmp_path):
    outputs = []
    script = ""
    for value in (cases.SECRET, cases.PLAIN, cases.UNICODE):
        ways = cases.repeated(value)
        if value.isascii():
            ways["registry file"] = _registry_file(value)
        assert len(ways) >= 21
        script += f"$script:Held = @()\n$script:HeldValues = @()\nAdd-Secret {_text(value)}\n"
        for name, content in ways.items():
            script += _said(f"Hide-Bytes {_bytes(b'before ' + content + b' after')}")
            outputs.append((name, value))
    answers = ran(powershell, tmp_path, script)
    assert len(answers) == len(outputs)
    left = {way: answer for way, answer in zip(outputs, answers, strict=True) if cases.remnants(way[1], answer)}
    assert left == {}
    assert [answer for answer in answers if b"***" not in answer] == []


def test_a_short_secret_is_hidden_as_a_word_only(powershell, tmp_path):
    script = f"Add-Secret 'x9'\n{_said('Hide-Secrets (chr)')}".replace("(chr)", "'x9 (x9) ax9 x9_ =x9 x9x9 x9'")
    script += _said("[string](Test-ShortSecret)") + "Add-Secret 'abcdef'\n" + _said("Hide-Secrets 'xabcdefx'")
    answers = ran(powershell, tmp_path, script)
    assert answers == [b"*** (***) ax9 x9_ =*** x9x9 ***", b"True", b"x***x"]


def test_of_a_key_each_long_line_is_hidden(powershell, tmp_path):
    line = KEY.splitlines()[3]
    script = f"Add-Secret {_text(KEY)}\n" + _said(f"Hide-Secrets {_text(f'a {line} b {line.lower()}')}")
    assert ran(powershell, tmp_path, script) == [f"a *** b {line.lower()}".encode()]


SHAPES = {
    "http://user:p@ss@proxy:3128/": b"http://***@proxy:3128/",
    "proxy user:pa\u00e0s\u0445s@host": b"proxy ***@host",
    "Authorization: Bearer abcdefgh1234": b"Authorization: Bearer ***",
    "CLIENT_SECRET = 'a b'": b"CLIENT_SECRET = ***",
    '{"client_secret": "a\\"b", "x": 1}': b'{"client_secret": ***, "x": 1}',
    '"{\\"password\\": \\"a b\\", \\"x\\": 1}"': b'"{\\"password\\": ***, \\"x\\": 1}"',
    "https://x/?sig=abc&x=1": b"https://x/?sig=***&x=1",
    "eyJhbGciOiJI.eyJzdWIiOiI.x-y_z": b"***",
    "nothing to hide at 12:30, me@example.org": b"nothing to hide at 12:30, me@example.org",
}


def test_what_looks_like_a_secret_is_hidden(powershell, tmp_path):
    script = "".join(_said(f"Hide-Secrets {_text(text)}") for text in SHAPES)
    assert ran(powershell, tmp_path, script) == list(SHAPES.values())


def test_five_megabytes_take_seconds(powershell, tmp_path):
    line = 'time=2026-11-30T14:00:00Z level=info msg=\\"request\\" url=https://x.example/?a=b status=200'
    script = f"""
Add-Secret {_text(cases.SECRET)}
$lines = New-Object System.Text.StringBuilder
while ($lines.Length -lt 5000000) {{ [void]$lines.Append({_text(line)}).Append($lines.Length).Append("`n") }}
[void]$lines.Append({_text(cases.SECRET)}).Append('\\' * 100000)
$watch = [Diagnostics.Stopwatch]::StartNew()
$answer = Hide-Secrets $lines.ToString()
{_said("[string]($answer.Length -gt 5000000) + $answer.Contains('***') + ($watch.Elapsed.TotalSeconds -lt 60)")}
"""
    assert ran(powershell, tmp_path, script) == [b"TrueTrueTrue"]


# ---- A whole run ----

# Repeats what it read on its streams, in the ways of a file each.
CHATTY = """#!/bin/bash
if [[ $1 == connect ]]; then
    cat '{root}/repeated'
    cat '{root}/repeated' >&2
    [[ ! -e '{root}/fails' ]] || exit 7
fi
exec "${{BASH_SOURCE[0]%/*}}/lab-agent" "$@"
"""


@pytest.mark.parametrize("fails", [False, True], ids=["connects", "fails"])
def test_no_way_reaches_screen_log_or_receipt(powershell, tmp_path, fails):
    server = windows_bench.make(tmp_path, powershell)
    (server / "stand-in/azcmagent.exe").write_text(CHATTY.format(root=server.root))
    value = cases.SECRET
    (server / "repeated").write_bytes(b"\n".join(cases.repeated(value).values()))
    if fails:
        (server / "fails").touch()
    ended = server.run(*server.secret(value.encode() + b"\n"))
    assert ended.code == (7 if fails else 0), ended.out
    written = [path for path in (server / "Data/arc-bundler").iterdir() if path.is_file()]
    (log,) = (path.read_bytes() for path in written if path.name.startswith("install-"))
    assert log.count(b"***") > 21
    for content in (ended.out.encode(), *(path.read_bytes() for path in written)):
        assert cases.remnants(value, content) == []


def repeats(server, text: str) -> None:
    """The agent does this, too, before it connects."""
    connect = f"[[ $1 != connect ]] || {{ {text}; }}"
    agent = f'#!/bin/bash\n{connect}\nexec "${{BASH_SOURCE[0]%/*}}/lab-agent" "$@"\n'
    (server / "stand-in/azcmagent.exe").write_text(agent)


AGENT_LOG = "Data/AzureConnectedMachineAgent/Log/azcmagent.log"


@pytest.mark.parametrize("way", ["literal", "UTF-16 LE", "JSON in JSON"])
def test_the_agent_s_own_log_is_named(powershell, tmp_path, way):
    server = windows_bench.make(tmp_path, powershell)
    log = server / AGENT_LOG
    log.parent.mkdir(parents=True)
    log.write_text("before\n")
    (server / "way").write_bytes(cases.repeated(cases.SECRET)[way])
    repeats(server, f"cat '{server / 'way'}' >>'{log}'")
    ended = server.run(*server.secret(cases.SECRET.encode()))
    assert ended.code == 0, ended.out
    assert f"the agent's log {log} holds the secret: change" in ended.out
    steps = {step["name"]: step for step in server.receipt()["steps"]}
    assert steps["connect"]["outcome"] == "warned"
    assert f"the agent's log {log} holds the secret: change it" in steps["connect"]["message"]
    (written,) = (server / "Data/arc-bundler").glob("install-*.log")
    assert f"the agent's log {log} holds the secret: change" in written.read_text()


def test_what_the_agent_logged_before_is_not(powershell, tmp_path):
    server = windows_bench.make(tmp_path, powershell)
    log = server / AGENT_LOG
    log.parent.mkdir(parents=True)
    log.write_text(f"old {cases.PLAIN}\n")
    repeats(server, f"echo new >>'{log}'")
    ended = server.run(*server.secret(cases.PLAIN.encode()))
    assert ended.code == 0, ended.out
    assert "holds the secret" not in ended.out


def test_collected_logs_do_not_hold_a_secret_that_is_given(powershell, tmp_path):
    server = windows_bench.make(tmp_path, powershell)
    ways = cases.repeated(cases.PLAIN)
    log = server / AGENT_LOG
    log.parent.mkdir(parents=True)
    log.write_bytes(b"\n".join(ways.values()))
    wide = f"first\r\nProperty(S): X = {cases.PLAIN}\r\n\u6771\r\n"
    (log.parent / "msi.log").write_bytes(wide.encode("utf-16"))
    # The secret stands where the part that is taken begins.
    (log.parent / "large.log").write_bytes(f"x{cases.PLAIN}\n".encode() + b"y" * (8 * 2**20 - 12) + b"\nend\n")
    ended = server.run("-CollectLogs", str(server / "out"), *server.secret(cases.PLAIN.encode()))
    assert ended.code == 0, ended.out
    (archive,) = (server / "out").glob("*.zip")
    with zipfile.ZipFile(archive) as packed:
        texts = {name: packed.read(name) for name in packed.namelist()}
    assert texts["agent/azcmagent.log"].count(b"***") >= len(ways)
    assert texts["agent/msi.log"].decode() == "first\r\nProperty(S): X = ***\r\n\u6771\r\n"
    assert texts["agent/large.log"].endswith(b"\nend\n")
    assert {name for name, text in texts.items() if cases.remnants(cases.PLAIN, text)} == set()


def test_a_short_secret_has_a_warning(powershell, tmp_path):
    server = windows_bench.make(tmp_path, powershell)
    repeats(server, "echo 'it is ab1, not ab12'")
    ended = server.run(*server.secret(b"ab1\n"))
    assert ended.code == 0, ended.out
    assert "WARNING: a secret of under 6 characters" in ended.out
    (written,) = (server / "Data/arc-bundler").glob("install-*.log")
    assert "it is ***, not ab12" in written.read_text()


ARGUMENTS = {
    "bare": ((cases.PLAIN,), "unknown argument (it is not shown"),
    "joined": ((f"-p{cases.PLAIN}",), "unknown argument (it is not shown"),
    "second": (("-ClientSecret", cases.PLAIN), "unknown option: -ClientSecret\n"),
    "equals": ((f"--secret={cases.PLAIN}",), "unknown option: --secret\n"),
}
OPTIONS = ("-SecretFile", "-PassphraseFile", "-Envelope", "-RecipientKey", "-Signer", "-LockWait", "-ConnectTries")


@pytest.mark.parametrize("script", ["install.ps1", "verify.ps1"])
def test_a_secret_as_a_bare_argument_is_not_repeated(powershell, tmp_path, script):
    server = windows_bench.make(tmp_path, powershell)
    for arguments, said in ARGUMENTS.values():
        ended = server.run(*arguments, script=script)
        assert ended.code == 205, ended.out
        assert said in ended.out
        assert cases.PLAIN not in ended.out


def test_a_secret_in_the_place_of_a_value_is_not_repeated(powershell, tmp_path):
    server = windows_bench.make(tmp_path, powershell)
    for option in OPTIONS:
        ended = server.run(option, cases.PLAIN)
        assert ended.code not in (0, 1), (option, ended.out)
        assert cases.PLAIN not in ended.out, option
        left = b"".join(path.read_bytes() for path in (server / "Data/arc-bundler").glob("*.*"))
        assert cases.PLAIN.encode() not in left, option


# ---- Module logging: what cmdlets are given ----

_GIVEN = re.compile(r"BIND (?:NAMED|POSITIONAL) cmd line args \[(.+)\]|BIND PIPELINE object to parameters: \[(.+)\]")


def cmdlets_given(trace: str, value: str) -> set[str]:
    """The cmdlets that were given a text with ``value``; a script's own functions have no such heading."""
    found = set()
    cmdlet = ""
    for line in trace.splitlines():
        if heading := _GIVEN.search(line):
            cmdlet = heading[1] or heading[2]
        elif "MANDATORY PARAMETER CHECK" in line or "CALLING" in line:
            cmdlet = ""
        if cmdlet and value in line:
            found.add(cmdlet)
    return found


def test_no_cmdlet_is_given_the_secret(tmp_path):
    """Event 4103 records what these are given; PowerShell's own trace of parameters shows the same."""
    microsofts = powershell_hosts.find_microsofts()
    if microsofts is None:
        (pytest.fail if powershell_hosts.demanded() else pytest.skip)(powershell_hosts.REASON)
    server = windows_bench.make(tmp_path, microsofts)
    (server / "way").write_text(f"level=error {cases.PLAIN}\n" * 3)
    repeats(server, f"cat '{server / 'way'}'")
    server.secret(cases.PLAIN.encode())
    script = quoting.powershell(str(server / "bundle/install.ps1"))
    text = f"'control {cases.PLAIN[:9]}' | Where-Object {{ $_ }} | Out-Null\n"
    text += f"& {script} -SecretFile {quoting.powershell(str(server / 'secret.txt'))}\n"
    trace = quoting.powershell(str(server / "trace.txt"))
    (server / "bundle/traced.ps1").write_text(
        f"Trace-Command -Name ParameterBinding -FilePath {trace} -Expression {{\n{text}}}\nexit $LASTEXITCODE\n"
    )
    ended = server.run(script="traced.ps1")
    assert ended.code == 0, ended.out
    traced = (server / "trace.txt").read_text(errors="replace")
    assert cases.PLAIN in traced
    assert cmdlets_given(traced, f"control {cases.PLAIN[:9]}") == {"Where-Object", "Out-Null"}
    assert cmdlets_given(traced, cases.PLAIN) == set()
