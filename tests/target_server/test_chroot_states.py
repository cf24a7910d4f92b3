"""install.sh on what it finds, with the real package managers: downgrades, leftovers, locks, mounts, uninstalling."""

from __future__ import annotations

import pytest

from bundler.model.network_requirement import HostRecord
from tests.support.receipts import problems
from tests.support.target_bundle import NEW, OLD
from tests.target_server.test_chroot_deb import AGENT, GIVEN, STATE, carry, installed, nothing_left, receipts, shown

pytestmark = [pytest.mark.chroot, pytest.mark.slow]

RECORDS = (HostRecord(host="gbl.his.arc.azure.com", address="10.0.0.4"),)


def rpm_installed(machine) -> str:
    return machine.run("rpm", "-q", "--qf", "%{VERSION}.%{RELEASE}", "azcmagent").out


@pytest.mark.parametrize("tool", ["apt-get", "dpkg"])
def test_a_newer_deb_is_replaced_where_that_is_allowed(tool, debian, bundles):
    if tool == "dpkg":
        (debian / "usr/bin/apt-get").unlink()
    assert debian.run(carry(bundles.make(NEW), debian, "/media/new"), environment=GIVEN).code == 0
    (debian / STATE / "agentconfig.json").chmod(0o400)
    outcome = debian.run(carry(bundles.make(OLD), debian), "--allow-downgrade")
    assert outcome.code == 0, outcome.out
    assert installed(debian) == f"installed {OLD}"
    assert shown(debian)["status"] == "Connected"
    assert [problems(receipt) for receipt in receipts(debian)] == [[], []]


@pytest.mark.parametrize("tool", ["dnf", "rpm"])
def test_a_newer_rpm_is_replaced_where_that_is_allowed(tool, rhel, bundles):
    if tool == "rpm":
        (rhel / "usr/bin/dnf").unlink()
    assert rhel.run(carry(bundles.make(NEW), rhel, "/media/new"), environment=GIVEN).code == 0
    outcome = rhel.run(carry(bundles.make(OLD), rhel), "--allow-downgrade")
    assert outcome.code == 0, outcome.out
    assert rpm_installed(rhel) == OLD
    assert shown(rhel)["status"] == "Connected"


@pytest.mark.parametrize("tool", ["dnf", "rpm"])
def test_a_lost_program_is_put_back(tool, rhel, bundles):
    if tool == "rpm":
        (rhel / "usr/bin/dnf").unlink()
    script = carry(bundles.make(), rhel)
    assert rhel.run(script, environment=GIVEN).code == 0
    (rhel / AGENT).unlink()
    outcome = rhel.run(script, environment=GIVEN)
    assert outcome.code == 0, outcome.out
    assert shown(rhel)["status"] == "Connected"


def test_a_leftover_of_an_rpm_upgrade_is_dropped(rhel, bundles):
    """Killed between the new package's files and the old one's entry, rpm has both."""
    script = carry(bundles.make(), rhel)
    assert rhel.run(carry(bundles.make(OLD), rhel, "/media/old"), environment=GIVEN).code == 0
    package = next((rhel / "media/usb/payload/rhel").rglob("*.rpm"))
    path = "/" + str(package.relative_to(rhel.root))
    both = rhel.run("rpm", "--install", "--force", "--nodeps", path)
    assert both.code == 0, both.out
    assert rpm_installed(rhel) in {OLD + NEW, NEW + OLD}
    outcome = rhel.run(script)
    assert outcome.code == 0, outcome.out
    assert rpm_installed(rhel) == NEW


@pytest.mark.parametrize("status", ["half-configured", "unpacked"])
def test_what_dpkg_left_half_done_is_ended(status, debian, bundles):
    script = carry(bundles.make(), debian)
    assert debian.run(script, environment=GIVEN).code == 0
    database = debian / "var/lib/dpkg/status"
    before, mark, after = database.read_text().partition("Package: azcmagent\n")
    database.write_text(before + mark + after.replace("ok installed", f"ok {status}", 1))
    assert installed(debian).startswith(status)
    outcome = debian.run(script)
    assert outcome.code == 0, outcome.out
    assert "dpkg --configure azcmagent" in outcome.out
    assert installed(debian) == f"installed {NEW}"


@pytest.mark.parametrize("server", ["debian", "rhel"])
def test_uninstalling_leaves_nothing_of_ours(server, bundles, request):
    machine = request.getfixturevalue(server)
    hosts = (machine / "etc/hosts").read_text() if (machine / "etc/hosts").exists() else ""
    script = carry(bundles.make(hosts_records=RECORDS), machine)
    assert machine.run(script, "--write-hosts", environment=GIVEN).code == 0
    assert "10.0.0.4" in (machine / "etc/hosts").read_text()
    outcome = machine.run(script, "--uninstall", environment=GIVEN)
    assert outcome.code == 0, outcome.out
    assert not (machine / AGENT).exists()
    assert not (machine / STATE / "agentconfig.json").exists()
    assert (machine / "etc/hosts").read_text().strip() == hosts.strip()
    assert not (machine / "var/lib/arc-bundler").exists()
    assert receipts(machine)[-1]["outcome"] == "uninstalled"
    nothing_left(machine, outcome)
    assert machine.run(script, environment=GIVEN).code == 0


def held(script: str, *options: str) -> tuple[str, ...]:
    """Run the script while another process has dpkg's lock, for half a minute."""
    hold = "flock /var/lib/dpkg/lock-frontend sleep 30 & sleep 0.5; "
    return ("sh", "-c", f'{hold} exec bash "$@"', "sh", script, *options)


def test_a_held_lock_is_waited_for_and_its_holder_named(debian, bundles):
    script = carry(bundles.make(), debian)
    outcome = debian.run(*held(script, "--lock-wait", "2"), environment=GIVEN)
    assert outcome.code == 211, outcome.out
    assert "(flock) holds the package manager's lock" in outcome.out or "(sleep) holds" in outcome.out
    assert "waiting up to 2 s" in outcome.out
    assert not (debian / AGENT).exists()
    assert debian.run(*held(script, "--check"), environment=GIVEN).code == 211
    assert debian.run(script, environment=GIVEN).code == 0


@pytest.mark.parametrize("place", ["/opt", "/var/opt", "/var/lib/waagent"])
def test_a_noexec_mount_is_named(place, debian, bundles):
    script = carry(bundles.make(), debian)
    mount = f'mkdir -p {place} && mount -t tmpfs -o noexec none {place} && exec bash "$@"'
    outcome = debian.run("sh", "-c", mount, "sh", script, "--check", environment=GIVEN)
    assert outcome.code == 202, outcome.out
    assert f"{place} is mounted noexec" in outcome.out


def test_room_is_looked_for_where_it_will_be_used(debian, bundles):
    script = carry(bundles.make(), debian)
    full = 'mount -t tmpfs -o size=64k none /var/opt && exec bash "$@"'
    outcome = debian.run("sh", "-c", full, "sh", script, "--check", environment=GIVEN)
    assert outcome.code == 202, outcome.out
    assert "/var/opt has 0 MiB free and needs" in outcome.out
