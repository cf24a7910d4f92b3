"""Shows that fuzzing finds what it is for: with a loop's bound taken out, its target, run alone, fails.

For each bound a copy of the program is made without it, and the target runs in that copy for two minutes at most.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


@dataclass(frozen=True)
class Bound:
    """One line that ends a loop."""

    name: str
    target: str
    file: str
    line: str
    without: str


BOUNDS = (
    Bound(
        "a DIFAT sector is claimed before it is read",
        "compound_file",
        "bundler/formats/compound_file.py",
        "            claims.claim(at, 1)\n            difat.append(at)\n",
        "            difat.append(at)\n",
    ),
    Bound(
        "a chain's sectors are claimed before they are followed",
        "compound_file",
        "bundler/formats/compound_sectors.py",
        "            self._claims.claim(at, count)\n",
        "",
    ),
    Bound(
        "a directory entry is taken once",
        "compound_file",
        "bundler/formats/compound_directory.py",
        "        self._left.discard(index)\n",
        "",
    ),
)


def copy(bound: Bound, place: Path) -> None:
    """Copy the program to ``place``, without ``bound``. Raises ValueError where the line is not there once."""
    shutil.copytree(ROOT / "bundler", place / "bundler", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests/fuzz", place / "tests/fuzz", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "tests/__init__.py", place / "tests/__init__.py")
    (place / "templates").symlink_to(ROOT / "templates")
    changed = place / bound.file
    text = changed.read_text(encoding="utf-8")
    if text.count(bound.line) != 1:
        raise ValueError(f"{bound.file} has not the line of the bound: {bound.name}")
    changed.write_text(text.replace(bound.line, bound.without), encoding="utf-8")


def proof(bound: Bound) -> tuple[bool, str]:
    """Fuzz without ``bound``: whether its target failed, and a line that says so."""
    with tempfile.TemporaryDirectory(prefix="arc-bundler-fuzz-") as folder:
        place = Path(folder)
        copy(bound, place)
        start = time.monotonic()
        command = [sys.executable, "-m", "tests.fuzz.run", "--target", bound.target, "--seconds", str(SECONDS)]
        told = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    spent = time.monotonic() - start
    found = told.returncode == 1 and f"failed: {bound.target}" in told.stdout
    outcome = f"fails after {spent:.1f} s" if found else f"DOES NOT FAIL\n{told.stdout}{told.stderr}"
    return found, f'without the bound "{bound.name}": {bound.target} {outcome}\n'


def main() -> int:
    """Fuzz without each bound; 1 where that found nothing."""
    with ThreadPoolExecutor(len(BOUNDS)) as pool:
        outcomes = list(pool.map(proof, BOUNDS))
    sys.stdout.write("".join(line for _, line in outcomes))
    return 0 if all(found for found, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
