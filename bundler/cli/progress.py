"""Progress on a terminal as bars, elsewhere as plain lines, with ``-q`` not at all."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

import click
from typing_extensions import Self

from bundler.model.progress import NullProgress, Progress, Task

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_LINE_EVERY = 10.0  # seconds between two plain lines about one task: a CI log is read, not watched
_WORTH_A_LINE = 2.0  # seconds; what took less needs no line of its own


def format_size(amount: float) -> str:
    """``amount`` bytes in decimal units, as disks and downloads are counted."""
    if amount < 1000:
        return f"{amount:.0f} B"
    for unit in ("kB", "MB"):
        amount /= 1000
        if amount < 1000:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} GB"


class _PlainTask:
    """A line now and then, and one at its end where it took long, or where ``each`` asks for it."""

    def __init__(self, label: str, total: int | None, done: int, *, each: bool) -> None:
        self._label, self._total, self._done, self._each = label, total, done, each
        self._moved = 0
        self._began = self._told = monotonic()
        self._lock = threading.Lock()

    def advance(self, amount: int) -> None:
        with self._lock:
            self._done += amount
            self._moved += amount
            if monotonic() - self._told >= _LINE_EVERY:
                self._told = monotonic()
                click.echo(f"{self._label}: {self._state()}", err=True)

    def note(self, message: str) -> None:
        click.echo(f"{self._label}: {message}", err=True)

    def _state(self) -> str:
        speed = self._moved / max(monotonic() - self._began, 1e-3)
        speed_text = format_size(speed)
        if not self._total:
            return f"{format_size(self._done)}, {speed_text}/s"
        left = max(self._total - self._done, 0) / max(speed, 1.0)
        return f"{self._done * 100 // self._total} % of {format_size(self._total)}, {speed_text}/s, {left:.0f} s left"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = monotonic() - self._began
        if kind is None and self._moved and (self._each or seconds >= _WORTH_A_LINE):
            click.echo(f"{self._label}: {format_size(self._done)} in {seconds:.1f} s", err=True)


class _PlainLines:
    def __init__(self, *, each: bool) -> None:
        self._each = each

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        return _PlainTask(label, total, done, each=self._each)


class _Bar:
    """A bar among others while its task lasts, and a line at its end where ``each`` asks for it."""

    def __init__(self, bars: RichProgress, label: str, total: int | None, done: int, *, each: bool) -> None:
        self._bars, self._label, self._each = bars, label, each
        self._id = bars.add_task(label, total=total, completed=done)

    def advance(self, amount: int) -> None:
        self._bars.advance(self._id, amount)

    def note(self, message: str) -> None:
        self._bars.console.print(f"{self._label}: {message}", markup=False, highlight=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._each and kind is None:
            self.note("done")
        self._bars.remove_task(self._id)


class _Bars:
    def __init__(self, bars: RichProgress, *, each: bool) -> None:
        self._bars, self._each = bars, each

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        return _Bar(self._bars, label, total, done, each=self._each)


@contextmanager
def _bars(*, each: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    # Numbers are never cut: on a narrow terminal the label gives way, and one task stays one line.
    columns = (
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=12),
        DownloadColumn(table_column=Column(no_wrap=True)),
        TransferSpeedColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True, expand=True) as bars:
        yield _Bars(bars, each=each)


@contextmanager
def progress(*, wanted: bool, quiet: bool, each: bool = False) -> Iterator[Progress]:
    """The progress that fits where standard error goes; ``each`` wants a line for every task that ends."""
    if quiet or not wanted:
        yield NullProgress()
    elif sys.stderr.isatty():
        with _bars(each=each) as bars:
            yield bars
    else:
        yield _PlainLines(each=each)
