"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Task(Protocol):
    """One piece of work under way; a context manager, so that it ends whatever happens."""

    def advance(self, amount: int) -> None:
        """Say that ``amount`` more bytes are done."""

    def note(self, message: str) -> None:
        """Say something worth a line: a retry, a resumption, a redirect."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Progress(Protocol):
    """Where tasks are announced. Implementations must be safe to call from several threads."""

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        """Announce work on ``label``: ``total`` bytes if known, ``done`` of them already there."""


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
    """Progress that nobody listens to."""

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        return _SilentTask()
