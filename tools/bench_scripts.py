"""Compare the scripts with those of before the runtime: start to the first step's line, and a whole check.

A part of ``make bench`` (``tools/bench.py scripts``). The earlier scripts are rendered from that commit's own files, so
it needs a clone that has it. Both run in turn, on one machine of folders; a ratio of medians says how much slower.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "9a7a786"
"""The last commit in which templates alone made the scripts."""
LIMIT = 1.1
"""How many times as long the scripts may take as those of before."""
FIRST_LINE = b"[1/7]"

_RENDER_BEFORE = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
import sample_bundles
sample_bundles.write(Path(sys.argv[1]), practice="LAB")
"""
_RENDER = """
import sys
from pathlib import Path
from tests.support import powershell_hosts, sample_bundles, windows_bench
sample_bundles.write(Path(sys.argv[1]), lab=True)
windows_bench.make(Path(sys.argv[2]), "")
"""

Compare = Callable[..., bool]


@dataclass(frozen=True)
class Script:
    """One script as it is started, and how long it takes."""

    command: Sequence[str | Path]
    environment: Mapping[str, str]

    def first_line(self) -> float:
        """Seconds to the line of the first step."""
        return self._run()[0]

    def whole(self) -> float:
        """Seconds to the end."""
        return self._run()[1]

    def _run(self) -> tuple[float, float]:
        began, first = time.perf_counter(), 0.0
        process = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout
        output = b""
        for line in process.stdout:
            output += line
            if not first and line.startswith(FIRST_LINE):
                first = time.perf_counter() - began
        process.wait()
        if not first:
            sys.exit(f"no line {FIRST_LINE.decode()} from {self.command}:\n{output.decode(errors='replace')}")
        return first, time.perf_counter() - began


def bench(folder: Path, compare: Compare, powershell: str | None) -> bool:
    """Compare both scripts; ``powershell`` None: only ``install.sh``."""
    _render(folder)
    kept = _bench_one("install.sh --check", compare, *(_bash(folder, which) for which in ("now", "before")))
    if powershell is None:
        print("install.ps1: no PowerShell, not measured")
        return kept
    both = (_powershell(folder, which, powershell) for which in ("now", "before"))
    return _bench_one("install.ps1 -CheckOnly", compare, *both) and kept


def _bench_one(title: str, compare: Compare, ours: Script, theirs: Script) -> bool:
    first = compare(
        f"{title}: to {FIRST_LINE.decode()}, with before", LIMIT, ours.first_line, theirs.first_line, pairs=9
    )
    whole = compare(f"{title}: whole, with before", LIMIT, ours.whole, theirs.whole, pairs=9)
    return first and whole


def _render(folder: Path) -> None:
    """Make ``now`` and ``before``, the same sample bundle, and ``windows``, a Windows made of folders."""
    archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        sys.exit(f"commit {BEFORE} is not in this clone: fetch the whole history (git fetch --unshallow)")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder / "source", filter="data")
    for code, where, *arguments in (
        (_RENDER_BEFORE, folder / "source", folder / "before"),
        (_RENDER, ROOT, folder / "now", folder / "windows"),
    ):
        environment = {**os.environ, "PYTHONPATH": str(where)}
        subprocess.run([sys.executable, "-c", code, *arguments], cwd=where, env=environment, check=True)
    (folder / "secret").write_text("secret\n")


def _bash(folder: Path, which: str) -> Script:
    command = [
        "bash",
        folder / which / "install.sh",
        "--check",
        "--skip-network-check",
        "--secret-file",
        folder / "secret",
    ]
    return Script(command, os.environ)


def _powershell(folder: Path, which: str, program: str) -> Script:
    root = folder / "windows"
    places = {
        "ProgramW6432": root / "Programs",
        "ProgramFiles": root / "Programs",
        "ProgramData": root / "Data",
        "SystemRoot": root / "Windows",
        "BENCH_REGISTRY": root / "registry.json",
        "AZCMAGENT_LAB_ROOT": root / "lab",
    }
    environment = {
        **os.environ,
        **{name: str(path) for name, path in places.items()},
        "PROCESSOR_ARCHITECTURE": "AMD64",
    }
    script = folder / which / "install.ps1"
    command = [program, "-NoProfile", "-NonInteractive", "-Prelude", root / "rights.ps1"]
    command += ["-File", script, "-CheckOnly", "-SecretFile", folder / "secret"]
    return Script(command, environment)
