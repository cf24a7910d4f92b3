"""`SIGKILL` at any point of a build: nothing broken is under a final name, and the same command completes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.flow import lock_file
from bundler.flow.verify import hashes
from bundler.lab.lab import Lab
from tests.support.lab_project import NOW, definition
from tests.support.thorough import count

POINTS = count(40, 104)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: each point is a process of its own")

# Everything is imported once; each build is a fork of that, so that a hundred of them take seconds.
_FORKER = """
import os, signal, sys, time
import bundler.cli.build, bundler.flow.build.build, bundler.fetch.download, bundler.pack.sevenzip, platformdirs
from bundler.cli.main import main
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1), os.dup2(silence, 2)
        os._exit(main(["build", "--no-progress"]))
    if float(line) >= 0:
        time.sleep(float(line))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print(os.WEXITSTATUS(status) if os.WIFEXITED(status) else "killed", flush=True)
"""


@contextmanager
def forker(folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "ARC_BUNDLER_STORE": str(folder / "store")}
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKER],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def build(process: subprocess.Popen[str], kill_after: float) -> str:
    process.stdin.write(f"{kill_after}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def assert_nothing_wrong_under_a_final_name(folder: Path) -> None:
    for held in (folder / "store" / "objects").rglob("*"):
        if held.is_file():
            assert hashlib.sha256(held.read_bytes()).hexdigest() == held.name
    lock_file.read(folder / "bundle.lock")
    final = folder / "bundles" / "arc-test" / "1.0"
    if final.exists():
        for made in ("arc-test-1.0", "arc-test-1.0.zip", "arc-test-1.0.tar.gz", "arc-test-1.0.7z"):
            hashes(final / made, password=None)


def start_over(folder: Path) -> None:
    for name in ("bundles", "store"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "bundle.lock").unlink(missing_ok=True)


def timed(process, folder: Path) -> float:
    """Seconds that a whole build takes, from nothing."""
    start_over(folder)
    began = time.monotonic()
    assert build(process, -1) == "0"
    return time.monotonic() - began


@pytest.mark.slow
def test_killed_at_any_point_the_same_command_completes(tmp_path, authority):
    shutil.copytree(authority, tmp_path / "lab")
    with Lab(tmp_path / "lab", NOW) as lab, forker(tmp_path) as process:
        (tmp_path / "bundle.yaml").write_text(definition(lab, tmp_path), encoding="utf-8")
        assert build(process, -1) == "0"
        # The shortest of three: on a busy machine one build alone may take twice as long as those that are killed.
        whole = min(timed(process, tmp_path) for _ in range(3))
        killed = 0
        for point in range(POINTS):
            # Some kills hit a fresh start, some the ruins that the last one left.
            if point % 4 == 0 or (tmp_path / "bundles/arc-test/1.0").exists():
                start_over(tmp_path)
            killed += build(process, whole * 1.1 * (point * 37 % POINTS) / POINTS) == "killed"
            assert_nothing_wrong_under_a_final_name(tmp_path)
        assert killed > POINTS // 2
        assert build(process, -1) == "0"
        assert_nothing_wrong_under_a_final_name(tmp_path)
        assert not list((tmp_path / "bundles").rglob("*.partial"))
