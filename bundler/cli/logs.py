"""The log of a run: ``-vv`` shows it, ``--log-file`` appends it to a file. No line holds a secret.

Modules log with ``logging.getLogger(__name__)`` at the levels debug and info. Secrets are found by value: whatever
reads one passes it to :func:`remember`, and each line is searched for all of them before it is written.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote, quote_plus, unquote, urlsplit

import click

from bundler import __version__
from bundler.cli.errors import escape_lines
from bundler.errors import WriteError

if TYPE_CHECKING:
    from bundler.cli.console import Console

_LOG = logging.getLogger(__name__)
_REDACTED = "[redacted]"
_LONGEST_LINE = 8
"""Characters of a line of a secret file from which on the line alone is a secret."""
# Variables with a secret as their value, and those with an address that may hold a password.
_SECRET_VARIABLES = ("SECRET", "PASSWORD", "SEAL_PASSPHRASE", "OPENPGP_PASSPHRASE", "SCRIPT_PASSPHRASE")
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "ARC_BUNDLER_PROXY")

_secrets: set[str] = set()


def remember(secret: str | bytes) -> None:
    """Keep ``secret`` out of every log line from now on, in each spelling that a message could have."""
    text = secret.decode("utf-8", "surrogateescape") if isinstance(secret, bytes) else secret
    lines = [line.strip() for line in text.splitlines()]
    for part in {text, *(line for line in lines if len(line) >= _LONGEST_LINE)}:
        if part:
            escaped = part.encode("utf-8", "backslashreplace").decode()
            spelled = (quote(escaped, safe=""), quote(escaped), quote_plus(escaped), json.dumps(part)[1:-1])
            _secrets.update((part, *spelled, repr(part)[1:-1], escape_lines(part)))


def remember_url(address: str) -> None:
    """Keep the password, the user name and the query of ``address`` out of the log."""
    credentials = urlsplit(address if "://" in address else f"http://{address}").netloc.rpartition("@")[0]
    if credentials:
        remember(credentials)
        for part in credentials.split(":", 1):
            remember(part)
            remember(unquote(part))


def redact(text: str) -> str:
    """``text`` with ``[redacted]`` in the place of every secret that was remembered."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _REDACTED)
    return text


class _Formatter(logging.Formatter):
    """Formats a record with its traceback, takes secrets out, and escapes what would steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return escape_lines(redact(super().format(record)))


@contextmanager
def logged(console: Console, path: Path | None, *, on_screen: bool) -> Iterator[None]:
    """Write the log of the block to ``path``, and to standard error where ``on_screen`` says so.

    Raises:
        WriteError: the file cannot be written.
    """
    _remember_environment(console)
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


def _remember_environment(console: Console) -> None:
    _secrets.clear()
    for name in _SECRET_VARIABLES:
        remember(console.environment.get(f"ARC_BUNDLER_{name}", ""))
    for name in _PROXY_VARIABLES:
        for spelled in (name, name.lower()):
            remember_url(console.environment.get(spelled, ""))
    proxy = click.get_current_context().params.get("proxy")
    if proxy:
        remember_url(proxy)


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
    handler = logging.StreamHandler(stream)
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
