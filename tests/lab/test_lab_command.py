"""`arc-bundler lab`, as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
import requests

from bundler.errors import UsageError, WriteError
from bundler.lab import announcement


def begin(folder, *more):
    command = [sys.executable, "-m", "bundler", "lab", "--dir", str(folder), "--port", "0", *more]
    flags = subprocess.CREATE_NEW_PROCESS_GROUP if os.name == "nt" else 0
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", creationflags=flags
    )


def announced(folder, process):
    until = time.monotonic() + 60
    while not (folder / announcement.NAME).is_file():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "the lab has not announced itself"
        time.sleep(0.05)
    return announcement.read(folder)


def end(process):
    process.send_signal(signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGINT)
    return process.communicate(timeout=30)


@pytest.fixture
def running(tmp_path):
    process = begin(tmp_path)
    yield tmp_path, process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_serves_until_interrupted_and_lists_its_addresses(running):
    folder, process = running
    told = announced(folder, process)
    answer = requests.get(f"{told.windows}/latest/AzureConnectedMachineAgent.msi", verify=folder / told.ca, timeout=30)
    assert answer.status_code == 200
    assert (folder / told.anchors).is_file()
    out, err = end(process)
    said = out + err
    assert process.returncode in {0, 130}
    assert "Traceback" not in said
    for file in (told.seal_key, told.seal_certificate):
        assert b"-----BEGIN " in (folder / file).read_bytes()
    for word in ("LAB", told.linux, told.ca, told.anchors, told.seal_key, told.seal_certificate.rpartition("/")[2]):
        assert word in said.replace("\\", "/")
    assert not (folder / announcement.NAME).exists()


def test_a_port_that_is_taken_is_an_error_with_a_way_out(running, tmp_path_factory):
    folder, process = running
    told = announced(folder, process)
    port = told.hosts[0].rpartition(":")[2]
    second = begin(tmp_path_factory.mktemp("second"), "--port", port)
    _, err = second.communicate(timeout=60)
    assert second.returncode == UsageError.exit_code
    assert "Traceback" not in err
    assert port in err


def test_a_folder_that_is_a_file_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("in the way")
    process = begin(tmp_path / "file" / "lab")
    _, err = process.communicate(timeout=60)
    assert process.returncode == WriteError.exit_code
    assert "--dir" in err


def test_packages_can_be_as_large_and_slow_as_real_ones(tmp_path):
    process = begin(tmp_path, "--size", "2", "--speed", "2")
    try:
        told = announced(tmp_path, process)
        began = time.monotonic()
        answer = requests.get(
            f"{told.windows}/latest/AzureConnectedMachineAgent.msi", verify=tmp_path / told.ca, timeout=30
        )
        assert len(answer.content) > 2_000_000
        assert time.monotonic() - began > 0.9
    finally:
        _, err = end(process)
    assert "1.68" in err
    assert "1.67" not in err


def test_it_prints_the_next_steps(running):
    folder, process = running
    announced(folder, process)
    _, err = end(process)
    assert f"arc-bundler init --lab {folder}" in err
