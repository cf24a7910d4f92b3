"""The bundled install.sh with real rpm and dnf, and the lab's rpm.

The root is Debian's userland under RHEL's name: rpm and dnf are the real programs, their database holds nothing else,
so dependencies on other packages cannot be met, and none of RHEL's policies (SELinux, crypto policies, a GPG check of
local packages) is shown.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.lab import agent, rpm
from tests.support.target_bundle import GROUP, NAME, NEW, OLD
from tests.support.target_machine import RHEL7_RELEASE
from tests.target_server.test_chroot_deb import AGENT, GIVEN, RECORDS, carry, nothing_left, receipts, shown

pytestmark = [pytest.mark.chroot, pytest.mark.slow]


def rpm_name(version: str) -> str:
    """As ``rpm -q`` says it."""
    front, _, last = version.rpartition(".")
    return f"azcmagent-{front}-{last}.x86_64"


@pytest.fixture(params=["rpm", "dnf"])
def server(request, rhel):
    """A machine with rpm alone, and one with dnf."""
    if request.param == "rpm":
        (rhel / "usr/bin/dnf").unlink()
    return rhel


def installed(machine) -> str:
    """The agent, by rpm's word."""
    return machine.run("rpm", "-q", "azcmagent").out.strip()


def test_fresh_machine_ends_connected(server, bundles):
    outcome = server.run(carry(bundles.make(), server), environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert installed(server) == rpm_name(NEW)
    assert server.run("rpm", "--verify", "azcmagent").code == 0
    said = shown(server)
    assert (said["status"], said["resourceGroup"], said["resourceName"]) == ("Connected", GROUP, NAME)
    assert receipts(server)[-1]["code"] == 0
    nothing_left(server, outcome)


def test_second_run_changes_nothing(server, bundles):
    script = carry(bundles.make(), server)
    assert server.run(script, environment=GIVEN).code == 0
    before = server.tree("/proc", RECORDS, "/var/lib/rpm")
    outcome = server.run(script)

    assert outcome.code == 0, outcome.out
    assert server.tree("/proc", RECORDS, "/var/lib/rpm") == before


def test_older_agent_is_upgraded_and_stays_connected(server, bundles):
    assert server.run(carry(bundles.make(OLD), server, "/media/old"), environment=GIVEN).code == 0
    assert installed(server) == rpm_name(OLD)
    machine = shown(server)["vmId"]
    outcome = server.run(carry(bundles.make(), server))

    assert outcome.code == 0, outcome.out
    assert installed(server) == rpm_name(NEW)
    assert (server / "usr/bin/azcmagent").is_symlink()
    assert (shown(server)["status"], shown(server)["vmId"]) == ("Connected", machine)


def test_damaged_payload_installs_nothing(rhel, bundles):
    script = carry(bundles.make(), rhel)
    package = next((rhel / "media/usb/payload/rhel").rglob("*.rpm"))
    package.write_bytes(package.read_bytes()[:-1])
    outcome = rhel.run(script, environment=GIVEN)

    assert outcome.code == 200, outcome.out
    assert "not installed" in installed(rhel)
    assert not (rhel / AGENT).exists()
    nothing_left(rhel, outcome)


def test_wrong_secret_is_azcmagents_41(rhel, bundles):
    outcome = rhel.run(carry(bundles.make(), rhel), environment={"ARC_BUNDLER_SECRET": "wrong"})

    assert outcome.code == 41, outcome.out
    assert installed(rhel) == rpm_name(NEW)


def test_an_enterprise_linux_that_has_yum_alone(rhel, bundles):
    (rhel / "usr/bin/dnf").rename(rhel / "usr/bin/yum")
    (rhel / "etc/os-release").write_text(RHEL7_RELEASE)
    script = carry(bundles.make(), rhel)
    outcome = rhel.run(script, environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert installed(rhel) == rpm_name(NEW)
    assert shown(rhel)["status"] == "Connected"
    (log,) = (rhel / RECORDS).glob("*.log")
    assert "+ yum --assumeyes --disablerepo=* localinstall" in log.read_text()
    again = rhel.run(script)
    assert again.code == 0, again.out
    assert "skip" in again.out


@pytest.mark.parametrize("lock", ["var/run/yum.pid", "var/lib/dnf/rpmdb_lock.pid", "var/cache/dnf/metadata_lock.pid"])
def test_somebody_else_runs_dnf(rhel, bundles, lock):
    """dnf and yum wait for each other without end; the script, which knows their files, does not."""
    script = carry(bundles.make(), rhel)
    (rhel / lock).parent.mkdir(parents=True, exist_ok=True)
    hold = ("sh", "-c", f'sleep 60 & printf %s "$!" >/{lock}; exec bash "$@"', "sh", script, "--lock-wait", "2")
    outcome = rhel.run(*hold, environment=GIVEN, timeout=50)

    assert outcome.code == 211, outcome.out
    assert "(sleep) holds the package manager's lock" in outcome.out
    assert not (rhel / AGENT).exists()
    # Whoever left the file is dead.
    assert rhel.run(script, environment=GIVEN).code == 0


def test_a_package_that_rpm_refuses_is_143(rhel, bundles):
    (rhel / "usr/bin/dnf").unlink()
    script = carry(bundles.make(), rhel)
    # Another package has the agent's files, with another content.
    other = replace(agent.linux_package(OLD, "x86_64", bundles.built), name="other")
    (rhel / "root/other.rpm").write_bytes(rpm.build(other, bundles.authority.key).content)
    assert rhel.run("rpm", "--install", "--noscripts", "/root/other.rpm").code == 0
    outcome = rhel.run(script, environment=GIVEN)

    assert outcome.code == 143, outcome.out
    assert "not installed" in installed(rhel)


@pytest.mark.parametrize("tool", ["dnf", "rpm"])
def test_a_policy_about_signers_is_told_before_anything_is_touched(rhel, bundles, tool):
    """What hardened servers have (dnf's localpkg_gpgcheck), and rpm's own word for it."""
    script = carry(bundles.make(), rhel)
    if tool == "dnf":
        with (rhel / "etc/dnf/dnf.conf").open("a") as settings:
            settings.write("localpkg_gpgcheck=1\n")
    else:
        (rhel / "usr/bin/dnf").unlink()
        (rhel / "etc/rpm/macros").write_text("%_dbpath /var/lib/rpm\n%_pkgverify_level all\n")
    refused = rhel.run(script, environment=GIVEN)
    assert refused.code == 202, refused.out
    assert "--import-keys imports the key" in refused.out
    assert "not installed" in installed(rhel)
    outcome = rhel.run(script, "--import-keys", environment=GIVEN)
    assert outcome.code == 0, outcome.out
    # What is there needs no signer any more.
    assert rhel.run(script).code == 0


def test_import_keys_is_the_answer_to_a_policy(rhel, bundles):
    """Where rpm wants to know the signer, it can be told: then it checks the signature itself."""
    (rhel / "usr/bin/dnf").unlink()
    script = carry(bundles.make(), rhel)
    (rhel / "etc/rpm").mkdir(exist_ok=True)
    (rhel / "etc/rpm/macros").write_text("%_pkgverify_level all\n")
    outcome = rhel.run(script, "--import-keys", environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert "gpg-pubkey" in rhel.run("rpm", "-q", "gpg-pubkey").out
    package = next((rhel / "media/usb/payload/rhel").rglob("*.rpm"))
    checked = rhel.run("rpm", "-Kv", "/" + str(package.relative_to(rhel.root)))
    assert checked.code == 0, checked.out
    assert "NOKEY" not in checked.out


@pytest.mark.parametrize("option", ["--check", "--dry-run"])
def test_looking_changes_nothing(option, server, bundles):
    script = carry(bundles.make(), server)
    before = server.tree("/proc")
    outcome = server.run(script, option, environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert server.tree("/proc") == before


def test_receipt_names_the_machine(rhel, bundles):
    rhel.run(carry(bundles.make(), rhel), environment=GIVEN)
    (receipt,) = receipts(rhel)

    assert receipt["host"] == {
        "name": receipt["host"]["name"],
        "os": "rhel",
        "version": "9.4",
        "architecture": "x86_64",
    }
    assert receipt["bundle"]["lab"] is True
