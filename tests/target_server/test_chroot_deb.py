"""The bundled install.sh in a real Debian root: real dpkg, real apt, the lab's deb, and no network at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import time

import pytest

from bundler.products.arc_server.script_parameters import Setting
from tests.support.receipts import problems
from tests.support.target_bundle import CORRELATION, GROUP, NAME, NEW, OLD, PRINCIPAL, SUBSCRIPTION, TAGS, TENANT
from tests.support.target_machine import MARK, SECRET, end

pytestmark = [pytest.mark.chroot, pytest.mark.slow]

AGENT = "/opt/azcmagent/bin/azcmagent"
STATE = "var/opt/azcmagent"
RECORDS = "/var/log/arc-bundler"
GIVEN = {"ARC_BUNDLER_SECRET": SECRET}
RESOURCE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.HybridCompute/machines/{NAME}"


def carry(bundle, machine, place="/media/usb"):
    """Copy the bundle to where a person would have mounted it."""
    shutil.copytree(bundle, machine / place)
    return f"{place}/install.sh"


def installed(machine) -> str:
    """The agent's version, by dpkg's word."""
    return machine.run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", "azcmagent").out


def shown(machine) -> dict:
    """What the agent says of itself."""
    return json.loads(machine.run(AGENT, "show", "-j").out)


def receipts(machine) -> list[dict]:
    """All receipts, oldest first; each is what its schema says."""
    found = sorted((machine / RECORDS).glob("receipt-*.json"))
    read = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    assert [problems(one) for one in read] == [[]] * len(read)
    return read


def nothing_left(machine, outcome) -> None:
    """The secret was in no command line and is in no file; no folder of the script's own is left."""
    assert outcome.seen == set()
    assert MARK.decode() not in outcome.out
    assert machine.holding() == []
    for folder in ("run", "var/tmp", "tmp", "root", "dev/shm"):
        assert list((machine / folder).glob("*arc*")) == []
    assert not (machine / "pwned").exists()


def lab_says(machine, **words) -> None:
    """Tell the stand-in agent how its upstream misbehaves."""
    (machine / STATE).mkdir(parents=True, exist_ok=True)
    (machine / STATE / "lab.json").write_text(
        json.dumps({name.replace("_", "-"): word for name, word in words.items()})
    )


def test_fresh_machine_ends_connected(debian, bundles):
    outcome = debian.run(carry(bundles.make(), debian), environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert "LAB" in outcome.out
    assert installed(debian) == f"installed {NEW}"
    said = shown(debian)
    assert said["status"] == "Connected"
    wanted = {
        "resourceName": NAME,
        "resourceGroup": GROUP,
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
        "location": "japaneast",
        "cloud": "AzureCloud",
        "correlationId": CORRELATION,
        "resourceId": RESOURCE,
        "httpsProxy": "http://proxy.example:8080",
        "agentVersion": NEW,
    }
    assert {key: said[key] for key in wanted} == wanted
    kept = json.loads((debian / STATE / "agentconfig.json").read_text(encoding="utf-8"))
    assert {key.removeprefix("tag:"): text for key, text in kept.items() if key.startswith("tag:")} == TAGS
    settings = json.loads((debian / STATE / "localconfig.json").read_text(encoding="utf-8"))
    assert settings["proxy.bypass"] == "Arc,AAD"
    assert settings["incomingconnections.ports"] == "22,6516"
    nothing_left(debian, outcome)


def test_receipt_says_what_was_done(debian, bundles):
    bundle = bundles.make()
    debian.run(carry(bundle, debian), environment=GIVEN)

    (receipt,) = receipts(debian)
    assert receipt["code"] == 0
    program = hashlib.sha256((debian / AGENT).read_bytes()).hexdigest()
    assert receipt["agent"] == {"version": NEW, "sha256": program}
    assert (receipt["resource_id"], receipt["outcome"], receipt["mode"]) == (RESOURCE, "connected", "install")
    assert receipt["bundle"]["lab"] is True
    digest = debian.run("sha256sum", "/media/usb/SHA256SUMS").out.split()[0]
    assert receipt["bundle"]["digest"] == digest
    assert [step["name"] for step in receipt["steps"]][:5] == ["verify", "preflight", "install", "configure", "connect"]


def test_ubuntu_takes_its_own_package(ubuntu, bundles):
    outcome = ubuntu.run(carry(bundles.make(), ubuntu), environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert "ubuntu/22.04" in outcome.out
    assert shown(ubuntu)["status"] == "Connected"


def test_without_apt_dpkg_does_it(debian, bundles):
    (debian / "usr/bin/apt-get").unlink()
    outcome = debian.run(carry(bundles.make(), debian), environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert installed(debian) == f"installed {NEW}"


def test_second_run_changes_nothing(debian, bundles):
    script = carry(bundles.make(), debian)
    assert debian.run(script, environment=GIVEN).code == 0
    before = debian.tree("/proc", RECORDS)

    outcome = debian.run(script)  # no secret is needed any more

    assert outcome.code == 0, outcome.out
    assert debian.tree("/proc", RECORDS) == before
    assert [receipt["code"] for receipt in receipts(debian)][-1] == 0


@pytest.mark.parametrize("way", ["file", "stdin", "variable"])
def test_secret_comes_in_by(way, debian, bundles):
    script = carry(bundles.make(), debian)
    (debian / "root/secret.txt").write_text(SECRET + "\r\n", encoding="utf-8")
    if way != "file":
        (debian / "root/secret.txt").unlink()
    given = {
        "file": {"options": ("--secret-file", "/root/secret.txt")},
        "stdin": {"options": ("--secret-stdin",), "stdin": SECRET.encode()},
        "variable": {"environment": GIVEN},
    }[way]
    outcome = debian.run(script, *given.pop("options", ()), **given)

    assert outcome.code == 0, outcome.out
    (debian / "root/secret.txt").unlink(missing_ok=True)
    nothing_left(debian, outcome)


def test_wrong_secret_is_azcmagents_41(debian, bundles):
    script = carry(bundles.make(), debian)
    outcome = debian.run(script, environment={"ARC_BUNDLER_SECRET": "wrong-" + SECRET})

    assert outcome.code == 41, outcome.out
    assert installed(debian) == f"installed {NEW}"
    assert shown(debian)["status"] == "Disconnected"
    assert receipts(debian)[-1]["code"] == 41
    nothing_left(debian, outcome)
    # The next run goes on from there.
    assert debian.run(script, environment=GIVEN).code == 0
    assert shown(debian)["status"] == "Connected"


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ({"fail": "42"}, 42),
        ({"private": True}, 26),
        ({"unreachable": "gbl.his.arc.azure.com"}, 26),
        ({"fail": "62"}, 62),
    ],
)
def test_azcmagents_own_codes_pass_through(says, code, debian, bundles):
    script = carry(bundles.make(), debian)
    lab_says(debian, **says)
    outcome = debian.run(script, "--connect-tries", "1", environment=GIVEN)

    assert outcome.code == code, outcome.out
    nothing_left(debian, outcome)


@pytest.mark.parametrize("how", ["changed", "cut", "missing", "a link"])
def test_damaged_payload_installs_nothing(how, debian, bundles):
    script = carry(bundles.make(), debian)
    package = next((debian / "media/usb/payload/debian").rglob("*.deb"))
    content = package.read_bytes()
    package.unlink()
    if how == "changed":
        package.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif how == "cut":
        package.write_bytes(content[:-1])
    elif how == "a link":
        (debian / "media/other.deb").write_bytes(content)
        package.symlink_to("/media/other.deb")
    before = debian.tree("/proc", RECORDS, "/var/tmp", "/run")
    outcome = debian.run(script, environment=GIVEN)

    assert outcome.code == 200, outcome.out
    assert debian.tree("/proc", RECORDS, "/var/tmp", "/run").keys() - {RECORDS} == before.keys()
    assert not (debian / AGENT).exists()
    nothing_left(debian, outcome)


def test_damaged_settings_install_nothing(debian, bundles):
    script = carry(bundles.make(), debian)
    path = debian / "media/usb/config/settings.json"
    path.write_bytes(path.read_bytes() + b" ")

    assert debian.run(script, environment=GIVEN).code == 200
    assert not (debian / AGENT).exists()


@pytest.mark.parametrize(
    "name", ['ID=debian\nVERSION_ID="11"\n', "ID=fedora\nVERSION_ID=40\n", "", "ID=debian\nVERSION_ID=1\n"]
)
def test_wrong_machine_is_told(name, debian, bundles):
    script = carry(bundles.make(), debian)
    (debian / "etc/os-release").unlink()
    (debian / "etc/os-release").write_text(name)
    outcome = debian.run(script, environment=GIVEN)

    assert outcome.code == 204, outcome.out
    assert "debian/12" in outcome.out
    assert not (debian / AGENT).exists()


def test_no_secret_and_nobody_to_ask(debian, bundles):
    outcome = debian.run(carry(bundles.make(), debian))

    assert outcome.code == 203, outcome.out
    assert not (debian / AGENT).exists()


def test_nobody_but_root(debian, bundles):
    outcome = debian.run(carry(bundles.make(), debian), environment=GIVEN, user="nobody:nogroup")

    assert outcome.code == 202, outcome.out
    assert not (debian / AGENT).exists()


def test_no_systemd(debian, bundles):
    script = carry(bundles.make(), debian)
    (debian / "run/systemd/system").rmdir()

    assert debian.run(script, environment=GIVEN).code == 202


@pytest.mark.parametrize("option", ["--check", "--dry-run"])
@pytest.mark.parametrize("state", ["fresh", "connected", "old"])
def test_looking_changes_nothing(option, state, debian, bundles):
    script = carry(bundles.make(), debian)
    if state == "connected":
        assert debian.run(script, environment=GIVEN).code == 0
    elif state == "old":
        assert debian.run(carry(bundles.make(OLD), debian, "/media/old"), environment=GIVEN).code == 0
    before = debian.tree("/proc")
    outcome = debian.run(script, option, environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert debian.tree("/proc") == before
    assert outcome.seen == set()


def test_dry_run_needs_no_root(debian, bundles):
    script = carry(bundles.make(), debian)
    outcome = debian.run(script, "--dry-run", environment=GIVEN, user="nobody:nogroup")

    assert outcome.code == 0, outcome.out


def test_older_agent_is_upgraded_and_stays_connected(debian, bundles):
    assert debian.run(carry(bundles.make(OLD), debian, "/media/old"), environment=GIVEN).code == 0
    assert installed(debian) == f"installed {OLD}"
    machine = shown(debian)["vmId"]
    outcome = debian.run(carry(bundles.make(), debian))

    assert outcome.code == 0, outcome.out
    assert installed(debian) == f"installed {NEW}"
    assert shown(debian)["status"] == "Connected"
    assert shown(debian)["vmId"] == machine


def test_newer_agent_is_left(debian, bundles):
    assert debian.run(carry(bundles.make(), debian, "/media/new"), environment=GIVEN).code == 0
    outcome = debian.run(carry(bundles.make(OLD), debian))

    assert outcome.code == 0, outcome.out
    assert installed(debian) == f"installed {NEW}"


def test_monitor_mode(debian, bundles):
    monitor = (Setting(key="config.mode", value="monitor"),)
    outcome = debian.run(carry(bundles.make(settings=monitor), debian), environment=GIVEN)

    assert outcome.code == 0, outcome.out
    settings = json.loads((debian / STATE / "localconfig.json").read_text())
    assert settings["config.mode"] == "monitor"
    assert settings["guestconfiguration.enabled"] == "false"
    # Once more: what is set is not set again.
    assert debian.run("/media/usb/install.sh").code == 0


def test_a_setting_that_the_agent_refuses(debian, bundles):
    refused = (Setting(key="config.mode", value="monitor"), Setting(key="extensions.allowlist", value="A/B"))
    outcome = debian.run(carry(bundles.make(settings=refused), debian), environment=GIVEN)

    assert outcome.code == 27, outcome.out
    assert shown(debian)["status"] == "Disconnected"
    nothing_left(debian, outcome)


def test_connected_elsewhere_is_left(debian, bundles):
    assert debian.run(carry(bundles.make(resource_name="other"), debian, "/media/other"), environment=GIVEN).code == 0
    before = debian.tree("/proc", RECORDS, "/media")
    outcome = debian.run(carry(bundles.make(), debian), environment=GIVEN)

    assert outcome.code == 67, outcome.out
    after = debian.tree("/proc", RECORDS, "/media")
    assert {path for path in after if after[path] != before.get(path)} == set()


def test_certificate_instead_of_a_secret(debian, bundles):
    certified = {"authentication": "service-principal-certificate", "certificate_file": "/root/it's a.pem"}
    script = carry(bundles.make(**certified), debian)
    assert debian.run(script).code == 202
    (debian / "root/it's a.pem").write_text("LAB")

    assert debian.run(script).code == 0
    assert shown(debian)["status"] == "Connected"


@pytest.fixture
def connecting(debian, bundles):
    """A run that stands still while azcmagent reads its parameters, and what it reads."""
    script = carry(bundles.make(), debian)
    assert debian.run(script, environment={"ARC_BUNDLER_SECRET": "wrong"}).code == 41
    slow = '#!/bin/bash\n[[ $1 != connect ]] || { cp "$3" /root/seen; stat -c %a "$3" >/root/mode; sleep 60; }\n'
    real = (debian / AGENT).read_bytes()
    (debian / "opt/real").write_bytes(real)
    (debian / "opt/real").chmod(0o755)
    slow += 'exec /opt/real "$@"\n'
    (debian / AGENT).write_text(slow)
    process = debian.start(script, environment=GIVEN)
    give_up = time.monotonic() + 30
    while not (debian / "root/mode").exists() or not (debian / "root/mode").read_text():
        assert time.monotonic() < give_up
        time.sleep(0.02)
    (debian / AGENT).write_bytes(real)
    given = json.loads((debian / "root/seen").read_text(encoding="utf-8"))
    assert given["service-principal-secret"] == SECRET
    assert given["service-principal-id"] == PRINCIPAL
    assert (debian / "root/mode").read_text() == "600\n"
    (debian / "root/seen").unlink()
    yield process
    if process.poll() is None:
        end(process, signal.SIGKILL)


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_interrupted_while_connecting(which, connecting, debian):
    """The parameters with the secret lie in a file while azcmagent reads them: not a moment longer, even then."""
    code, _ = end(connecting, which)

    assert code == 207
    assert debian.holding() == []
    assert receipts(debian)[-1]["code"] == 207


def test_killed_while_connecting(connecting, debian):
    """Nothing can be cleaned up by who is killed; the next run does it, and goes on."""
    end(connecting, signal.SIGKILL)
    assert debian.holding() != []
    outcome = debian.run("/media/usb/install.sh", environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert shown(debian)["status"] == "Connected"
    nothing_left(debian, outcome)


def test_verify_alone(debian, bundles):
    script = carry(bundles.make(), debian).replace("install.sh", "verify.sh")
    assert debian.run(script).code == 201
    assert debian.run(script, "--insecure-no-seal").code == 0
    package = next((debian / "media/usb/payload/debian").rglob("*.deb"))
    package.write_bytes(package.read_bytes() + b"x")
    assert debian.run(script, "--insecure-no-seal").code == 200
