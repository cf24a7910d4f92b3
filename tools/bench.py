"""Measure the figures that the README states: each a ratio against something run beside it, in turn.

Run by ``make bench``. Absolute times say little on a shared machine; the medians of paired ratios say enough.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
PYTHON = sys.executable

_PACK = """
import hashlib, sys
from datetime import datetime, timezone
from pathlib import Path
from bundler.model.manifest import Manifest
from bundler.model.progress import Silence
from bundler.model.tree import Blob, Entry
from bundler.pack import manifest, writers
folder, out = map(Path, sys.argv[1:])
time = datetime(2026, 1, 1, tzinfo=timezone.utc)
blobs = [line.split("  ") for line in (folder / "known").read_text().splitlines()]
entries = [Entry(f"payload/{name}", Blob(folder / name, (folder / name).stat().st_size, sha)) for sha, name in blobs]
about = Manifest(name="bench", version="1", product="bench", created=time, tool="bench", targets=(), parameters={},
                 anchors="bench", anchors_sha256="", lock_sha256="", pins=(), files=())
tree = manifest.assemble(about, entries, name="bench-1", time=time)
print(writers.write("zip", tree, out, progress=Silence()).sha256)
"""


@dataclass(frozen=True)
class Run:
    """One finished process."""

    seconds: float
    megabytes: float
    """Peak resident memory of the largest process."""


def run(command: Sequence[str], **settings: object) -> Run:
    """Run ``command`` to its end; its output is thrown away. Raises where it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **settings)  # type: ignore[call-overload]
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return Run(time.perf_counter() - began, usage.ru_maxrss / 1024)


def compare(title: str, limit: float, ours: Sequence[str], theirs: Sequence[str], *, pairs: int) -> bool:
    """Run the two in turn and print the median ratio; True where it keeps the limit."""
    run(ours), run(theirs)
    ratios, memory = [], 0.0
    for _ in range(pairs):
        mine, other = run(ours), run(theirs)
        ratios.append(mine.seconds / other.seconds)
        memory = max(memory, mine.megabytes)
    ratio = statistics.median(ratios)
    verdict = "ok" if ratio <= limit else "MISSED"
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{title:<58} {ratio:5.2f}  (limit {limit}; {spread}; {memory:.0f} MB)  {verdict}", flush=True)
    return ratio <= limit


def bench_help() -> bool:
    """``--help`` beside the bare import of the library that it is made with."""
    return compare(
        "arc-bundler --help / python -c 'import click'",
        1.5,
        (PYTHON, "-m", "bundler", "--help"),
        (PYTHON, "-c", "import click"),
        pairs=15,
    )


def bench_authenticate(folder: Path) -> bool:
    """A 100 MB MSI beside osslsigncode, and memory beside a 10 MB one."""
    small, large = _installer(folder / "small", 10 * MB), _installer(folder / "large", 100 * MB)
    anchors = folder / "large" / "authority" / "anchors.json"
    fast = True
    if shutil.which("osslsigncode"):
        roots = folder / "large" / "authority"
        theirs = ("osslsigncode", "verify", "-in", str(large), "-CAfile", str(roots / "code-root.crt.pem"),
                  "-TSA-CAfile", str(roots / "time-root.crt.pem"))  # fmt: skip
        fast = compare(
            "authenticate a 100 MB MSI / osslsigncode verify", 1.5, _authenticate(large, anchors), theirs, pairs=7
        )
    else:
        print("osslsigncode is not here: apt-get install osslsigncode")
    little = run(_authenticate(small, folder / "small" / "authority" / "anchors.json")).megabytes
    much = run(_authenticate(large, anchors)).megabytes
    flat = much <= little * 1.1
    print(f"{'memory for 100 MB / for 10 MB':<58} {much / little:5.2f}  (limit 1.1; {much:.0f} MB)  {_word(flat)}")
    return fast and flat


def _authenticate(file: Path, anchors: Path) -> tuple[str, ...]:
    return (PYTHON, "-m", "bundler", "authenticate", "-q", "--anchors", str(anchors), str(file))


# The lab is a process of its own: it holds its packages in memory, and a child's peak would count its parent's.
_LAB = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from bundler.lab import agent, announcement, lab
root = Path(sys.argv[1])
newest = agent.RELEASES[-1:]
with lab.Lab(root, datetime.now(timezone.utc), releases=newest, stuffing=int(sys.argv[2])) as running:
    announcement.write(root, lab.announce(running, root))
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _lab(root: Path, size: int) -> Iterator[None]:
    command = (PYTHON, "-c", _LAB, str(root), str(size))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        yield
        process.stdin.close()


def _installer(root: Path, size: int) -> Path:
    """A lab's signed MSI of about ``size`` bytes, as it would be downloaded."""
    root.mkdir()
    environment = {**os.environ, "ARC_BUNDLER_STORE": str(root / "store")}
    with _lab(root, size):
        told = json.loads((root / "lab.json").read_text())
        made = root / "agent.msi"
        address = f"{told['windows']}/latest/AzureConnectedMachineAgent.msi"
        run(("curl", "-sSL", "--cacert", str(root / told["ca"]), "-o", str(made), address), env=environment)
    return made


def bench_pack(folder: Path) -> bool:
    """Packing and describing 1 GB beside 7-Zip's store mode and sha256sum of the same files."""
    if not shutil.which("7zz"):
        print("7zz is not here: apt-get install 7zip")
        return True
    source, out = folder / "payload", folder / "out.zip"
    source.mkdir()
    for number in range(10):
        (source / f"{number}.bin").write_bytes(os.urandom(100 * MB))
    known = subprocess.run("sha256sum *.bin", shell=True, cwd=source, check=True, stdout=subprocess.PIPE).stdout  # noqa: S602
    (source / "known").write_bytes(known)
    ours = ("sh", "-c", 'rm -f "$4"; exec "$1" -c "$2" "$3" "$4"', "sh", PYTHON, _PACK, str(source), str(out))
    other = folder / "out.7z"
    theirs = (
        "sh",
        "-c",
        'rm -f "$2"; cd "$1" && 7zz a -mx0 "$2" *.bin && sha256sum *.bin',
        "sh",
        str(source),
        str(other),
    )
    return compare("pack and describe 1 GB / 7zz a -mx0 + sha256sum", 1.3, ours, theirs, pairs=5)


def bench_rebuild(folder: Path) -> bool:
    """A build that finds its own result, of three packages as large as the real ones."""
    environment = {**os.environ, "ARC_BUNDLER_STORE": str(folder / "store")}
    ours = (PYTHON, "-m", "bundler")
    with _lab(folder / "lab", 100 * MB):
        run((*ours, "init", "--lab", "lab", "--output-format", "zip"), cwd=folder, env=environment)
        run((*ours, "lock"), cwd=folder, env=environment)
    first = run((*ours, "build"), cwd=folder, env=environment)
    again = [run((*ours, "build"), cwd=folder, env=environment) for _ in range(5)]
    seconds = statistics.median(one.seconds for one in again)
    memory = max(first.megabytes, *(one.megabytes for one in again))
    good = seconds < 1 and memory < 150
    print(f"{'rebuild of 300 MB with nothing changed, seconds':<58} {seconds:5.2f}  (limit 1)")
    print(f"{'memory of the build and the rebuild, MB':<58} {memory:5.0f}  (limit 150)  {_word(good)}")
    return good


def _word(good: bool) -> str:
    return "ok" if good else "MISSED"


def main() -> int:
    """Run all, or those named."""
    benches = {
        "help": lambda _: bench_help(),
        "authenticate": bench_authenticate,
        "pack": bench_pack,
        "rebuild": bench_rebuild,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[[], *benches], default=[])
    only = parser.parse_args().only or list(benches)
    kept = True
    for name in only:
        with tempfile.TemporaryDirectory(prefix="arc-bundler-bench-") as folder:
            kept &= benches[name](Path(folder))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
