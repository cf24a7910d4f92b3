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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
PYTHON = sys.executable

_PACK = """
import hashlib, sys
from datetime import datetime, timezone
from pathlib import Path
from bundler.model.manifest import Manifest
from bundler.model.progress import NullProgress
from bundler.model.tree import Blob, Entry
from bundler.pack import manifest, writers
folder, out = map(Path, sys.argv[1:])
time = datetime(2026, 1, 1, tzinfo=timezone.utc)
blobs = [line.split("  ") for line in (folder / "known").read_text().splitlines()]
entries = [Entry(f"payload/{name}", Blob(folder / name, (folder / name).stat().st_size, sha)) for sha, name in blobs]
about = Manifest(name="bench", version="1", product="bench", created=time, tool="bench", targets=(), parameters={},
                 anchors="bench", anchors_sha256="", lock_sha256="", pins=(), files=())
tree = manifest.assemble(about, entries, name="bench-1", time=time)
print(writers.write("zip", tree, out, progress=NullProgress()).sha256)
"""


@dataclass(frozen=True)
class Run:
    """One finished process."""

    seconds: float
    megabytes: float = 0.0
    """Peak of its own (anonymous) memory: pages of files that a library maps are the system's to take back."""


def run(command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Run:
    """Run ``command`` to its end; its output is thrown away. Ends the bench where it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.wait()
    if process.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return Run(time.perf_counter() - began)


def weigh(command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> float:
    """Run ``command`` once more, looking at its memory every 5 ms; the peak in MB (Linux alone has the figure)."""
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    status, peak = Path(f"/proc/{process.pid}/status"), 0.0
    while process.poll() is None:
        for line in status.read_text().splitlines() if status.exists() else ():
            if line.startswith("RssAnon:"):
                peak = max(peak, int(line.split()[1]) / 1024)
        time.sleep(0.005)
    return peak


def compare(title: str, limit: float, ours: Callable[[], float], theirs: Callable[[], float], *, pairs: int) -> bool:
    """Run the two in turn and print the median ratio; True where it keeps the limit. Each gives seconds."""
    ours(), theirs()
    ratios = [ours() / theirs() for _ in range(pairs)]
    ratio = statistics.median(ratios)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{title:<62} {ratio:5.2f}  (limit {limit}; {spread})  {_word(ratio <= limit)}", flush=True)
    return ratio <= limit


def seconds(*command: str) -> Callable[[], float]:
    """How long ``command`` takes, start and all."""
    return lambda: run(command).seconds


def bench_help() -> bool:
    """``--help`` beside the bare import of the library that it is made with."""
    return compare(
        "arc-bundler --help / python -c 'import click'",
        1.5,
        seconds(PYTHON, "-m", "bundler", "--help"),
        seconds(PYTHON, "-c", "import click"),
        pairs=15,
    )


# Verifies the same file whenever its caller asks, and prints the seconds: Python's start is not counted.
_VERIFY = """
import sys, time
from datetime import datetime, timezone
from pathlib import Path
from bundler.trust import anchors, authenticode
trusted, now = anchors.load(Path(sys.argv[2])), datetime.now(timezone.utc)
print("ready", flush=True)
for _ in sys.stdin:
    began = time.perf_counter()
    with open(sys.argv[1], "rb") as file:
        authenticode.verify(file, "msi", anchors=trusted, at=now)
    print(time.perf_counter() - began, flush=True)
"""


def bench_verify_file(folder: Path) -> bool:
    """A 100 MB MSI beside osslsigncode, and memory beside a 10 MB one."""
    small, large = _installer(folder / "small", 10 * MB), _installer(folder / "large", 100 * MB)
    keys = folder / "large" / "authority"
    fast = True
    if shutil.which("osslsigncode"):
        theirs = seconds("osslsigncode", "verify", "-in", str(large), "-CAfile", str(keys / "code-root.crt.pem"),
                         "-TSA-CAfile", str(keys / "time-root.crt.pem"))  # fmt: skip
        with _verifying(large) as verify:
            fast = compare("verify a 100 MB MSI / osslsigncode verify", 1.5, verify, theirs, pairs=9)
        whole = statistics.median(run(_verify_file(large)).seconds / theirs() for _ in range(5))
        print(f"{'  the whole command, with the start of Python':<62} {whole:5.2f}")
    else:
        print("osslsigncode is not here: apt-get install osslsigncode")
    little, much = weigh(_verify_file(small)), weigh(_verify_file(large))
    flat = much <= little * 1.1
    print(f"{'memory for 100 MB / for 10 MB':<62} {much / little:5.2f}  (limit 1.1; {much:.0f} MB)  {_word(flat)}")
    return fast and flat


def _verifying(file: Path) -> AbstractContextManager[Callable[[], float]]:
    return _timed((PYTHON, "-c", _VERIFY, str(file), str(file.parent / "authority" / "anchors.json")))


@contextmanager
def _timed(command: Sequence[str]) -> Iterator[Callable[[], float]]:
    """A process that prints "ready" once, and then for each line of its input the seconds that its work took."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ask, answer = process.stdin, process.stdout
        answer.readline()

        def again() -> float:
            ask.write("again\n")
            ask.flush()
            return float(answer.readline())

        yield again
        ask.close()


def _verify_file(file: Path) -> tuple[str, ...]:
    anchors = file.parent / "authority" / "anchors.json"
    return (PYTHON, "-m", "bundler", "verify-file", "-q", "--anchors", str(anchors), str(file))


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
    with _lab(root, size):
        announced = json.loads((root / "lab.json").read_text())
        made = root / "agent.msi"
        address = f"{announced['windows']}/latest/AzureConnectedMachineAgent.msi"
        run(("curl", "-sSL", "--cacert", str(root / announced["ca"]), "-o", str(made), address))
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
    fast = compare("pack and describe 1 GB / 7zz a -mx0 + sha256sum", 1.3, seconds(*ours), seconds(*theirs), pairs=5)
    memory = weigh(ours)
    print(f"{'memory of packing 1 GB, MB':<62} {memory:5.0f}  (limit 150)  {_word(memory < 150)}")
    return fast and memory < 150


# Makes a bundle of 1 GB as a folder, then seals it and verifies it, seal and hashes, for a caller that holds the watch.
_SEAL = """
import hashlib, os, sys, time
from datetime import datetime, timezone
from pathlib import Path
from bundler.flow import verify
from bundler.model.manifest import Manifest
from bundler.model.progress import NullProgress
from bundler.model.tree import Blob, Entry
from bundler.pack import manifest, writers
from bundler.signing import seal
from bundler.signing import keys
from bundler.trust import verify_seal
source, out, key, certificate = map(Path, sys.argv[1:])
now = datetime.now(timezone.utc).replace(microsecond=0)
sealer = seal.Sealer(keys.read(key, certificate, str, warn=print))
blobs = [(name, hashlib.sha256(name.read_bytes()).hexdigest()) for name in sorted(source.iterdir())]
entries = [Entry(f"payload/{name.name}", Blob(name, name.stat().st_size, sha)) for name, sha in blobs]
about = Manifest(name="bench", version="1", product="bench", created=now, tool="bench", targets=(), parameters={},
                 anchors="bench", anchors_sha256="", lock_sha256="", seal=seal.describe(sealer), pins=(), files=())
tree = manifest.assemble(about, entries, name="bench-1", time=now)
writers.write("directory", tree, out, progress=NullProgress())
trusted = verify_seal.TrustPolicy(frozenset([about.seal.signer.sha256]))
print("ready", flush=True)
for _ in sys.stdin:
    began = time.perf_counter()
    signed = {name: (out / name).read_bytes() for name in ("SHA256SUMS", "manifest.json")}
    for path, signature in seal.seals(signed, sealer).items():
        (out / path).write_bytes(signature)
    verify_seal.verify(verify.hashes(out, password=None), trusted, at=now)
    print(time.perf_counter() - began, flush=True)
"""


def bench_seal(folder: Path) -> bool:
    """Sealing 1 GB and verifying it, seal and hashes, beside ``sha256sum -c`` alone."""
    source, out = folder / "payload", folder / "bench-1"
    source.mkdir()
    for number in range(10):
        (source / f"{number}.bin").write_bytes(os.urandom(100 * MB))
    with _lab(folder / "lab", MB):
        pass
    keys = folder / "lab" / "authority"
    command = (PYTHON, "-c", _SEAL, source, out, keys / "seal-key.pem", keys / "seal-certificate.pem")

    def theirs() -> float:
        return run(("sha256sum", "-c", "--quiet", "SHA256SUMS"), cwd=out).seconds

    with _timed(tuple(map(str, command))) as ours:
        return compare("seal and verify 1 GB / sha256sum -c", 1.2, ours, theirs, pairs=7)


def bench_rebuild(folder: Path) -> bool:
    """A build that finds its own result, of three packages as large as the real ones."""
    environment = {**os.environ, "ARC_BUNDLER_STORE": str(folder / "store")}
    ours = (PYTHON, "-m", "bundler")

    def step(*arguments: str) -> Run:
        return run((*ours, *arguments), cwd=folder, environment=environment)

    with _lab(folder / "lab", 100 * MB):
        step("init", "--lab", "lab", "--output-format", "zip")
        step("lock")
    memory = weigh((*ours, "build"), cwd=folder, environment=environment)
    again = statistics.median(step("build").seconds for _ in range(5))
    print(f"{'rebuild of 300 MB with nothing changed, seconds':<62} {again:5.2f}  (limit 1)  {_word(again < 1)}")
    print(f"{'memory of the build of 300 MB, MB':<62} {memory:5.0f}  (limit 150)  {_word(memory < 150)}")
    return again < 1 and memory < 150


def _bench_scripts(folder: Path) -> bool:
    """The scripts beside those of before the runtime, on either shell."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.support import powershell_hosts
    from tools import bench_scripts

    return bench_scripts.bench(folder, compare, powershell_hosts.find())


def _bench_sevenzip(folder: Path) -> bool:
    """A 7z, with py7zr as the second reader."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools import bench_sevenzip

    return bench_sevenzip.bench(folder)


def _word(good: bool) -> str:
    return "ok" if good else "MISSED"


def main() -> int:
    """Run all, or those named."""
    benches = {
        "help": lambda _: bench_help(),
        "verify-file": bench_verify_file,
        "pack": bench_pack,
        "7z": _bench_sevenzip,
        "seal": bench_seal,
        "rebuild": bench_rebuild,
        "scripts": _bench_scripts,
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
