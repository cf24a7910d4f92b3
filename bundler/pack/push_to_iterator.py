"""Turns a library that pushes items to a callback into an iterator, with a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from queue import Full, Queue
from typing import Generic, TypeVar

_T = TypeVar("_T")

_DEPTH = 4
_LOOK_UP = 0.05
"""Seconds after which a waiting producer checks whether the reader is still there."""


class ReaderGone(Exception):  # not a failure: the reader has left
    """The reader has closed the iterator; the producer ends by letting this pass."""


class _Pump(Generic[_T]):
    def __init__(self, push: Callable[[Callable[[_T], None]], None]) -> None:
        self._push = push
        self._queue: Queue[tuple[_T] | None] = Queue(_DEPTH)
        self._left = threading.Event()
        self._failure: BaseException | None = None

    def emit(self, item: _T) -> None:
        self._put((item,))

    def run(self) -> None:
        try:
            self._push(self.emit)
        except ReaderGone:
            return
        except BaseException as error:  # noqa: BLE001  # raised again where it is pulled
            self._failure = error
        # The producer may have failed, or swallowed ReaderGone, after the reader left.
        with suppress(ReaderGone):
            self._put(None)

    def items(self) -> Iterator[_T]:
        while (item := self._queue.get()) is not None:
            yield item[0]
        if self._failure is not None:
            raise self._failure

    def leave(self) -> None:
        self._left.set()

    def _put(self, item: tuple[_T] | None) -> None:
        while not self._left.is_set():
            with suppress(Full):
                return self._queue.put(item, timeout=_LOOK_UP)
        raise ReaderGone


def push_to_iterator(push: Callable[[Callable[[_T], None]], None]) -> Generator[_T, None, None]:
    """Give what ``push`` emits while it runs in its own thread, a few items ahead; raises what it raises.

    Close the iterator to end the thread early: the next emission raises :class:`ReaderGone` there.
    """
    pump = _Pump(push)
    thread = threading.Thread(target=pump.run, daemon=True)
    thread.start()
    try:
        yield from pump.items()
    finally:
        pump.leave()
        thread.join()
