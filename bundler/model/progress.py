"""Progress of long work: the protocol between rooms that work and the console that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Task(Protocol):
    """One piece of work under way; a context manager, so that it ends whatever happens."""

    def advance(self, amount: int) -> None:
        """Report that ``amount`` more bytes are done."""

    def note(self, message: str) -> None:
        """Report an event: a retry, a resumption, a redirect."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Progress(Protocol):
    """Shows tasks. Implementations are safe to call from several threads."""

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        """Start a task called ``label``: ``total`` bytes if known, ``done`` of them already there."""


class _SilentTask:
    def advance(self, amount: int) -> None: ...

    def note(self, message: str) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class NullProgress:
    """Shows nothing."""

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        return _SilentTask()
