"""Shows progress: as bars on a terminal, as plain lines elsewhere, not at all with ``-q``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import click

from bundler.render.escape_control import escape_line

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as RichProgress
    from typing_extensions import Self

    from bundler.model.progress import Progress, Task

_LINE_EVERY = 10.0  # seconds between two plain lines about one task: a CI log is read, not watched
_WORTH_A_LINE = 2.0  # seconds; a shorter task needs no line of its own


def format_size(amount: float) -> str:
    """``amount`` bytes in decimal units: ``1.2 MB``."""
    if amount < 1000:
        return f"{amount:.0f} B"
    for unit in ("kB", "MB"):
        amount /= 1000
        if amount < 1000:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} GB"


class _PlainTask:
    """Prints a line now and then, and one at the end of a long task, or of each task with ``each``."""

    def __init__(self, label: str, total: int | None, done: int, *, each: bool) -> None:
        self._label, self._total, self._done, self._each = label, total, done, each
        self._moved = 0
        self._began = self._shown = monotonic()
        self._lock = threading.Lock()

    def advance(self, amount: int) -> None:
        with self._lock:
            self._done += amount
            self._moved += amount
            if monotonic() - self._shown < _LINE_EVERY:
                return
            self._shown = monotonic()
            speed = self._moved / max(monotonic() - self._began, 1e-3)
            state = f"{format_size(self._done)}, {format_size(speed)}/s"
            if self._total:
                part, left = self._done * 100 // self._total, max(self._total - self._done, 0) / max(speed, 1.0)
                state = f"{part} % of {format_size(self._total)}, {format_size(speed)}/s, {left:.0f} s left"
            click.echo(escape_line(f"{self._label}: {state}"), err=True)

    def note(self, message: str) -> None:
        click.echo(escape_line(f"{self._label}: {message}"), err=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = monotonic() - self._began
        if kind is None and self._moved and (self._each or seconds >= _WORTH_A_LINE):
            click.echo(escape_line(f"{self._label}: {format_size(self._done)} in {seconds:.1f} s"), err=True)


class _PlainLines:
    def __init__(self, *, each: bool) -> None:
        self._each = each

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        return _PlainTask(label, total, done, each=self._each)


class _Bar:
    """Shows a bar while its task lasts, and with ``each`` a line at its end."""

    def __init__(self, bars: RichProgress, label: str, total: int | None, done: int, *, each: bool) -> None:
        self._bars, self._label, self._each = bars, label, each
        self._id = bars.add_task(escape_line(label), total=total, completed=done)

    def advance(self, amount: int) -> None:
        self._bars.advance(self._id, amount)

    def note(self, message: str) -> None:
        self._bars.console.print(escape_line(f"{self._label}: {message}"), markup=False, highlight=False)

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

    # On a narrow terminal the label is cut and the numbers are not: a task stays one line.
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
    """The progress display that fits standard error.

    Args:
        wanted: False with ``--no-progress``.
        quiet: show nothing.
        each: also print a line for every task that ends.
    """
    from bundler.model.progress import NullProgress

    if quiet or not wanted:
        yield NullProgress()
    elif sys.stderr.isatty():
        with _bars(each=each) as bars:
            yield bars
    else:
        yield _PlainLines(each=each)
