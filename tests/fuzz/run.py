"""Fuzzes every target for a share of the time, and reports executions and edges of each: ``make fuzz``.

1. Each target runs in a process of its own, as many at once as there are processors, from its kept corpus.
2. A fault, the memory limit or the time limit of one input ends the target; its input is kept, with the command that
   repeats it.
3. A target that executed nothing, or covered nothing, is a failure too: a run that tests nothing must not pass.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import CORPUS, TARGETS, Target

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "fuzz-failures"
"""Where failing inputs are kept."""

INPUT_SECONDS = 20
"""Of one input; the slowest takes a hundredth, so that a busy machine makes no failure."""
MEMORY_MB = 1500
"""Of a target's process: a second net below the limit of its address space."""
_GRACE = 90
"""Seconds for imports and the end of a target beyond its share, before it is stopped."""
_IMPORTS = 1.5
"""Seconds of a target's share for its imports."""

_EDGES = re.compile(r"\bcov: (\d+)")
_RUNS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)|^#(\d+)\s", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What fuzzing one target came to."""

    target: str
    executions: int
    edges: int
    seconds: float
    failure: str = ""
    """What went wrong; empty where nothing did."""
    kept: tuple[Path, ...] = ()
    """The inputs that failed."""
    log: str = ""


def python() -> str:
    """The interpreter with atheris: this one. Raises SystemExit, which says why, where it has none."""
    if importlib.util.find_spec("atheris") is None:
        version = ".".join(map(str, sys.version_info[:3]))
        raise SystemExit(
            f"fuzzing needs atheris, which Python {version} at {sys.executable} has not.\n"
            "It has wheels for CPython 3.11 to 3.14 on Linux: run `make fuzz PYTHON=python3.13`."
        )
    return sys.executable


def fuzz(target: Target, seconds: float) -> Outcome:
    """Fuzz one target for about ``seconds``."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arc-bundler-fuzz-") as place:
        grown, found = Path(place, "corpus"), Path(place, "found")
        grown.mkdir()
        found.mkdir()
        log, hung = _run(_command(target, seconds, grown, found), seconds + _GRACE)
        kept = _keep(target, sorted(found.iterdir()))
    edges = max(map(int, _EDGES.findall(log)), default=0)
    executions = max((int(one or other) for one, other in _RUNS.findall(log)), default=0)
    failure = _failure(log, kept, hung=hung, worked=bool(executions and edges))
    return Outcome(target.name, executions, edges, time.monotonic() - start, failure, kept, log)


def _command(target: Target, seconds: float, grown: Path, found: Path) -> list[str]:
    return [
        *(python(), "-m", "tests.fuzz.one", target.name),
        f"-max_total_time={max(1, round(seconds))}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={target.largest}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
        "-close_fd_mask=0",
        str(grown),
        str(CORPUS / target.name),
    ]


def _run(command: Sequence[str], limit: float) -> tuple[str, bool]:
    """The command's output with its last line its exit code, and whether it had to be stopped."""
    # Otherwise Sequoia's errors each carry a stack trace, which takes a hundred times as long as reading.
    environment = os.environ | {"RUST_BACKTRACE": "0", "RUST_LIB_BACKTRACE": "0"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        try:
            told, _ = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            child.kill()
            told, _ = child.communicate()
            return told, True
    return f"{told}\nexit code {child.returncode}", False


def _failure(log: str, kept: Sequence[Path], *, hung: bool, worked: bool) -> str:
    if hung:
        return "did not end"
    if kept:
        return _reason(log)
    if not log.endswith("exit code 0"):
        return f"ended with {log.rpartition('exit code')[2].strip()}, and kept no input"
    return "" if worked else "executed nothing, or covered nothing"


def _reason(log: str) -> str:
    """The line that names the fault, the memory limit or the time limit."""
    for mark in ("Fault: ", "ERROR: libFuzzer: "):
        found = re.findall(rf"{mark}(.*)", log)
        if found:
            return found[-1][:300]
    return "ended early"


def _keep(target: Target, found: Sequence[Path]) -> tuple[Path, ...]:
    """Copy failing inputs to where they survive; slow ones are no failure."""
    kept = []
    for path in found:
        if path.name.startswith("slow-unit"):
            continue
        place = KEPT / target.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        kept.append(place)
    return tuple(kept)


def report(outcome: Outcome) -> str:
    """One line for a target, and the commands that repeat its failures."""
    state = f"FAILED: {outcome.failure}" if outcome.failure else "ok"
    line = (
        f"{outcome.target:<24}{outcome.executions:>10} executions {outcome.edges:>6} edges "
        f"{outcome.seconds:>6.1f} s  {state}"
    )
    repeats = [f"  to repeat: make fuzz FUZZ_TARGET={outcome.target} FUZZ_INPUT={path}" for path in outcome.kept]
    tail = outcome.log.splitlines()[-30:] if outcome.failure else []
    return "\n".join((line, *repeats, *(f"  | {text}" for text in tail)))


def _repeat(target: str, place: Path) -> int:
    command = [sys.executable, "-m", "tests.fuzz.one", target, "--input", str(place.resolve())]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; 1 where a target failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120, help="for all targets together")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="this one; repeatable")
    parser.add_argument("--input", type=Path, help="give this input to the target again, and fuzz nothing")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at once")
    chosen = parser.parse_args(arguments)
    if chosen.input:
        return _repeat(chosen.target[0], chosen.input)
    python()
    targets = [TARGETS[name] for name in chosen.target or TARGETS]
    workers = min(chosen.workers, len(targets))
    share = max(1.0, chosen.seconds * workers / len(targets) - _IMPORTS)
    sys.stdout.write(f"{len(targets)} targets, {share:.1f} s each, {workers} at once\n")
    with ThreadPoolExecutor(workers) as pool:
        outcomes = []
        for outcome in pool.map(lambda target: fuzz(target, share), targets):
            outcomes.append(outcome)
            sys.stdout.write(report(outcome) + "\n")
            sys.stdout.flush()
    failed = [outcome.target for outcome in outcomes if outcome.failure]
    total = sum(outcome.executions for outcome in outcomes)
    sys.stdout.write(f"{total} executions; failed: {', '.join(failed) or 'none'}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
