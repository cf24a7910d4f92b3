"""The standard streams of one process: each is open, can print every name, and may lose its reader.

Prepared once, at the start, so that no other module asks what became of a stream.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from bundler.errors import WriteError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STREAMS = ("stdin", "stdout", "stderr")
"""By file descriptor, from 0."""
_READER_ENDED = (errno.EPIPE, errno.ESHUTDOWN, *((errno.EINVAL,) if os.name == "nt" else ()))
"""What a write to a pipe without a reader reports; Windows also says EINVAL."""


def prepare() -> None:
    """Open what is closed, and let output survive any name and a reader that ends (``arc-bundler … | head``)."""
    _open_closed()
    sys.stdout, sys.stderr = _prepared(sys.stdout), _prepared(sys.stderr)


def _open_closed() -> None:
    """Give a closed stream (``>&-``) the null device.

    Otherwise the next file that is opened would get its number, and output meant for the stream would end in it.
    """
    for number, name in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        if not _is_open(number):
            opened = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)  # a program that we start has its streams too
        setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _prepared(stream: TextIO) -> TextIO:
    """``stream`` so that no name and no reader makes a write fail; only a disk that is full does.

    Files and pipes get UTF-8, on Windows too; a terminal keeps its encoding, and PYTHONIOENCODING stays in force.
    A character that the encoding lacks is escaped.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if stream.isatty():
        stream.reconfigure(errors="backslashreplace")
        return stream
    encoding = stream.encoding if "PYTHONIOENCODING" in os.environ else "utf-8"
    try:
        number = stream.fileno()
        stream.flush()
    except (OSError, ValueError):  # a stream that someone has put there, without a file
        stream.reconfigure(encoding=encoding, errors="backslashreplace")
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(number)),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Pipe(io.FileIO):
    """The file behind a stream; what is written after its reader has ended goes nowhere.

    The command still ends with its own code: it is done, and a reader that has seen enough is no failure.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self._ended = False

    def write(self, data: Buffer) -> int:
        """Write ``data``; returns the number of bytes taken, all of them where there is no reader."""
        size = memoryview(data).nbytes
        if self._ended:
            return size
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _READER_ENDED:
                raise
            self._ended = True
            return size


def flushed(code: int) -> int:
    """``code``; 7 where standard output could not take the rest of the result (a full disk)."""
    _is_flushed("stderr")  # remarks: the code says enough
    return code if _is_flushed("stdout") else code or WriteError.exit_code


def _is_flushed(name: str) -> bool:
    try:
        stream = getattr(sys, name)
        if stream:
            stream.flush()
    except OSError:
        setattr(sys, name, None)  # or Python would try again at its end, and end with 120
        return False
    return True
