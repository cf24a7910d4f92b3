"""From a definition to a connected server: a sealed, approved bundle, then its archive on each kind of server.

The Debian servers have no Python.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bundler.lab.lab import Lab
from tests.support.target_machine import MARK, SECRET, Sampler

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
approval:
  required: 1
  approvers:
    - {{name: First reviewer, certificate: lab/authority/approver-1-certificate.pem}}
    - {{name: Second reviewer, certificate: lab/authority/approver-2-certificate.pem}}
"""


KEYS = "lab/authority"
SEALED = ("--seal-key", f"{KEYS}/seal-key.pem", "--seal-certificate", f"{KEYS}/seal-certificate.pem")
APPROVED = ("--seal-key", f"{KEYS}/approver-2-key.pem", "--seal-certificate", f"{KEYS}/approver-2-certificate.pem")
SIGNER = ("--signer", f"{KEYS}/seal-certificate.pem")


def command(folder: Path, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "bundler", *arguments, "--format", "json"],
        cwd=folder,
        env={**os.environ, "ARC_BUNDLER_STORE": str(folder / "store")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The folder of the archives, made and approved by the command line as people would."""
    folder = tmp_path_factory.mktemp("site")
    with Lab(folder / "lab", datetime.now(timezone.utc).replace(microsecond=0)) as lab:
        (folder / "bundle.yaml").write_text(DEFINITION.format(lab=lab))
        made = command(folder, "build", *SEALED)
    assert made["lab"] is True
    for one in made["outputs"]:
        command(folder, "approve", one["path"], "--digest", one["digest"], *SIGNER, *APPROVED)
        found = command(folder, "verify", one["path"], *SIGNER, "--anchors", f"{KEYS}/anchors.json")
        assert [approver["name"] for approver in found["approved_by"]] == ["Second reviewer"]
    (folder / "bundles/arc-far/fingerprint").write_text(made["sealed_by"]["sha256"])
    return folder / "bundles/arc-far/1.0"


def fingerprint(built: Path) -> str:
    """The sealer's, as it would come by telephone."""
    return (built.parent / "fingerprint").read_text()


def unpacked(machine, built) -> str:
    """Carry the archive over, and unpack and check it with the server's own tools."""
    (archive,) = built.glob("*.tar.gz")
    (machine / "media/bundle.tar.gz").write_bytes(archive.read_bytes())
    assert machine.run("tar", "-xzf", "/media/bundle.tar.gz", "-C", "/opt").code == 0
    checked = machine.run("sh", "-c", f"cd /opt/{NAME} && sha256sum --strict --check SHA256SUMS")
    assert checked.code == 0, checked.out
    return f"/opt/{NAME}/install.sh"


# What somebody on the way might do, and the code that both scripts end with.
CHANGES = {
    "echo >> config/settings.json": 200,
    "touch extra": 200,
    "rm START-HERE.txt": 200,
    "echo >> manifest.json; sed -i '/ manifest.json$/d' SHA256SUMS; sha256sum manifest.json >> SHA256SUMS; "
    "LC_ALL=C sort -k2 -o SHA256SUMS SHA256SUMS": 201,
    "rm SHA256SUMS.p7s": 201,
    "rm -r approvals": 201,
    "cp manifest.json.p7s SHA256SUMS.p7s": 201,
}


@pytest.mark.chroot
@pytest.mark.parametrize("server", ["debian", "ubuntu", "rhel"])
def test_linux_server_ends_connected(server, built, request):
    machine = request.getfixturevalue(server)
    script = unpacked(machine, built)
    folder = str(Path(script).parent)
    verify = (f"{folder}/verify.sh", "--signer", fingerprint(built))
    if server != "rhel":  # Debian's dnf is written in it
        assert machine.run("sh", "-c", "command -v python3 || command -v python").code != 0
    checked = machine.run(*verify)
    assert checked.code == 0, checked.out
    assert "Approved by:  Second reviewer" in checked.out
    for change, code in CHANGES.items():
        machine.run("cp", "-a", folder, f"{folder}.kept")
        assert machine.run("sh", "-c", f"cd {folder} && {change}").code == 0
        assert machine.run(*verify).code == code, change
        assert machine.run(script, "--check", environment=GIVEN).code == code, change
        machine.run("sh", "-c", f"rm -rf {folder} && mv {folder}.kept {folder}")
    assert machine.run(script, "--check", environment=GIVEN).code == 0
    outcome = machine.run(script, environment=GIVEN)

    assert outcome.code == 0, outcome.out
    said = json.loads(machine.run("/opt/azcmagent/bin/azcmagent", "show", "-j").out)
    assert (said["status"], said["resourceGroup"], said["location"]) == ("Connected", "servers", "japaneast")
    assert outcome.seen == set()
    assert machine.holding() == []
    again = machine.run(script)
    assert again.code == 0, again.out


@pytest.mark.chroot
def test_the_secret_comes_in_an_envelope(debian, built):
    """Made by the command line, opened by what Debian has; the words came by another way."""
    site, envelope = built.parents[2], f"{built.parent.name}.envelope"
    (site / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    given = ("--secret-file", "secret", "--with-passphrase", "--passphrase-out", "words")
    made = command(site, "seal-secret", *given, *SEALED)
    assert (made["envelope"], made["bundle"], made["kind"]) == (envelope, "arc-far", "secret")
    words = (site / "words").read_text().encode()
    script = unpacked(debian, built)
    for name in (envelope, f"{envelope}.p12"):
        (debian / "media" / name).write_bytes((site / name).read_bytes())
    opened = (script, "--envelope", f"/media/{envelope}", "--passphrase-stdin")
    wrong = debian.run(*opened, stdin=b"abandon " * 8 + b"\n")
    assert wrong.code == 203, wrong.out
    assert f"the passphrase does not open /media/{envelope}.p12" in wrong.out
    assert not (debian / "opt/azcmagent").exists()
    with Sampler(words.strip()) as sampler:
        outcome = debian.run(*opened, "--destroy-envelope", stdin=words)

    assert outcome.code == 0, outcome.out
    assert json.loads(debian.run("/opt/azcmagent/bin/azcmagent", "show", "-j").out)["status"] == "Connected"
    assert outcome.seen | sampler.seen == set()
    assert MARK.decode() not in outcome.out
    assert words.decode().strip() not in outcome.out
    assert debian.holding() + debian.holding(words.strip()) == []
    assert list((debian / "media").glob("*envelope*")) == []


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
