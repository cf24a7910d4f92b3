"""Show the whole path on this machine: lab, definition, lock, build, verify, inspect, and a dry run of the script.

Run by ``make demo``. Everything is written below one folder, which can be deleted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = (sys.executable, "-m", "bundler")
KEYS = "lab/authority"
SEALING = ("--seal-key", f"{KEYS}/seal-key.pem", "--seal-certificate", f"{KEYS}/seal-certificate.pem")
TRUSTED = ("--signer", f"{KEYS}/seal-certificate.pem", "--anchors", f"{KEYS}/anchors.json")
START_LIMIT = 60.0  # seconds for the lab to make its keys and packages on a slow machine


def main() -> int:
    """Run the demonstration below the given folder; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("demo"))
    folder = parser.parse_args().folder.resolve()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    environment = {**os.environ, "ARC_BUNDLER_STORE": str(folder / "store")}
    with _lab(folder / "lab"):
        for arguments in (
            ("init", "--lab", "lab", "--target", "windows", "--target", "ubuntu/22.04", "--target", "rhel/9"),
            ("lock",),
            ("plan",),
            ("build", "--locked", *SEALING),
        ):
            _run(arguments, folder, environment)
    bundle = _made(folder, environment)
    _run(("verify", bundle["path"], *TRUSTED), folder, environment)
    _run(("inspect", bundle["path"]), folder, environment)
    _dry_run(folder / bundle["path"])
    print(f"\nEverything is in {folder}:")
    for name, what in (
        ("bundle.yaml", "the definition"),
        ("bundle.lock", "what was pinned"),
        (bundle["path"], "the bundle"),
        ("lab/", "the lab's keys and packages"),
    ):
        print(f"  {name:<52} {what}")
    return 0


@contextmanager
def _lab(folder: Path) -> Iterator[None]:
    print(f"$ arc-bundler lab --dir {folder.name} --port 0 &")
    output = folder.with_name("lab-output.txt")
    with output.open("wb") as file:
        lab = subprocess.Popen([*COMMAND, "lab", "--dir", str(folder), "--port", "0"], stderr=file)
    try:
        _await(folder / "lab.json", lab, output)
        yield
    finally:
        lab.terminate()
        lab.wait(10)


def _await(ready: Path, lab: subprocess.Popen[bytes], output: Path) -> None:
    until = time.monotonic() + START_LIMIT
    while not ready.exists():
        if lab.poll() is not None or time.monotonic() > until:
            sys.exit(f"the lab did not start; its output:\n{output.read_text(errors='replace')}")
        time.sleep(0.1)


def _run(arguments: tuple[str, ...], folder: Path, environment: dict[str, str]) -> None:
    print(f"\n$ arc-bundler {' '.join(arguments)}", flush=True)
    subprocess.run([*COMMAND, *arguments], cwd=folder, env=environment, check=True)


def _made(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """The bundle's directory, from the JSON of a second build, which changes nothing."""
    arguments = ("build", "--locked", *SEALING, "--offline", "--format", "json", "-q")
    done = subprocess.run([*COMMAND, *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE)
    made: list[dict[str, str]] = json.loads(done.stdout)["outputs"]
    return next(one for one in made if one["format"] == "directory")


def _dry_run(bundle: Path) -> None:
    if os.name == "nt":
        print("\ninstall.sh --dry-run is skipped on Windows")
        return
    print("\n$ ./install.sh --dry-run", flush=True)
    done = subprocess.run(["bash", "install.sh", "--dry-run"], cwd=bundle, check=False)
    if done.returncode not in (0, 204):
        sys.exit(f"install.sh --dry-run ended with {done.returncode}")
    if done.returncode == 204:
        print("(204: this machine is not a target of the bundle; the script stops before it changes anything)")


if __name__ == "__main__":
    sys.exit(main())
