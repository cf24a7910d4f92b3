"""Many hosts, some of one name, write log and receipt to one folder at once, while some of them are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
import uuid

import pytest

from tests.support import small_root, windows_bench
from tests.support.machine_digits import digits
from tests.support.receipts import problems
from tests.support.small_root import put
from tests.support.thorough import THOROUGH

HOSTS = 12 if THOROUGH else 5
GUID = "HKLM\\SOFTWARE\\Microsoft\\Cryptography"


def machine_id(at: int) -> str:
    return uuid.UUID(int=at + 1, version=4).hex


@pytest.fixture
def hosts(tmp_path, bash):
    """Servers with a machine id each, and one host name."""
    small_root.need()
    (tmp_path / "shared").mkdir()
    made = []
    for at in range(HOSTS):
        root = small_root.with_lab_bundle(tmp_path / f"root-{at}", bash)
        put(root / "etc/machine-id", machine_id(at) + "\n", 0o644)
        (root / "shared").mkdir()
        made.append(root)
    return made


def start(root, shared):
    """In a mount namespace of its own, where /shared is the folder of all."""
    inside = 'mount --bind "$1" "$2/shared" && exec chroot "$2" /bin/bash /bundle/install.sh "${@:3}"'
    arguments = [shared, root.root, "--secret-file", "/root/secret", "--record-dir", "/shared"]
    return subprocess.Popen(
        ["unshare", "--mount", "--net", "bash", "-c", inside, "bash", *arguments],
        env={"PATH": "/bin:/usr/bin:/sbin:/usr/sbin", "HOSTNAME": "same.example"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def read(shared, key: str) -> list[dict]:
    found = [json.loads(path.read_bytes()) for path in shared.glob(f"receipt-*-{digits(key)}-*.json")]
    assert [problems(one) for one in found] == [[]] * len(found)
    assert {one["machine"] for one in found} == {digits(key)}
    return found


def kill(process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


def test_linux_hosts_of_one_name_keep_their_own(hosts, tmp_path):
    shared, chance = tmp_path / "shared", random.Random(13)
    began = time.monotonic()
    running = [start(root, shared) for root in hosts]
    killed = set(range(0, HOSTS, 2))
    for at in killed:
        time.sleep(chance.random() * 0.8)
        kill(running[at])
    took = [process.communicate(timeout=120)[0].decode() for at, process in enumerate(running) if at not in killed]
    assert [process.returncode for at, process in enumerate(running) if at not in killed] == [0] * len(took), took
    assert time.monotonic() - began < 120
    # Whoever was killed comes again, beside the others, and removes what is its own.
    again = [start(root, shared) for root in hosts]
    said = [process.communicate(timeout=120)[0].decode() for process in again]
    assert [process.returncode for process in again] == [0] * HOSTS, said
    for at in range(HOSTS):
        outcomes = sorted(one["outcome"] for one in read(shared, machine_id(at)))
        assert outcomes.count("connected") == (1 if at in killed else 2)
        assert set(outcomes) <= {"connected", "interrupted"}
        assert "interrupted" not in outcomes or at in killed
    assert [path.name for path in shared.iterdir() if path.name.startswith(".")] == []
    logs = [path.name for path in shared.glob("install-*.log")]
    assert len(logs) >= HOSTS * 2 - len(killed)
    assert all(any(digits(machine_id(at)) in name for at in range(HOSTS)) for name in logs)


def test_windows_hosts_of_one_name_keep_their_own(tmp_path, powershell):
    shared = tmp_path / "shared"
    shared.mkdir()
    count = 4 if THOROUGH else 2
    guids = [str(uuid.UUID(int=at + 1, version=4)) for at in range(count)]
    servers = [windows_bench.make(tmp_path / f"server-{at}", powershell) for at in range(count)]
    for server, guid in zip(servers, guids, strict=True):
        server.registry(**{GUID: {"MachineGuid": guid.upper()}})
    own = f"receipt-{os.uname().nodename.partition('.')[0]}-{digits(guids[0])}-20261130T000000Z.json.{'a' * 32}.part"
    foreign = own.replace(digits(guids[0]), digits("another"))
    for name in (own, foreign):
        (shared / name).write_text("half")
    records = ("-RecordDirectory", str(shared))
    running = [server.start(*records, *server.secret()) for server in servers]
    doomed = servers[1].start(*records, "-Uninstall", "-ForceLocalOnly")
    kill(doomed)
    said = [process.communicate(timeout=120)[0].decode() for process in running]
    assert [process.returncode for process in running] == [0] * count, said
    for guid in guids:
        assert "connected" in {one["outcome"] for one in read(shared, guid)}
    assert not (shared / own).exists()
    assert (shared / foreign).exists()
    assert [path.name for path in shared.glob("*.part")] == [foreign]
