"""install.ps1 killed with SIGKILL at many points of its run; the next run ends well and cleans up.

The points are not moments of a clock but places in the script: the engine's debugger counts the calls of the functions
that write, start a program or end a step, and at one of them the process kills itself. The script is the bundle's own,
unchanged. What a kill does to a program that the script waits for, the stand-ins play: they kill the whole run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import replace

import pytest

from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.script_parameters import Identity
from tests.support import sample_bundles as sample
from tests.support.thorough import count
from tests.support.windows_bench import FRAMEWORK, UNINSTALL, Server, make, write_bundle
from tests.target_server.test_changes_ps1 import ENVIRONMENT, HOSTS, changes

pytestmark = pytest.mark.slow

POINTS = count(20, 50)
# Several tests, so that several processes share them.
PARTS = 10

PRELUDE = """
$global:Seen = 0
$debugger = [System.Management.Automation.Runspaces.Runspace]::DefaultRunspace.Debugger
foreach ($name in @('Write-Log', 'Save-Whole', 'Move-Over', 'Invoke-Program', 'Write-ConnectFile', 'Add-Change',
    'Set-HostsFile', 'New-ProtectedFolder', 'Remove-Leftovers', 'Get-Sha256', 'Start-Step', 'Complete-Step',
    'Write-Receipt', 'Remove-Change', 'Set-Setting', 'Clear-Run')) {
    [void]$debugger.SetCommandBreakpoint($name, {
        $global:Seen++
        if ($global:Seen -eq [int]$env:KILL_AT) { [Diagnostics.Process]::GetCurrentProcess().Kill() }
        if ($env:COUNT_INTO) { [IO.File]::WriteAllText($env:COUNT_INTO, [string]$global:Seen) }
    }, $null)
}
"""
RICH = replace(
    sample.SECRET,
    hosts_records=(HostRecord(host="gbl.his.arc.azure.com", address="10.0.0.4"),),
    identity=Identity(environment=True),
)
FOLDERS = ("lab", "Data", "Programs", "Windows/System32/drivers/etc")


def fresh(server: Server) -> None:
    """Nothing of Arc is here."""
    for name in FOLDERS:
        shutil.rmtree(server / name, ignore_errors=True)
        (server / name).mkdir(parents=True)
    (server / "Programs/AzureConnectedMachineAgent").mkdir()
    (server / "Windows/System32/drivers/etc/hosts").write_bytes(HOSTS)
    server.registry(**{ENVIRONMENT: {"Path": "x"}})


def prepare(root, powershell) -> Server:
    server = make(root, powershell)
    write_bundle(server / "bundle", RICH)
    (server / "prelude.ps1").write_text(PRELUDE)
    return server


def moments(server: Server, *arguments: str) -> int:
    """How many there are, by one whole run."""
    count = server / "count"
    ended = server.run(*arguments, prelude="prelude.ps1", environment={"COUNT_INTO": str(count)})
    assert ended.code == 0, ended.out
    return int(count.read_text())


def killed(server: Server, *arguments: str, moment: int = 0) -> None:
    more = {"prelude": "prelude.ps1", "environment": {"KILL_AT": str(moment)}} if moment else {}
    process = server.start(*arguments, **more)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, out.decode()
    if list((server / "Data").glob("arc-bundler/receipt-*.json")):
        assert server.receipt()["outcome"] in {"interrupted", "connected", "uninstalled"}


def installed_well(server: Server, where: object) -> None:
    ended = server.run("-WriteHosts", *server.secret())
    assert ended.code == 0, (where, ended.out)
    receipt = server.receipt()
    assert (receipt["outcome"], receipt["code"]) == ("connected", 0), where
    held = json.loads((server / "lab/var/opt/azcmagent/agentconfig.json").read_bytes())
    assert held["resourceGroup"] == "rg-arc", where
    settings = json.loads((server / "lab/var/opt/azcmagent/localconfig.json").read_bytes())
    assert settings["proxy.url"] == "http://proxy.example:3128", where
    assert {one["kind"] for one in changes(server)} == {"hosts", "setting", "environment"}, where
    hosts = (server / "Windows/System32/drivers/etc/hosts").read_bytes()
    assert hosts.startswith(HOSTS), where
    assert hosts.count(b"10.0.0.4 gbl.his.arc.azure.com\r\n") == 1, where
    nothing_of_a_run(server, where)
    assert [path for path, content in server.files().items() if b"cAn4ry" in content] == [
        str(server / "secret.txt"),
        str(server / "arrived"),
    ], where


def nothing_of_a_run(server: Server, where: object) -> None:
    left = [str(path) for name in FOLDERS for path in (server / name).rglob("*")]
    assert [path for path in left if path.endswith((".part", ".new")) or "/work-" in path] == [], where


@pytest.fixture(scope="module")
def whole(tmp_path_factory, powershell) -> int:
    """The moments of a whole installation."""
    if os.name != "posix":
        pytest.skip("the stand-ins are bash scripts")
    server = prepare(tmp_path_factory.mktemp("whole") / "root", powershell)
    fresh(server)
    return moments(server, "-WriteHosts", *server.secret())


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_and_run_again(part, whole, tmp_path, powershell):
    server = prepare(tmp_path / "root", powershell)
    assert whole > POINTS
    for point in range(part, POINTS, PARTS):
        fresh(server)
        moment = 1 + point * whole // POINTS
        killed(server, "-WriteHosts", *server.secret(), moment=moment)
        installed_well(server, moment)


DEEDS = [
    "msiexec before",
    "msiexec half",
    "msiexec after",
    "config before",
    "config after",
    "connect before",
    "connect after",
]


def test_killed_with_the_program_that_it_waits_for(tmp_path, powershell):
    server = prepare(tmp_path / "root", powershell)
    for deed in DEEDS:
        fresh(server)
        (server / "die").write_text(deed)
        killed(server, "-WriteHosts", *server.secret())
        assert not (server / "die").exists()
        installed_well(server, deed)


def test_uninstalling_is_killed_anywhere_and_goes_on(tmp_path, powershell):
    server = prepare(tmp_path / "root", powershell)
    fresh(server)
    secret = server.secret()
    assert server.run("-WriteHosts", *secret).code == 0
    registry = json.loads((server / "registry.json").read_text())
    kept = tmp_path / "kept"
    for name in FOLDERS:
        shutil.copytree(server / name, kept / name)

    def again() -> None:
        for name in FOLDERS:
            shutil.rmtree(server / name)
            shutil.copytree(kept / name, server / name)
        listed = {"DisplayName": "Azure Connected Machine Agent (LAB)", "DisplayVersion": sample.WINDOWS_VERSION}
        server.registry(**{ENVIRONMENT: registry[ENVIRONMENT], FRAMEWORK: registry[FRAMEWORK], UNINSTALL: listed})

    again()
    total = moments(server, "-Uninstall", *secret)
    points = count(3, 10)
    for moment in [1 + point * total // points for point in range(points)] + ["msiexec removed", "disconnect after"]:
        again()
        if isinstance(moment, int):
            killed(server, "-Uninstall", *secret, moment=moment)
        else:
            (server / "die").write_text(moment)
            killed(server, "-Uninstall", *secret)
        if not (server / "Programs/AzureConnectedMachineAgent/azcmagent.exe").exists():
            # Windows Installer takes its entry along.
            held = json.loads((server / "registry.json").read_text())
            del held[UNINSTALL]
            (server / "registry.json").write_text(json.dumps(held))
        ended = server.run("-Uninstall", *secret)
        assert ended.code == 0, (moment, ended.out)
        assert server.receipt()["outcome"] == "uninstalled", moment
        assert not (server / "Programs/AzureConnectedMachineAgent/azcmagent.exe").exists(), moment
        assert not (server / "lab/var/opt/azcmagent/agentconfig.json").exists(), moment
        assert (server / "Windows/System32/drivers/etc/hosts").read_bytes() == HOSTS + b"\r\n", moment
        assert json.loads((server / "registry.json").read_text())[ENVIRONMENT] == {"Path": "x"}, moment
        assert changes(server) == [], moment
        nothing_of_a_run(server, moment)
