"""Reports the progress of one download as one task, opened once its size is known."""

from __future__ import annotations

from types import TracebackType

from typing_extensions import Self

from bundler.model.progress import Progress, Task


class DownloadProgress:
    """The task of one download, opened at the first thing to show, so that it begins with the right size."""

    def __init__(self, progress: Progress, label: str, size: int | None) -> None:
        """``size``: bytes, as far as known before the response."""
        self._progress, self._label, self._size = progress, label, size
        self._task: Task | None = None
        self._last = ""
        self._done = 0

    def begin(self, size: int | None, done: int) -> None:
        """Start receiving: ``size`` bytes in all if known, of which ``done`` have arrived before."""
        if self._task is not None and (self._size, self._done) == (size, done):
            return
        self._end(None, None, None)
        self._size, self._done = size, done
        self._task = self._progress.task(self._label, size, done).__enter__()

    def advance(self, amount: int) -> None:
        """Count ``amount`` more bytes as received."""
        self._opened().advance(amount)
        self._done += amount

    def note(self, message: str) -> None:
        """Show a line, unless it repeats the last one."""
        if message != self._last:
            self._opened().note(message)
        self._last = message

    def _opened(self) -> Task:
        if self._task is None:
            self._task = self._progress.task(self._label, self._size).__enter__()
        return self._task

    def _end(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.__exit__(kind, error, trace)
        self._task = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(kind, error, trace)
