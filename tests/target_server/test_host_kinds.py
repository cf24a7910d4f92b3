"""Containers, WSL and Azure VMs are recognised; what a host name and SQL Server lead to is said before connecting."""

from __future__ import annotations

import shutil
import subprocess

from bundler.render import quoting
from bundler.render.environment import templates
from tests.support import small_root
from tests.support.small_root import put
from tests.support.windows_bench import source

BOTH_HOSTS = True
WSL2 = "Linux version 5.15.153.1-microsoft-standard-WSL2 (root@941d701f84f1) (gcc (GCC) 11.2.0) #1 SMP\n"
WSL1 = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc version 5.4.0) #1237-Microsoft\n"
AZURE_LINUX = "Linux version 6.6.29.1-4.azl3 (root@CBL-Mariner) (gcc by Microsoft) #1 SMP\n"
UBUNTU = "Linux version 6.8.0-1030-azure (buildd@lcy02) (x86_64-linux-gnu-gcc) #35~22.04.1-Ubuntu\n"
V1 = "12:pids:{}\n1:name=systemd:{}\n"
# Files of the root, variables, and what is found: the reason, or nothing.
HOSTS = {
    "a server": ({"proc/version": UBUNTU, "proc/1/cgroup": "0::/init.scope\n"}, "", ""),
    "Azure Linux": ({"proc/version": AZURE_LINUX}, "", ""),
    "a server that runs containers": ({"proc/1/cgroup": V1.format("/", "/")}, "", ""),
    "nothing can be read": ({}, "", ""),
    "WSL 2": ({"proc/version": WSL2}, "", "wsl"),
    "WSL 1": ({"proc/version": WSL1}, "", "wsl"),
    "WSL by its folder": ({"run/WSL/1_interop": ""}, "", "wsl"),
    "WSL by its session": ({}, "WSL_INTEROP=/run/WSL/8_interop", "wsl"),
    "docker": ({".dockerenv": ""}, "", "container"),
    "podman": ({"run/.containerenv": ""}, "", "container"),
    "nspawn": ({"run/systemd/container": "systemd-nspawn"}, "", "container"),
    "lxc by PID 1": ({"proc/1/environ": "TERM=linux\0container=lxc\0"}, "", "container"),
    "PID 1 of a server": ({"proc/1/environ": "TERM=linux\0container=\0"}, "", ""),
    "docker by its group": ({"proc/1/cgroup": V1.format(f"/docker/{'a' * 64}", "/docker/b")}, "", "container"),
    "kubernetes": ({"proc/1/cgroup": V1.format("/kubepods/besteffort/pod1/2", "/")}, "", "container"),
    "kubernetes with systemd": ({"proc/1/cgroup": "0::/kubepods.slice/cri-containerd-2.scope\n"}, "", "container"),
}  # fmt: skip
# A host name, and a piece of the warning; nothing: none.
NAMES = {
    "srv-01": "",
    "SQL2019": "",
    "exchange": "reserves the word EXCHANGE",
    "exchange1": "",
    "MICROSOFT-SQL01": "reserves the word MICROSOFT",
    "old-windows-7": "reserves the word WINDOWS",
    "login1": "reserves the word LOGIN",
    "catalog-in": "",
    "xbox": "reserves the word XBOX",
    "a" * 54: "",
    "a" * 55: "55 characters long",
    "srv_": "with a letter or digit at the end",
    "srv 1": "letters, digits",
    "サーバ": "letters, digits",
}
FROM = (
    "runtime/linux/findings.sh",
    *(f"arc-server/runtime/linux/{name}.sh" for name in ("codes", "reserved_names", "host_kind")),
)


def asked(bash: str, script: str) -> list[str]:
    text = "".join((templates() / part).read_text() for part in FROM)
    text = f"set -u\nLAB='' STATE=absent WANTED_NAME='' CONNECT_JSON='{{}}'\n{text}\n"
    text += "note() { :; }\nhide() { HIDDEN=$1; }\n"
    done = subprocess.run([bash, "-s"], input=(text + script).encode(), capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode().splitlines()


def test_bash_recognises_each_kind_of_host(bash, tmp_path):
    script = ""
    for at, (files, variables, _) in enumerate(HOSTS.values()):
        for path, content in {"etc/x": "", **files}.items():
            put(tmp_path / str(at) / path, content, 0o644)
        script += f"unset WSL_INTEROP WSL_DISTRO_NAME; {variables}\nHOST_ROOT={tmp_path}/{at}\n"
        script += 'PROBLEM_CODE=0 PROBLEM_REASON=; check_host_kind; echo "$PROBLEM_CODE $PROBLEM_REASON"\n'
    for (name, (_, _, reason)), said in zip(HOSTS.items(), asked(bash, script), strict=True):
        assert said == (f"202 {reason}" if reason else "0 "), name


def test_bash_says_what_a_host_name_leads_to(bash):
    script = "".join(
        f'WARNINGS=(); HOST={quoting.bash(name)}; check_host_name; echo "${{WARNINGS[*]-}}"\n' for name in NAMES
    )
    script += "WARNINGS=(); HOST=exchange WANTED_NAME=srv; check_host_name; echo ${#WARNINGS[@]}\n"
    script += "WARNINGS=(); HOST=exchange WANTED_NAME='' STATE=wanted; check_host_name; echo ${#WARNINGS[@]}\n"
    said = asked(bash, script)
    assert said[-2:] == ["0", "0"]
    agree(said[:-2])


def agree(said: list[str]) -> None:
    for (name, piece), text in zip(NAMES.items(), said, strict=True):
        assert piece in text, name
        assert bool(piece) == bool(text), (name, text)


TAGGED = '{"tags": "a=b,ArcSQLServerExtensionDeployment=Disabled"}'


def test_bash_says_what_happens_to_sql_server(bash, tmp_path):
    put(tmp_path / "sql/opt/mssql/bin/sqlservr", "", 0o755)
    (tmp_path / "none").mkdir()
    script = ""
    for root, tags, state in (
        ("sql", "{}", "absent"),
        ("none", "{}", "absent"),
        ("sql", TAGGED, "absent"),
        ("sql", "{}", "wanted"),
    ):
        script += f"HOST_ROOT={tmp_path}/{root} CONNECT_JSON={quoting.bash(tags)} STATE={state} WARNINGS=()\n"
        script += 'check_sql; echo "${WARNINGS[*]-}"\n'
    said = asked(bash, script)
    assert "ArcSQLServerExtensionDeployment: Disabled" in said[0]
    assert said[1:] == [""] * 3


SCRIPT = """
$script:Lab = $false; $script:State = 'absent'; $script:WantedName = ''
$script:HostName = 'netbios'; $script:ConnectJson = '{}'
function Hide-Controls($Text) { $Text }
function Hide-Secrets($Text) { $Text }
function Write-Line($Text) { }
function Add-LogLine($Text) { }
function Test-ArcTest { $false }
function Get-RegistryText($Key, $Name) { [string]$script:Registry[$Name] }
function Get-CimInstance($ClassName) { @{ SMBIOSAssetTag = $script:Tag } }
function Show($Action) { $script:Warnings = @(); & $Action; $script:Warnings -join ';' }
$script:Registry = @{ ContainerType = '2' }
$script:Problems = @(); $script:ProblemCode = 0
Test-Container
[string]$script:ProblemCode + ' ' + $script:ProblemReason
$script:Registry = @{}
$script:Problems = @(); $script:ProblemCode = 0; $script:ProblemReason = ''
Test-Container
[string]$script:ProblemCode + ' ' + $script:ProblemReason
foreach ($tag in @('7783-7084-3265-9085-8269-3286-77', 'Asset Tag')) { $script:Tag = $tag; Show { Test-Chassis } }
"""
PARTS = ("arc-server/runtime/windows/codes.ps1", "runtime/windows/problems.ps1",
         "arc-server/runtime/windows/reserved_names.ps1", "arc-server/runtime/windows/host_kind.ps1")  # fmt: skip


def test_powershell_recognises_them_too(powershell, tmp_path):
    script = source(*PARTS) + SCRIPT
    for name in NAMES:
        letters = ", ".join(f"0x{ord(letter):x}" for letter in name)
        script += (
            f"$script:Registry = @{{ Hostname = [string]::new([char[]]@({letters})) }}; Show {{ Test-HostName }}\n"
        )
    script += "function Get-Item { throw 'no key' }\n"
    script += "function Get-Service { 'MSSQLSERVER', 'MSSQL$PROD', 'MSSQLFDLauncher', 'himds' | "
    script += "ForEach-Object { @{ Name = $_ } } }\n"
    script += "Show { Test-SqlServer }\nfunction Get-Item { @{ Property = @('ONE') } }\nShow { Test-SqlServer }\n"
    script += f"$script:ConnectJson = '{TAGGED}'; Show {{ Test-SqlServer }}\n"
    script += "$script:ConnectJson = '{}'; function Get-Item { @{ Property = @() } }; Show { Test-SqlServer }\n"
    (tmp_path / "ask.ps1").write_text(script)
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "ask.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[:2] == ["202 container", "0 "]
    assert "virtual machine in Azure" in said[2]
    assert said[3] == ""
    agree(said[4 : 4 + len(NAMES)])
    both, one, tagged, none = said[4 + len(NAMES) :]
    assert "SQL Server (MSSQLSERVER, PROD) runs here" in both
    assert "SQL Server (ONE) runs here" in one
    assert (tagged, none) == ("", "")


SQL = "HKLM\\SOFTWARE\\Microsoft\\Microsoft SQL Server\\Instance Names\\SQL"


def test_install_ps1_finds_sql_server_and_a_reserved_name(server):
    server.registry(
        **{
            SQL: {"MSSQLSERVER": "MSSQL16.MSSQLSERVER"},
            "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters": {"Hostname": "Exchange"},
        }
    )
    ended = server.run("-CheckOnly", "-SkipNetworkCheck", *server.secret())
    assert ended.code == 0, ended.out
    assert "SQL Server (MSSQLSERVER) runs here" in ended.out
    assert "reserves the word EXCHANGE" in ended.out


def test_install_sh_finds_sql_server_and_a_reserved_name(tmp_path, bash):
    server = small_root.with_lab_bundle(tmp_path / "root", bash)
    put(server / "opt/mssql/bin/sqlservr", "")
    put(server / ".dockerenv", "")
    ended = server.run("--check", environment={"HOSTNAME": "Exchange.contoso.local"})
    assert ended.code == 0, ended.out
    assert "SQL Server runs here" in ended.out
    assert "reserves the word EXCHANGE" in ended.out
    assert "this is a container (/.dockerenv)" in ended.out
    shutil.rmtree(tmp_path / "root")
