"""From a definition to a connected server: `arc-bundler build`, then its archive on each kind of server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest
from far_side_machine import MARK, SECRET

from bundler.lab.lab import Lab

pytestmark = [pytest.mark.slow]

GIVEN = {"ARC_BUNDLER_SECRET": SECRET}
NAME = "arc-far-1.0"
DEFINITION = """\
name: arc-far
version: "1.0"
tenant: 11111111-1111-4111-8111-111111111111
subscription: 22222222-2222-4222-8222-222222222222
resource_group: servers
location: japaneast
authentication: {{method: service-principal-secret, service_principal_id: 33333333-3333-4333-8333-333333333333}}
targets:
  - {{os: windows}}
  - {{os: ubuntu, version: "22.04"}}
  - {{os: debian, version: "12"}}
  - {{os: rhel, version: "9"}}
upstream:
  windows: {lab.windows_url}/azcmagent
  linux: {lab.packages_url}
  hosts: ["{lab.host}"]
  ca: lab/authority/ca.pem
  anchors: lab/authority/anchors.json
outputs: [{{format: zip}}, {{format: tar.gz}}]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The folder of the archives, made by the command line as a person would."""
    folder = tmp_path_factory.mktemp("site")
    with Lab(folder / "lab", datetime.now(timezone.utc).replace(microsecond=0)) as lab:
        (folder / "bundle.yaml").write_text(DEFINITION.format(lab=lab))
        done = subprocess.run(
            [sys.executable, "-m", "bundler", "build", "--format", "json"],
            cwd=folder,
            env={**os.environ, "ARC_BUNDLER_STORE": str(folder / "store")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["practice"] == "LAB"
    return folder / "bundles/arc-far/1.0"


def unpacked(machine, built) -> str:
    """Carry the archive over, and unpack and check it with the server's own tools."""
    (archive,) = built.glob("*.tar.gz")
    (machine / "media/bundle.tar.gz").write_bytes(archive.read_bytes())
    assert machine.run("tar", "-xzf", "/media/bundle.tar.gz", "-C", "/opt").code == 0
    checked = machine.run("sh", "-c", f"cd /opt/{NAME} && sha256sum --strict --check SHA256SUMS")
    assert checked.code == 0, checked.out
    return f"/opt/{NAME}/install.sh"


@pytest.mark.chroot
@pytest.mark.parametrize("server", ["debian", "ubuntu", "rhel"])
def test_linux_server_ends_connected(server, built, request):
    machine = request.getfixturevalue(server)
    script = unpacked(machine, built)
    assert machine.run(script, "--check", environment=GIVEN).code == 0
    outcome = machine.run(script, environment=GIVEN)

    assert outcome.code == 0, outcome.out
    said = json.loads(machine.run("/opt/azcmagent/bin/azcmagent", "show", "-j").out)
    assert (said["status"], said["resourceGroup"], said["location"]) == ("Connected", "servers", "japaneast")
    assert outcome.seen == set()
    assert machine.holding() == []
    again = machine.run(script)
    assert again.code == 0, again.out


@pytest.mark.wine
def test_windows_server_ends_connected(windows, built):
    (archive,) = built.glob("*.zip")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(windows.root)
    outcome = windows.run(windows / NAME / "install.ps1", "-SkipNetworkCheck", environment=GIVEN)

    assert outcome.code == 0, outcome.out
    assert windows.shown()["status"] == "Connected"
    assert MARK.decode() not in outcome.out
    assert outcome.seen == set()
    assert windows.holding() == []
