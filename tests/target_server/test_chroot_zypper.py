"""The bundled install.sh with real zypper, and the lab's rpm.

The root is Debian's userland under SLES' name: zypper, libzypp and rpm are the real programs, their database holds
nothing else, no product is installed and no repository is there. Debian's rpm puts its database where its own macro
says; SLES 15's is in /usr/lib/sysimage/rpm.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.support.target_bundle import NEW, OLD
from tests.target_server.test_chroot_deb import GIVEN, RECORDS, carry, nothing_left, receipts, shown
from tests.target_server.test_chroot_rpm import installed, rpm_name

pytestmark = [pytest.mark.chroot, pytest.mark.slow]


def log(machine) -> str:
    """What the newest run wrote."""
    return max((machine / RECORDS).glob("*.log"), key=lambda path: path.stat().st_mtime_ns).read_text()


def test_fresh_machine_ends_connected_and_a_second_run_is_quiet(sles, bundles):
    script = carry(bundles.make(), sles)
    outcome = sles.run(script, "--import-keys", environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert "SUSE Linux Enterprise Server 15 SP5 (sles 15.5" in outcome.out
    assert "+ zypper --non-interactive --no-refresh --no-remote install" in log(sles)
    assert installed(sles) == rpm_name(NEW)
    assert shown(sles)["status"] == "Connected"
    assert receipts(sles)[-1]["switches"] == ["--import-keys"]
    nothing_left(sles, outcome)

    before = sles.tree("/proc", RECORDS, "/var/lib/rpm")
    again = sles.run(script)
    assert again.code == 0, again.out
    assert sles.tree("/proc", RECORDS, "/var/lib/rpm") == before


def test_a_signer_that_rpm_does_not_know_is_told_before_anything_is_touched(sles, bundles):
    """zypper would refuse it in the middle, whatever its configuration says; a key that is known is enough."""
    script = carry(bundles.make(), sles)
    refused = sles.run(script, environment=GIVEN)

    assert refused.code == 202, refused.out
    assert "zypper installs only packages with a key that rpm knows; --import-keys" in refused.out
    assert "not installed" in installed(sles)
    for key in (sles / "media/usb/payload/keys").iterdir():  # the upstream signs with one, or with the other
        assert sles.run("rpm", "--import", f"/media/usb/payload/keys/{key.name}").code == 0
    outcome = sles.run(script, environment=GIVEN)
    assert outcome.code == 0, outcome.out


def test_up_down_and_away_again(sles, bundles):
    """Upgraded in place, put back on request, uninstalled: each by the real programs."""
    old, new = carry(bundles.make(OLD), sles, "/media/old"), carry(bundles.make(), sles)
    assert sles.run(old, "--import-keys", environment=GIVEN).code == 0
    machine = shown(sles)["vmId"]
    outcome = sles.run(new)
    assert outcome.code == 0, outcome.out
    assert installed(sles) == rpm_name(NEW)
    outcome = sles.run(old, "--allow-downgrade")
    assert outcome.code == 0, outcome.out
    assert "--oldpackage" in log(sles)
    assert installed(sles) == rpm_name(OLD)
    assert (shown(sles)["status"], shown(sles)["vmId"]) == ("Connected", machine)
    outcome = sles.run(new, "--uninstall", environment=GIVEN)
    assert outcome.code == 0, outcome.out
    assert "not installed" in installed(sles)


def test_somebody_else_runs_zypper(sles, bundles):
    """libzypp's lock is a file with the number of the process that has it."""
    script = carry(bundles.make(), sles)
    (sles / "run/zypp.pid").write_text("1\n")
    outcome = sles.run(script, "--check", "--import-keys", environment=GIVEN)
    assert outcome.code == 211, outcome.out
    assert "process 1 (" in outcome.out
    # One that has ended holds nothing.
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    (sles / "run/zypp.pid").write_text(f"{ended.pid}\n")
    assert sles.run(script, "--check", "--import-keys", environment=GIVEN).code == 0


def test_what_says_that_a_restart_is_due_says_so_to_zypper_too(sles, bundles):
    """The file is libzypp's: its own question after a restart is answered by it."""
    assert sles.run("zypper", "needs-rebooting").code == 0
    (sles / "run/reboot-needed").touch()
    assert sles.run("zypper", "needs-rebooting").code == 102
    outcome = sles.run(carry(bundles.make(), sles), "--check", "--import-keys", environment=GIVEN)
    assert outcome.code == 0, outcome.out
    assert "a restart of this machine is pending (/run/reboot-needed)" in outcome.out
