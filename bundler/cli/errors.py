"""How a failure is told: as lines for a person, and as JSON for a pipeline that asked for it."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise

import click

from bundler.errors import BundlerError, DefinitionError, Fault
from bundler.render.escape_control import escape_line

PREFIX = "ARC_BUNDLER_"

_LONG = 200
"""Characters of a list that is read at a glance."""


def as_json(tree: object) -> str:
    """``tree`` as JSON for standard output: in plain characters where its encoding has them, escaped otherwise.

    A file's name may hold bytes that are no text (half surrogates here), and a pipe may be ASCII.
    """
    text = json.dumps(tree, ensure_ascii=False, indent=2)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return json.dumps(tree, indent=2)
    return text


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Tell ``error`` on standard error, and as JSON on standard output where that was asked for.

    Returns the exit code: 2 for usage, that of the error's class, 1 for a fault of ours.
    """
    if isinstance(error, click.ClickException):
        return _tell_usage(error, arguments)
    if isinstance(error, BundlerError):
        return _tell_error(error, arguments)
    return _tell_fault(error, arguments)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was asked for, even where the arguments could not be understood."""
    if "--format=json" in arguments or os.environ.get(PREFIX + "FORMAT") == "json":
        return True
    pairs = pairwise(arguments)
    return any(pair == ("--format", "json") for pair in pairs)


def format_fault(fault: Fault, where: str = "") -> str:
    """One line about one fault: where, what, what is allowed, and whose rule it is."""
    place = f"{where}:{fault.line}" if where and fault.line else where
    parts = [part for part in (place, fault.path) if part]
    text = f"{': '.join(parts)}: {fault.message}" if parts else fault.message
    # Somebody who is told the nearest spelling does not want fifty others as well; JSON has them.
    if fault.allowed and (len(fault.allowed) <= _LONG or "did you mean" not in fault.message):
        text += f" ({fault.allowed})"
    if fault.source:
        text += f" [{fault.source}]"
    return text


def _error_tree(error: BundlerError) -> dict[str, object]:
    tree: dict[str, object] = {
        "kind": error.kind,
        "message": error.what,
        "details": list(error.details),
        "do": error.do,
        "exit_code": error.exit_code,
    }
    reason = getattr(error, "reason", None)
    if reason:
        tree["reason"] = reason
    if isinstance(error, DefinitionError):
        tree["faults"] = [
            {
                "path": f.path,
                "line": f.line,
                "message": f.message,
                "allowed": f.allowed,
                "source": f.source,
                "severity": f.severity,
            }
            for f in error.faults
        ]
    return {"ok": False, "error": tree}


def _red(text: str) -> str:
    plain = bool(os.environ.get("NO_COLOR")) or not sys.stderr.isatty()
    return text if plain else click.style(text, fg="red", bold=True)


def escape_lines(text: str) -> str:
    """Text with names and values that somebody else wrote, none of which may steer the terminal."""
    return "\n".join(map(escape_line, text.split("\n")))


def _tell_error(error: BundlerError, arguments: Sequence[str]) -> int:
    """Tell a failure that a person can act on; returns its exit code."""
    if _wants_json(arguments):
        click.echo(as_json(_error_tree(error)))
    click.echo(f"arc-bundler: {_red('error:')} {escape_lines(error.what)}", err=True)
    if isinstance(error, DefinitionError):
        for fault in error.faults:
            marker = "warning: " if fault.severity == "warning" else ""
            line = f"line {fault.line}: " if fault.line else ""
            click.echo(f"  {marker}{line}{escape_lines(format_fault(fault))}", err=True)
    for detail in error.details:
        click.echo(f"  {escape_lines(detail)}", err=True)
    if error.do:
        click.echo(f"  What to do: {escape_lines(error.do)}", err=True)
    return error.exit_code


def _tell_usage(error: click.ClickException, arguments: Sequence[str]) -> int:
    """Tell that the command was not understood, with its usage; returns 2."""
    if _wants_json(arguments):
        tree = {"ok": False, "error": {"kind": "usage", "message": error.format_message(), "exit_code": 2}}
        click.echo(as_json(tree))
    error.show()
    return 2


def _tell_fault(error: Exception, arguments: Sequence[str]) -> int:
    """Tell a fault of ours: one line, and with ``-v`` where it happened; returns 1.

    Never its ``repr``: that of a text's wrong encoding is the text, which may be a secret.
    """
    said = f"{type(error).__name__}: {error}"
    if _wants_json(arguments):
        tree = {"ok": False, "error": {"kind": "internal", "message": said, "exit_code": 1}}
        click.echo(as_json(tree))
    click.echo(f"arc-bundler: {_red('error:')} a fault of ours, please report it: {said}", err=True)
    if any(argument in ("-v", "-vv", "--verbose") for argument in arguments):
        click.echo("".join(traceback.format_exception(error)), err=True)
    else:
        click.echo("  What to do: run the same command with -v and send us what it prints", err=True)
    return 1
