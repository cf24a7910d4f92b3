"""Ctrl-C while `lock` looks for packages: it ends at once, even with a silent upstream."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from bundler.lab import behaviour as bad
from tests.support.lab_project import Project

SILENCE = 60.0
"""Seconds that the client would wait for: far more than the test does."""


def begun(project: Project, path: str) -> bool:
    return any(path in request.path for request in project.lab.requests)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT for one process alone")
@pytest.mark.parametrize("path", ["InRelease", ".msi"], ids=["while looking", "while fetching"])
def test_an_interruption_ends_it_though_upstream_is_silent(project: Project, path: str) -> None:
    project.lab.misbehave(f"*{path}", bad.Stalled())
    command = [sys.executable, "-m", "bundler", "lock", "--timeout", str(SILENCE)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=project.folder)
    try:
        until = time.monotonic() + 30
        while not begun(project, path):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=SILENCE / 3)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "interrupted" in told
    assert not project.lock.exists()


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("path", ["InRelease", ".msi"], ids=["while looking", "while fetching"])
def test_a_killed_or_failed_upgrade_leaves_the_lock_whole(project: Project, path: str) -> None:
    assert project.run("lock").code == 0
    before = project.lock.read_bytes()
    asked = len(project.lab.requests)
    project.lab.publish("1.69.03560.1450")
    project.lab.misbehave(f"*{path}", bad.Stalled())
    command = [sys.executable, "-m", "bundler", "lock", "--upgrade", "--timeout", str(SILENCE)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=project.folder)
    try:
        until = time.monotonic() + 60
        while not any(path in request.path for request in project.lab.requests[asked:]):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert project.lock.read_bytes() == before
    project.lab.behave()
    project.lab.misbehave(f"*{path}", bad.Status(403))
    assert project.run("lock", "--upgrade").code == 5
    assert project.lock.read_bytes() == before
    assert project.run("build", "--locked", "--offline").code == 0
    project.lab.behave()
    assert project.run("lock", "--upgrade").code == 0
    assert project.lock.read_bytes() != before


def test_one_refused_repository_ends_the_search_in_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARC_BUNDLER_TIMEOUT", str(SILENCE))
    project.lab.misbehave("*InRelease", bad.Stalled())
    project.lab.misbehave("*repomd.xml", bad.Instead(b"not what was signed"))
    began = time.monotonic()
    ran = project.run("lock")
    assert ran.code == 6
    assert time.monotonic() - began < SILENCE / 3
