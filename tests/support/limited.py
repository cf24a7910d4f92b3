"""Calls a function in a process of its own, with little memory and little time, and measures what it took.

A parser that hostile bytes lead astray would otherwise take the machine's memory and end the tests, not the test.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


# Large blocks go back to the system when they are freed: what imports left behind would hide what a call takes.
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}


@dataclass(frozen=True)
class Outcome:
    """What a call did."""

    error: str
    """The class of the exception; empty where it returned."""
    reason: str
    """Of the exception, if it has one."""
    message: str
    result: str
    """``repr`` of what it returned."""
    peak: int
    """Bytes of memory that the call took at most, beyond what the process had before."""
    seconds: float


def call(function: str, *arguments: str, memory: int, seconds: int = 20) -> Outcome:
    """Call ``function`` (``module:name``), which takes texts, in a limited process.

    Args:
        function: where it is.
        arguments: what it is given, paths for example.
        memory: bytes of address space beyond what the imports took; where it needs more, the error is MemoryError.
        seconds: of processor time; where it needs more, :class:`subprocess.CalledProcessError` is raised.
    """
    command = [sys.executable, "-m", "tests.support.limited", str(memory), str(seconds), function, *arguments]
    told = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | _ALLOCATOR,
        capture_output=True,
        text=True,
        check=False,
        timeout=20 * seconds,
    )
    if told.returncode:
        raise subprocess.CalledProcessError(told.returncode, command, told.stdout, told.stderr)
    return Outcome(**json.loads(told.stdout.splitlines()[-1]))


def _main(memory: str, seconds: str, function: str, *arguments: str) -> None:
    module, _, name = function.partition(":")
    wanted = getattr(importlib.import_module(module), name)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + int(memory)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + int(seconds), used + int(seconds)))
    found = {"error": "", "reason": "", "message": "", "result": ""}
    Path("/proc/self/clear_refs").write_text("5")  # the mark becomes what is held now
    before, start = _peak(), time.monotonic()
    try:
        found["result"] = repr(wanted(*arguments))[:1000]
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the outcome
        found |= {"error": type(error).__name__, "reason": getattr(error, "reason", ""), "message": str(error)[:200]}
    sys.stdout.write(json.dumps(found | {"peak": _peak() - before, "seconds": time.monotonic() - start}) + "\n")


def _peak() -> int:
    """The most memory that this process held since it last cleared the mark (proc(5), "VmHWM").

    ``ru_maxrss`` would not do: a child has its parent's.
    """
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    _main(*sys.argv[1:])
