"""install.ps1 under PowerShell, on a Windows of folders: a registry in a file, stand-ins for programs."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import sample_bundles as sample
from tests.support.windows_bench import CANARY, FRAMEWORK, REDACTION, outcomes, source, write_bundle


def test_it_installs_and_connects_and_a_second_run_is_quiet(server):
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok"] * 7
    assert (server / "installed-sum").read_text().split()[0] == sample.MSI.sha256
    arguments = (server / "msiexec").read_text().splitlines()
    assert (arguments[0], arguments[2:5]) == ("/i", ["/qn", "/norestart", "/l*v"])
    receipt = server.receipt()
    assert (receipt["code"], receipt["outcome"]) == (0, "connected")
    assert receipt["resource_id"].startswith(f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/rg-arc/")
    assert [step["outcome"] for step in receipt["steps"]] == ["ok"] * 6
    (server / "msiexec").unlink()
    again = server.run()
    assert again.code == 0, again.out
    assert outcomes(again) == ["ok", "ok", "skip", "skip", "skip", "ok", "ok"]
    assert not (server / "msiexec").exists()


@pytest.mark.parametrize("way", ["file", "file-utf-16", "stdin", "pipe", "variable"])
def test_the_secret_gets_nowhere_but_to_the_agent(server, way):
    arguments, more = (), {}
    if way == "file":
        arguments = server.secret()
    elif way == "file-utf-16":
        arguments = server.secret(("\ufeff" + CANARY + "\r\n").encode("utf-16-le"))
    elif way == "stdin":
        arguments, more = ("-SecretStdin",), {"stdin": CANARY.encode() + b"\n"}
    elif way == "pipe":
        arguments, more = ("-SecretStdin",), {"piped": CANARY}
    else:
        more = {"environment": {"ARC_BUNDLER_SECRET": CANARY}}
    ended = server.run(*arguments, **more)
    assert ended.code == 0, ended.out
    arrived = (server / "arrived").read_bytes()
    assert not arrived.startswith(b"\xef\xbb\xbf")
    assert json.loads(arrived)["service-principal-secret"] == CANARY
    (server / "arrived").unlink()
    (server / "secret.txt").unlink(missing_ok=True)
    assert "cAn4ry" not in ended.out
    assert [path for path, content in server.files().items() if b"cAn4ry" in content] == []
    assert b"ARC_BUNDLER_SECRET" not in (server / "environments").read_bytes()
    assert list((server / "Data/arc-bundler").glob("work-*")) == []


def test_what_nobody_asked_for_is_not_shown(server):
    """A secret on standard input without -SecretStdin: PowerShell's own error would show it."""
    ended = server.run(*server.secret(), piped=CANARY)
    assert ended.code == 0, ended.out
    assert "cAn4ry" not in ended.out


def test_hashing_takes_no_cmdlet_that_old_or_strict_machines_lack(server):
    """PowerShell 3.0 has no Get-FileHash, and that of 4.0 does not run under a FIPS policy."""
    sample.write(server / "bundle", lab=True)
    (server / "prelude.ps1").write_text("function Get-FileHash { throw 'not part of the FIPS validated algorithms' }\n")
    verified = server.run("-InsecureNoSeal", script="verify.ps1", prelude="prelude.ps1")
    assert verified.code == 0, verified.out
    looked = server.run("-CheckOnly", *server.secret(), prelude="prelude.ps1")
    assert looked.code == 0, looked.out


def test_a_record_folder_keeps_its_rights(server):
    (server / "records").mkdir()
    assert server.run("-RecordDirectory", str(server / "records"), *server.secret(b"")).code == 203
    assert str(server / "records") not in (server / "icacls").read_text()
    assert len(list((server / "records").glob("receipt-*.json"))) == 1


def test_a_link_in_place_of_its_folder_is_not_followed(server):
    (server / "Data/arc-bundler").symlink_to(server / "lab", target_is_directory=True)
    ended = server.run(*server.secret())
    assert ended.code == 202, ended.out
    assert list((server / "lab").iterdir()) == []


def planted(server, name):
    """A folder of somebody else's, behind a link in the place of ours."""
    victim = server / "victim"
    victim.mkdir()
    (victim / "theirs").write_text("theirs")
    (server / "Data/arc-bundler").mkdir()
    (server / "Data/arc-bundler" / name).symlink_to(victim, target_is_directory=True)
    return victim / "theirs"


def test_a_folder_that_somebody_else_made_is_not_believed(server):
    theirs = planted(server, "work-999999-x")
    (server / "owner").write_text("S-1-5-21-1-2-3-1001")
    ended = server.run(*server.secret())
    assert ended.code == 202, ended.out
    assert "belongs to S-1-5-21-1-2-3-1001, neither to SYSTEM nor to Administrators" in ended.out
    assert theirs.read_text() == "theirs"
    assert not (server / "icacls").exists(), "it would be taken for ours the next time"


def test_what_was_put_in_while_the_folder_was_made_is_not_believed(server):
    icacls = server / "Windows/System32/icacls.exe"
    icacls.write_text(icacls.read_text() + f'ln -sfn {server / "victim"} "$1/work-999999-x"\n')
    (server / "victim").mkdir()
    (server / "victim/theirs").write_text("theirs")
    ended = server.run(*server.secret())
    assert ended.code == 202, ended.out
    assert "while it was created" in ended.out
    assert not (server / "Data/arc-bundler").exists()
    assert (server / "victim/theirs").read_text() == "theirs"


def test_a_link_among_what_a_killed_run_left_is_not_followed(server):
    theirs = planted(server, "work-999999-x")
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert theirs.read_text() == "theirs"
    assert list((server / "Data/arc-bundler").glob("work-*")) == []


def test_a_copy_from_a_disc_can_be_removed(server):
    """What lies on a DVD is read-only; a copy takes that along, and .NET Framework removes no such file."""
    (server / "bundle/payload/windows/x64/AzureConnectedMachineAgent.msi").chmod(0o444)
    msiexec = server / "Windows/System32/msiexec.exe"
    noting = f'#!/bin/bash\nstat -c %a "$2" >{server / "rights"}'
    msiexec.write_text(msiexec.read_text().replace("#!/bin/bash", noting, 1))
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert int((server / "rights").read_text(), 8) & 0o200


def test_the_secret_lies_where_only_administrators_look(server):
    assert server.run(*server.secret()).code == 0
    folder, *rights = (server / "icacls").read_text().splitlines()[-1].rstrip("|").split("|")
    assert Path(folder).name.startswith("work-")
    assert rights == ["/inheritance:r", "/grant:r", "*S-1-5-18:(OI)(CI)F", "*S-1-5-32-544:(OI)(CI)F"]
    assert f"connect|--config|{folder}/connect.json|" in (server / "arguments").read_text()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"\r\n", "empty"), (b"one\r\ntwo", "more than one line"), (b"a\tb", "control")],
)
def test_a_bad_secret_is_refused_before_anything_is_touched(server, content, why):
    ended = server.run(*server.secret(content))
    assert ended.code == 203, ended.out
    assert why in ended.out
    assert not (server / "msiexec").exists()
    assert server.receipt()["code"] == 203


def test_a_drive_that_is_not_there(server):
    """An elevated PowerShell does not see the drives that the person mapped."""
    ended = server.run("-SecretFile", "Z:\\secret.txt")
    assert ended.code == 203, ended.out
    assert "the secret's file does not exist: give the path of a file with -SecretFile" in ended.out
    assert "Z:" not in ended.out
    assert not (server / "msiexec").exists()


def test_without_anybody_to_ask_nothing_is_touched(server):
    ended = server.run()
    assert ended.code == 203, ended.out
    assert not (server / "msiexec").exists()


@pytest.mark.parametrize(
    ("flag", "wanted"),
    [
        ("-CheckOnly", ["ok", "ok"]),
        ("-WhatIf", ["ok", "ok"] + ["would"] * 5),
    ],
)
def test_looking_changes_nothing(server, flag, wanted):
    arguments = server.secret()
    before = server.files()
    ended = server.run(flag, *arguments)
    assert ended.code == 0, ended.out
    assert outcomes(ended) == wanted
    assert server.files() == before


def test_without_elevation_it_is_not_ready(server):
    bare = {"environment": {"BENCH_ELEVATED": "0"}}
    ended = server.run(*server.secret(), **bare)
    assert ended.code == 202, ended.out
    assert "elevated" in ended.out
    assert not (server / "Data/arc-bundler").exists()
    dry = server.run("-WhatIf", *server.secret(), **bare)
    assert dry.code == 0
    assert outcomes(dry)[2:] == ["would"] * 5


BUILDS = {
    "2012": ("9200", "Server"),
    "2012r2": ("9600", "Server Core"),
    "2016": ("14393", "Server"),
    "2019": ("17763", "Server"),
    "2022": ("20348", "Server"),
    "2025": ("26100", "Server Core"),
    "10": ("19045", "Client"),
    "11": ("26100", "Client"),
}


def test_the_build_number_says_which_windows_it_is(server):
    probe = "$BundleTargets = @()\n" + source("arc-server/runtime/windows/system.ps1")
    for build, kind in BUILDS.values():
        probe += f"Get-WindowsVersion {build} ${str(kind != 'Client').lower()} 'Windows'\n"
    probe += "Get-WindowsVersion 25398 $true 'Azure Stack HCI'\n"
    (server / "bundle/probe.ps1").write_text(probe)
    assert server.run(script="probe.ps1").out.split() == [*BUILDS, "azure-local"]


@pytest.mark.parametrize(
    ("windows", "environment", "code"),
    [
        ({"CurrentBuildNumber": "7601", "ProductName": "Windows Server 2008 R2"}, {}, 204),
        ({}, {"PROCESSOR_ARCHITECTURE": "ARM64"}, 204),
        ({}, {"PROCESSOR_ARCHITECTURE": "x86", "PROCESSOR_ARCHITEW6432": "AMD64"}, 0),
    ],
)
def test_a_machine_is_a_target_or_not(server, windows, environment, code):
    server.registry(windows=windows)
    assert server.run("-CheckOnly", *server.secret(), environment=environment).code == code


@pytest.mark.parametrize("short", [0, 1])
def test_room_on_one_volume_is_added_up(server, short):
    """The agent, our copy of its package, and Windows Installer's; here all are on one volume."""
    script = server / "bundle/install.ps1"
    text = script.read_text()
    packed, installed = map(int, re.search(r"Packed = '(\d+)'; Installed = '(\d+)'", text).groups())
    free = installed + 2 * packed - short
    text = re.sub(r"try \{ \(New-Object System.IO.DriveInfo.*", lambda _: str(free), text)
    script.write_text(text, newline="\r\n")
    ended = server.run("-CheckOnly", *server.secret())
    assert ended.code == (202 if short else 0), ended.out
    assert ("MiB free and needs" in ended.out) == bool(short)


def test_an_old_framework_is_not_ready(server):
    server.registry(**{FRAMEWORK: {"Release": 378389}})
    ended = server.run("-CheckOnly", *server.secret())
    assert ended.code == 202
    assert ".NET Framework 4.6" in ended.out


@pytest.mark.parametrize(("path", "how"), [(sample.MSI.path, "changed"), ("config/settings.json", "missing")])
def test_a_damaged_bundle_is_refused(server, path, how):
    file = server / "bundle" / path
    content = file.read_bytes()
    file.unlink()
    if how == "changed":
        file.write_bytes(content[:-1] + b"\x00")
    ended = server.run(*server.secret())
    assert ended.code == 200, ended.out
    assert path in ended.out
    assert not (server / "msiexec").exists()


@pytest.mark.parametrize(
    ("version", "outcome"), [("1.66.03471.1262", "ok"), (sample.WINDOWS_VERSION, "skip"), ("1.100.0.1", "skip")]
)
def test_what_is_installed_decides(server, version, outcome):
    server.install_agent(version)
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert outcomes(ended)[2] == outcome
    assert (server / "msiexec").exists() == (outcome == "ok")


def test_connected_elsewhere_is_refused_before_anything_is_touched(server):
    server.install_agent("1.66.03471.1262")
    elsewhere = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-other", "resourceName": "srv"}
    (server / "lab/var/opt/azcmagent").mkdir(parents=True)
    (server / "lab/var/opt/azcmagent/agentconfig.json").write_text(json.dumps(elsewhere))
    ended = server.run(*server.secret())
    assert ended.code == 67, ended.out
    assert "rg-other" in ended.out
    assert "rg-arc" in ended.out
    assert not (server / "msiexec").exists()


# The stand-in, a process of Linux, can end with 0 to 255 only: 112 is the one of the table that fits.
@pytest.mark.parametrize(("msi", "code"), [(112, 158), (7, 149)])
def test_msiexecs_exit_code_becomes_microsofts_own(server, msi, code):
    (server / "msi-code").write_text(str(msi))
    ended = server.run(*server.secret())
    assert ended.code == code, ended.out
    assert f"msiexec ended with {msi}" in ended.out
    assert server.receipt()["code"] == code


def test_the_table_of_msiexecs_exit_codes(server):
    probe = source("arc-server/runtime/windows/install_step.ps1")
    probe += "1603, 1633, 112, 1618, 1622, 1 | ForEach-Object { Get-InstallCode $_ }\n"
    (server / "bundle/probe.ps1").write_text(probe)
    assert server.run(script="probe.ps1").out.split() == ["156", "153", "158", "159", "160", "149"]


@pytest.mark.parametrize("code", [42])
def test_the_agents_exit_code_passes_through(server, code):
    (server / "lab/var/opt/azcmagent").mkdir(parents=True)
    (server / "lab/var/opt/azcmagent/lab.json").write_text(json.dumps({"fail": str(code)}))
    ended = server.run(*server.secret())
    assert ended.code == code, ended.out
    assert f"exit code {code}:" in ended.out
    assert server.receipt()["code"] == code
    assert list((server / "Data/arc-bundler").glob("work-*")) == []
    (server / "lab/var/opt/azcmagent/lab.json").unlink()
    again = server.run(*server.secret())
    assert again.code == 0, again.out
    assert outcomes(again)[2:4] == ["skip", "skip"]


def test_killed_while_connecting_the_next_run_cleans_up(server):
    (server / "slow").touch()
    process = server.start(*server.secret())
    waited = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert process.poll() is None
        assert time.monotonic() < waited
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    (server / "slow").unlink()
    assert server.run(*server.secret()).code == 0
    assert list((server / "Data/arc-bundler").glob("work-*")) == []


@pytest.mark.parametrize("arguments", [("-Bogus",), ("positional",), ("-SecretStdin", "-SecretFile", "x")])
def test_a_wrong_call_is_told(server, arguments):
    ended = server.run(*arguments)
    assert ended.code == 205, ended.out


ARGUMENTS = [
    "",
    " ",
    "a b",
    '"',
    'a"b',
    "\\",
    "a\\",
    'a\\"b',
    "a b\\",
    "\\\\server\\share x\\",
    "'",
    "tab\there",
    "$x",
    "%x%",
    "東京",
]


def test_programs_get_their_arguments_unchanged(server):
    (server / "show").write_text("#!/bin/bash\nprintf '%s\\0' \"$@\" >'" + str(server / "shown") + "'\n")
    (server / "show").chmod(0o755)
    values = ", ".join("(''" + "".join(f" + [char]{ord(c)}" for c in value) + ")" for value in ARGUMENTS)
    probe = "$Utf8 = New-Object System.Text.UTF8Encoding $false\nfunction Add-LogLine($x) { }\n"
    probe += source(*REDACTION, "runtime/windows/process.ps1")
    probe += f"[void](Invoke-Program '{server / 'show'}' @({values}))\n"
    (server / "bundle/probe.ps1").write_text(probe)
    ended = server.run(script="probe.ps1")
    assert ended.code == 0, ended.out
    assert (server / "shown").read_text().split("\0")[:-1] == ARGUMENTS


JAPANESE = replace(
    sample.SECRET, resource_group="rg-東京", resource_name="srv-tokyo", tags={"所有者": "山田 太郎", "ソ": "表示"}
)


@pytest.mark.parametrize("habits", ["932", "core"])
def test_names_arrive_whole(server, habits):
    """On a Japanese server, whose ANSI code page has backslashes inside letters; and with PowerShell 7's habits."""
    write_bundle(server / "bundle", JAPANESE)
    more = {"932": {"environment": {"BENCH_ANSI_CODE_PAGE": "932"}}, "core": {"options": ("-Core",)}}[habits]
    ended = server.run(*server.secret(), **more)
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok"] * 7
    given = json.loads((server / "arrived").read_bytes())
    assert (given["resource-group"], given["resource-name"]) == ("rg-東京", "srv-tokyo")
    assert "所有者" in given["tags"]
    assert "表示" in given["tags"]
    assert given["service-principal-secret"] == CANARY
    receipt = server.receipt()
    assert receipt["resource_id"].endswith(
        "/resourceGroups/rg-東京/providers/Microsoft.HybridCompute/machines/srv-tokyo"
    )
    again = server.run(**more)
    assert again.code == 0, again.out
    assert outcomes(again) == ["ok", "ok", "skip", "skip", "skip", "ok", "ok"]
    assert server.run("-CollectLogs", str(server / "out"), **more).code == 0
    server.install_agent(sample.WINDOWS_VERSION)
    ended = server.run("-Uninstall", *server.secret(), **more)
    assert ended.code == 0, ended.out


@pytest.mark.parametrize("flag", [(), ("-Uninstall", "-ForceLocalOnly")])
def test_without_elevation_nothing_is_touched(server, flag):
    server.install_agent(sample.WINDOWS_VERSION)
    arguments = server.secret()
    before = server.files()
    ended = server.run(*flag, *arguments, environment={"BENCH_ELEVATED": "0"})
    assert ended.code == 202, ended.out
    assert "an elevated PowerShell is needed (Run as administrator)" in ended.out
    asked = {path for path in server.files() if path not in before or server.files()[path] != before[path]}
    assert {path.rpartition("/")[2] for path in asked} <= {"environments", "arguments"}
