"""The bundled install.ps1 against Wine's Windows Installer, the lab's MSI and the Windows stand-in agent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bundler.products.arc_server.script_parameters import Setting
from tests.support.target_bundle import GROUP, NAME, NEW, OLD, SUBSCRIPTION, TAGS
from tests.support.target_machine import MARK, SECRET

pytestmark = [pytest.mark.wine, pytest.mark.slow]

PROGRAMS = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall"
GIVEN = {"ARC_BUNDLER_SECRET": SECRET}


def carry(bundle, machine, place="usb stick") -> Path:
    shutil.copytree(bundle, machine / place)
    return machine / place / "install.ps1"


def receipts(machine) -> list[dict]:
    found = sorted((machine.data / "arc-bundler").glob("receipt-*.json"))
    return [json.loads(path.read_bytes()) for path in found]


def nothing_left(machine, outcome) -> None:
    assert outcome.seen == set()
    assert MARK.decode() not in outcome.out
    assert machine.holding() == []
    assert list((machine.data / "arc-bundler").glob("work-*")) == []


def test_fresh_machine_ends_connected(windows, bundles):
    outcome = windows.run(carry(bundles.make(), windows), environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert "LAB" in outcome.out
    assert (windows / "msiexec.log").read_text().count("/qn /norestart /l*v") == 1
    assert windows.ask("version").stdout == f"azcmagent version {NEW} (LAB)\n".encode()
    said = windows.shown()
    wanted = {"status": "Connected", "resourceName": NAME, "resourceGroup": GROUP, "subscriptionId": SUBSCRIPTION}
    assert {key: said[key] for key in wanted} == wanted
    state = windows.data / "AzureConnectedMachineAgent/Config"
    kept = json.loads((state / "agentconfig.json").read_bytes())
    assert {key.removeprefix("tag:"): text for key, text in kept.items() if key.startswith("tag:")} == TAGS
    assert json.loads((state / "localconfig.json").read_bytes())["proxy.bypass"] == "Arc,AAD"
    assert receipts(windows)[-1]["outcome"] == "connected"
    nothing_left(windows, outcome)


def test_second_run_is_quiet(windows, bundles):
    script = carry(bundles.make(), windows)
    assert windows.run(script, environment=GIVEN).code == 0
    before = {path: held for path, held in windows.tree().items() if "arc-bundler" not in path}
    outcome = windows.run(script)

    assert outcome.code == 0, outcome.out
    assert {
        path: held for path, held in windows.tree().items() if "arc-bundler" not in path and path in before
    } == before
    assert len((windows / "msiexec.log").read_text().splitlines()) == 1


def test_wrong_secret_is_azcmagents_41(windows, bundles):
    script = carry(bundles.make(), windows)
    outcome = windows.run(script, environment={"ARC_BUNDLER_SECRET": "wrong-" + SECRET})

    assert outcome.code == 41, outcome.out
    assert windows.shown()["status"] == "Disconnected"
    assert receipts(windows)[-1]["code"] == 41
    nothing_left(windows, outcome)
    assert windows.run(script, environment=GIVEN).code == 0


def test_damaged_payload_installs_nothing(windows, bundles):
    script = carry(bundles.make(), windows)
    package = next(script.parent.rglob("*.msi"))
    content = package.read_bytes()
    package.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    outcome = windows.run(script, environment=GIVEN)

    assert outcome.code == 200, outcome.out
    assert not windows.agent.exists()
    assert not (windows / "msiexec.log").exists()


def test_wrong_machine_is_told(windows, bundles):
    registry = json.loads((windows / "registry.json").read_text())
    registry["HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"]["CurrentBuildNumber"] = "9200"
    (windows / "registry.json").write_text(json.dumps(registry))
    outcome = windows.run(carry(bundles.make(), windows), environment=GIVEN)

    assert outcome.code == 204, outcome.out
    assert not windows.agent.exists()


def test_no_secret_and_nobody_to_ask(windows, bundles):
    outcome = windows.run(carry(bundles.make(), windows))

    assert outcome.code == 203, outcome.out
    assert not windows.agent.exists()


def test_older_agent_is_upgraded_and_stays_connected(windows, bundles):
    assert windows.run(carry(bundles.make(OLD), windows, "old"), environment=GIVEN).code == 0
    machine = windows.shown()["vmId"]
    outcome = windows.run(carry(bundles.make(), windows))

    assert outcome.code == 0, outcome.out
    assert windows.ask("version").stdout == f"azcmagent version {NEW} (LAB)\n".encode()
    assert (windows.shown()["status"], windows.shown()["vmId"]) == ("Connected", machine)


def test_monitor_mode(windows, bundles):
    monitor = (Setting(key="config.mode", value="monitor"),)
    outcome = windows.run(carry(bundles.make(settings=monitor), windows), environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert windows.ask("config", "get", "guestconfiguration.enabled").stdout == b"false\n"


@pytest.mark.parametrize("option", ["-CheckOnly", "-WhatIf"])
@pytest.mark.parametrize("state", ["fresh", "connected"])
def test_looking_changes_nothing(option, state, windows, bundles):
    script = carry(bundles.make(), windows)
    if state == "connected":
        assert windows.run(script, environment=GIVEN).code == 0
    before = windows.tree()
    outcome = windows.run(script, option, environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert windows.tree() == before


def listed(windows) -> None:
    """Windows Installer's list of programs is Wine's own; the script reads the bench's."""
    answer = subprocess.run(
        ["wine", "reg", "query", PROGRAMS, "/s"],
        env=windows.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    keys = re.split(r"^HKEY_LOCAL_MACHINE.*\\", answer.stdout, flags=re.MULTILINE)
    (code,) = {key[:38] for key in keys if "Azure Connected Machine Agent (LAB)" in key}
    registry = json.loads((windows / "registry.json").read_text())
    registry[f"{PROGRAMS}\\{code}"] = {"DisplayName": "Azure Connected Machine Agent (LAB)", "DisplayVersion": NEW}
    (windows / "registry.json").write_text(json.dumps(registry))


def test_uninstalling_leaves_no_agent(windows, bundles):
    script = carry(bundles.make(), windows)
    assert windows.run(script, environment=GIVEN).code == 0
    listed(windows)
    assert windows.run(script).code == 0
    outcome = windows.run(script, "-Uninstall", environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert not windows.agent.exists()
    assert "/x {" in (windows / "msiexec.log").read_text()
    assert receipts(windows)[-1]["outcome"] == "uninstalled"
    nothing_left(windows, outcome)
