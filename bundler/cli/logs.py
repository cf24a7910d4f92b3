"""The log of a run: ``-vv`` shows it, ``--log-file`` appends it to a file. No line holds a secret.

Modules log with ``logging.getLogger(__name__)`` at the levels debug and info. Each line is searched for every secret
that the process holds (:mod:`bundler.cli.held_secrets`) before it is written.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from bundler import __version__
from bundler.cli.errors import escape_lines
from bundler.cli.held_secrets import redact
from bundler.errors import WriteError
from bundler.render.escape_control import escape_line

_LOG = logging.getLogger(__name__)


class _Formatter(logging.Formatter):
    """Formats a record with its traceback, takes secrets out, and escapes what would steer a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """The record's line; a line break in it comes from a value, and must not look like another record."""
        return escape_line(redact(super().formatMessage(record)))

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, and its traceback in lines that no record begins with."""
        line, *trace = escape_lines(redact(super().format(record))).split("\n")
        return "\n".join((line, *(f"  {one}" for one in trace)))


if TYPE_CHECKING:
    _Stream = logging.StreamHandler[TextIO]
else:
    _Stream = logging.StreamHandler  # a generic type from Python 3.11 on


class _Handler(_Stream):
    """Ends the run where the log cannot be written: a log that lacks lines misleads."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Raise WriteError for a full disk; print any other fault, as logging does."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            raise WriteError(
                f"the log cannot be written: {error.strerror or error}",
                do="free space there, or give another path",
            ) from error
        super().handleError(record)


@contextmanager
def logged(path: Path | None, *, on_screen: bool) -> Iterator[None]:
    """Write the log of the block to ``path``, and to standard error where ``on_screen`` says so.

    Raises:
        WriteError: the file cannot be written.
    """
    root = logging.getLogger("bundler")
    with ExitStack() as stack:
        if path:
            stream = stack.enter_context(_opened(path))
            _add(root, stack, stream, "%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        if on_screen:
            _add(root, stack, sys.stderr, "%(levelname)s %(name)s: %(message)s")
        context = click.get_current_context()
        given = (name for name in context.params if _is_given(context, name))
        system = f"Python {platform.python_version()}, {platform.system()}"
        _LOG.info("arc-bundler %s %s, %s, given: %s", __version__, context.info_name, system, ", ".join(given) or "-")
        try:
            yield
        except BaseException as error:
            _LOG.info("ended with %s: %s", type(error).__name__, error, exc_info=error)
            raise
        _LOG.info("ended well")


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) in (
        click.core.ParameterSource.COMMANDLINE,
        click.core.ParameterSource.ENVIRONMENT,
    )


def _opened(path: Path) -> TextIO:
    try:
        # For its owner alone: paths and names of a site are in it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise WriteError(
            f"the log file {path} cannot be written: {error.strerror or error}", do="give another path to --log-file"
        ) from error


def _add(root: logging.Logger, stack: ExitStack, stream: TextIO, form: str) -> None:
    handler = _Handler(stream)
    handler.setFormatter(_Formatter(form))
    previous = root.level, root.propagate
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    root.propagate = False

    def restore() -> None:
        root.removeHandler(handler)
        root.setLevel(previous[0])
        root.propagate = previous[1]

    stack.callback(restore)
