"""Measure a 7z of 300 MB: writing, reading by our own code, and reading again by py7zr, which `build` does too.

A part of ``make bench`` (``tools/bench.py 7z``). Each figure is the median of five, in one process.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.model.tree import Tree

MB = 1_000_000
SIZE = 300 * MB
LIMIT = 2.5
"""How many times as long packing and both readings may take as packing and our own reading alone."""


def bench(folder: Path) -> bool:
    """Print the figures of a plain and of an encrypted 7z; False where the second reading takes too long."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    return all([_bench(folder, "7z", None), _bench(folder, "encrypted 7z", "password")])


def _bench(folder: Path, name: str, password: str | None) -> bool:
    from bundler.model.progress import NullProgress
    from bundler.pack import container, second_reader, sevenzip

    tree, out = _tree(folder / "package"), folder / "out.7z"

    def write() -> None:
        out.unlink(missing_ok=True)
        sevenzip.write(tree, out, NullProgress(), password)

    def read() -> None:
        with container.open_bundle(out, password=lambda: password or "") as opened:
            for member in opened.walk():
                for _ in member.chunks():
                    pass

    def again() -> None:
        second_reader.require_same(out, tree, password, name=out.name)

    rounds = [[_seconds(step) for step in (write, read, again)] for _ in range(5)]
    written, first, second = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(sum(one) / (one[0] + one[1]) for one in rounds)
    print(f"{name} of {SIZE // MB} MB, seconds: write {written:.2f}, own reader {first:.2f}, py7zr {second:.2f}")
    print(f"{'  all / without py7zr':<62} {ratio:5.2f}  (limit {LIMIT})  {'ok' if ratio < LIMIT else 'MISSED'}")
    return ratio < LIMIT


def _tree(package: Path) -> Tree:
    from bundler.model.tree import Blob, Entry, Tree
    from bundler.pack import content

    if not package.exists():
        with package.open("xb") as file:
            for _ in range(SIZE // MB):
                file.write(os.urandom(MB))
    scripts = [Entry(f"script-{at:02}", b"".join(b"line %d\n" % line for line in range(4000))) for at in range(20)]
    blob = Blob(package, SIZE, content.file_sha256(package))
    return Tree("b-1", (*scripts, Entry("payload/p", blob)), datetime(2026, 1, 1, tzinfo=timezone.utc))


def _seconds(step: Callable[[], None]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began
