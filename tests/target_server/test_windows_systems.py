"""Which target a Windows gets: editions, LTSC, IoT and client SKUs; Azure Local only where it is named."""

from __future__ import annotations

import subprocess

import pytest

from bundler.render import quoting
from tests.support.windows_bench import source

BOTH_HOSTS = True
# ProductName, CurrentBuildNumber, InstallationType, EditionID as Windows writes them; the target; what is said.
SYSTEMS = [
    ("Windows Server 2012 Standard", 9200, "Server", "ServerStandard", "windows", ""),
    ("Windows Server 2012 R2 Datacenter", 9600, "Server Core", "ServerDatacenter", "2012r2", ""),
    ("Windows Server 2016 Datacenter", 14393, "Server", "ServerDatacenter", "windows", ""),
    ("Windows Server 2019 Standard", 17763, "Server", "ServerStandard", "windows", ""),
    ("Windows Server 2022 Datacenter: Azure Edition", 20348, "Server", "ServerTurbine", "2022", ""),
    ("Windows Server IoT 2022 Standard", 20348, "Server", "ServerStandard", "2022", ""),
    ("Windows Server 2025 Standard", 26100, "Server Core", "ServerStandard", "windows", ""),
    (
        "Windows Server Datacenter",
        18362,
        "Server Core",
        "ServerDatacenterACor",
        "windows",
        "not one of Windows Server 2019",
    ),
    ("Windows Server Datacenter", 25398, "Server Core", "ServerDatacenter", "2022", "not one of Windows Server 2022"),
    ("Windows 10 Enterprise LTSC 2021", 19044, "Client", "EnterpriseS", "windows", ""),
    ("Windows 10 IoT Enterprise LTSC 2021", 19044, "Client", "IoTEnterpriseS", "windows", ""),
    ("Windows 10 Pro", 22631, "Client", "Professional", "11", ""),
    ("Windows 10 IoT Enterprise LTSC 2024", 26100, "Client", "IoTEnterpriseS", "11", ""),
    ("Windows 10 Enterprise for Virtual Desktops", 19045, "Client", "ServerRdsh", "windows", ""),
    ("Windows 8.1 Pro", 9600, "Client", "Professional", "", "204"),
    ("Windows Server 2008 R2 Standard", 7601, "Server", "ServerStandard", "", "204"),
    ("Windows Server 2016 Datacenter", 14393, "Nano Server", "ServerDatacenterNano", "", "204"),
    ("Windows 10 IoT Core", 17763, "IoTUAP", "IoTUAP", "", "204"),
    ("Azure Stack HCI", 25398, "Server Core", "ServerAzureStackHCICor", "", "azure-local"),
    ("azure local", 26100, "Server Core", "", "", "azure-local"),
    ("Windows Server", 20348, "Server Core", "ServerAzureStackHCICor", "", "azure-local"),
]
TARGETS = [("windows", ""), ("2022", "2022"), ("11", "11"), ("2012r2", "2012r2")]
SCRIPT = """
$script:Lab = $false
$script:HostName = 'srv'
function Hide-Controls($Text) { $Text }
function Hide-Secrets($Text) { $Text }
function Write-Line($Text) { }
function Get-ItemProperty { $script:Facts }
function Get-PropertyText($Value, $Name) { [string]$Value[$Name] }
$env:PROCESSOR_ARCHITECTURE = 'AMD64'
function Show {
    $script:Problems = @(); $script:ProblemCode = 0; $script:ProblemReason = ''; $script:Warnings = @()
    $Machine.Version = ''; $Machine.Exact = $true
    Find-Machine
    $script:Target = Find-Target
    $script:TargetFits = $null -ne $script:Target
    Test-System
    $name = ''
    if ($script:Target) { $name = $script:Target.Target }
    $name + '|' + $script:ProblemCode + '|' + $script:ProblemReason + '|' + ($script:Warnings -join ';')
}
"""
PARTS = (
    "arc-server/runtime/windows/codes.ps1",
    "runtime/windows/problems.ps1",
    "arc-server/runtime/windows/system.ps1",
)


def rows(targets) -> str:
    cells = "; ".join(
        f"@{{ Target = '{name}'; Machine = 'AMD64'; Version = '{version}' }}" for name, version in targets
    )
    return f"$script:BundleTargets = @({cells})\n"


def facts(system) -> str:
    product, build, kind, edition = system[:4]
    return (
        f"$script:Facts = @{{ ProductName = {quoting.powershell(product)}; CurrentBuildNumber = '{build}'; "
        f"InstallationType = '{kind}'; EditionID = '{edition}' }}\nShow\n"
    )


def told(powershell, folder, script: str) -> list[list[str]]:
    (folder / "ask.ps1").write_text(rows(TARGETS) + source(*PARTS) + SCRIPT + script)
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", folder / "ask.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split("|") for line in done.stdout.splitlines()]


def test_each_windows_gets_the_most_exact_target(powershell, tmp_path):
    script = "".join(map(facts, SYSTEMS)) + rows(reversed(TARGETS)) + "".join(map(facts, SYSTEMS))
    found = told(powershell, tmp_path, script)
    assert len(found) == 2 * len(SYSTEMS)
    for system, (target, code, reason, warning) in zip(SYSTEMS * 2, found, strict=True):
        wanted, says = system[4:]
        assert target == wanted, system
        assert (code, reason) == {"204": ("204", ""), "azure-local": ("204", "azure-local")}.get(says, ("0", "")), (
            system
        )
        assert says in warning or not says or code == "204", system
        assert bool(warning) == ("not one" in says), system


def test_azure_local_goes_on_where_the_definition_names_it(powershell, tmp_path):
    script = rows([("windows/azure-local", "azure-local"), ("windows", "")])
    hosts = [system for system in SYSTEMS if system[5] == "azure-local"]
    found = told(powershell, tmp_path, script + "".join(map(facts, hosts)))
    for target, code, _, warning in found:
        assert (target, code) == ("windows/azure-local", "0")
        assert "connect themselves" in warning


@pytest.mark.parametrize(("named", "code"), [(False, 204), (True, 0)])
def test_install_ps1_refuses_azure_local(server, named, code):
    server.registry(windows={"ProductName": "Azure Stack HCI", "CurrentBuildNumber": "25398"})
    if named:
        script = server / "bundle/install.ps1"
        text = script.read_text()
        assert "Version = ''; PackageVersion" in text
        script.write_text(
            text.replace("Version = ''; PackageVersion", "Version = 'azure-local'; PackageVersion"), newline="\r\n"
        )
    ended = server.run("-CheckOnly", "-SkipNetworkCheck", *server.secret())
    assert ended.code == code, ended.out
    assert "Azure Stack HCI" in ended.out
    assert ("azure-local" in ended.out) is True
