"""Reports a failure: as lines on standard error, and as JSON on standard output with ``--format json``."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise

import click

from bundler.cli import told_warnings
from bundler.cli.held_secrets import redact
from bundler.cli.secret_variables import PREFIX, looks_secret
from bundler.errors import BundlerError, DefinitionError, Fault, VerificationError, WriteError
from bundler.render.escape_control import WIDE_SPACE, escape_line

# Python's repr of a text, or a number, as click's sentences about a wrong value begin: "'x' is not a valid integer".
_REPR = r"""('([^'\\]|\\.)*'|"([^"\\]|\\.)*")"""
_VALUE = re.compile(rf"^({_REPR}|[-+\d.,_eE]+) is not")
_IN_QUOTES = re.compile(rf" ?{_REPR}")
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EIO)
"""Errors of the system that mean the same everywhere: this cannot be written here, or neither written nor read."""

_LONG = 200
"""Characters of a list that is still read as a whole."""


# Halves of surrogate pairs are left to the encoding of the output.
_BEYOND_ASCII = re.compile(r"[^\x00-\x7e\ud800-\udfff]")


def _by_number(found: re.Match[str]) -> str:
    """A character that would steer a terminal as its number in JSON (RFC 8259, section 7); others as they are."""
    character = found[0]
    if character.isprintable() or character == WIDE_SPACE:
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def as_json(tree: object) -> str:
    """``tree`` as JSON for standard output, with escapes where the output's encoding lacks a character.

    A file name may hold bytes that are not text (lone surrogates here), and a pipe may be ASCII.
    """
    import json

    # Outside of ASCII such characters are in strings only, where JSON can have them by their number.
    text = _BEYOND_ASCII.sub(_by_number, json.dumps(tree, ensure_ascii=False, indent=2))
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return json.dumps(tree, indent=2)
    return text


def with_warnings(tree: object) -> object:
    """``tree`` with the warnings of this run after its first key, where it is an object."""
    if not isinstance(tree, dict):
        return tree
    first = {"ok": tree["ok"]} if "ok" in tree else {}
    return {**first, "warnings": told_warnings.told(), **{key: value for key, value in tree.items() if key != "ok"}}


def _echo_json(tree: object) -> None:
    _echo(as_json(with_warnings(tree)))


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Report ``error``, and return the exit code: that of its class, 2 for usage, 1 for an internal error.

    Args:
        error: what ended the command.
        arguments: of the command line, which may not have been understood; they say whether to report JSON.
    """
    if isinstance(error, click.ClickException):
        error = _withhold_value(error)
        # A command line that was not understood: with the usage.
        if _wants_json(arguments):
            tree = {"ok": False, "error": {"kind": "usage", "message": error.format_message(), "exit_code": 2}}
            _echo_json(tree)
        with suppress(OSError):
            error.show()
        return 2
    if isinstance(error, VerificationError):
        from bundler.trust.advice import with_advice  # only a refusal needs it

        error = with_advice(error)
    if isinstance(error, OSError) and error.errno in (*_NO_SPACE, *_NO_ACCESS):
        error = _as_write_error(error)
    if isinstance(error, BundlerError):
        return _report_error(error, arguments)
    return _report_internal(error, arguments)


def _withhold_value(error: click.ClickException) -> click.ClickException:
    """``error`` without the value in click's sentence about a wrong one: it may be a secret in the wrong place.

    A path is shown, unless its option is one for keys or secrets: it may be the secret itself.
    """
    if not isinstance(error, click.BadParameter):
        return error
    if not isinstance(getattr(error.param, "type", None), click.Path):
        message, found = _VALUE.subn("the value is not", error.message, count=1)
    elif error.param and looks_secret(error.param.name or ""):
        message, found = _IN_QUOTES.subn("", error.message)
    else:
        return error
    return click.BadParameter(message, error.ctx, error.param, error.param_hint) if found else error


def _as_write_error(error: OSError) -> WriteError:
    """What no other place has explained: a volume that is full, read-only or forbidden."""
    where = error.filename if isinstance(error.filename, str) else "the output"
    done = "written" if error.errno in _NO_SPACE else "read or written"
    return WriteError(
        f"{where} cannot be {done}: {error.strerror or error}",
        do="free space there, give yourself permission, or choose another folder",
    )


def _echo(text: str, *, err: bool = False) -> None:
    """Print ``text``. Where that cannot be written, the exit code says enough."""
    with suppress(OSError):
        click.echo(text, err=err)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was requested, also where the arguments were not understood."""
    if "--format=json" in arguments or os.environ.get(PREFIX + "FORMAT") == "json":
        return True
    pairs = pairwise(arguments)
    return any(pair == ("--format", "json") for pair in pairs)


def format_fault(fault: Fault, where: str = "") -> str:
    """One line for a fault: where, what, what is allowed, and the source of the rule."""
    place = f"{where}:{fault.line}" if where and fault.line else where
    parts = [part for part in (place, fault.path) if part]
    text = f"{': '.join(parts)}: {fault.message}" if parts else fault.message
    # Beside the nearest spelling a long list of the others only distracts; JSON has it.
    if fault.allowed and (len(fault.allowed) <= _LONG or "did you mean" not in fault.message):
        text += f" ({_shortened(fault.allowed)})"
    if fault.source:
        text += f" [{fault.source}]"
    return text


def _shortened(allowed: str) -> str:
    """A long list up to the word that still fits, with the number of the others; a sentence as it is."""
    words = allowed.split(", ")
    if len(allowed) <= _LONG or len(words) < _LONG // 20:
        return allowed
    kept = max(1, allowed[:_LONG].count(", "))
    return f"{', '.join(words[:kept])}, … and {len(words) - kept} more"


def _error_tree(error: BundlerError) -> dict[str, object]:
    tree: dict[str, object] = {
        "kind": error.kind,
        "message": redact(error.what),
        "details": [redact(detail) for detail in error.details],
        "do": redact(error.do),
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
                "message": redact(f.message),
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
    """``text`` with control characters escaped: names and values from others must not steer the terminal."""
    return "\n".join(map(escape_line, text.split("\n")))


def as_lines(lines: Iterable[str]) -> str:
    """Lines of which each is escaped as a whole: a line break in one comes from a value, and begins no line here."""
    return "\n".join(map(escape_line, lines))


def _shown(text: str) -> str:
    """``text`` as one line for a terminal, without the secrets that are held."""
    return escape_line(redact(text))


def _report_error(error: BundlerError, arguments: Sequence[str]) -> int:
    """Report a failure that a user can act on; returns its exit code."""
    if isinstance(error, DefinitionError):
        for fault in error.faults:
            if fault.severity == "warning":
                told_warnings.keep(format_fault(fault))
    if _wants_json(arguments):
        _echo_json(_error_tree(error))
    _echo(f"arc-bundler: {_red('error:')} {_shown(error.what)}", err=True)
    if isinstance(error, DefinitionError):
        for fault in error.faults:
            marker = "" if fault.severity == "error" else f"{fault.severity}: "
            line = f"line {fault.line}: " if fault.line else ""
            _echo(f"  {marker}{line}{_shown(format_fault(fault))}", err=True)
    for detail in error.details:
        _echo(f"  {_shown(detail)}", err=True)
    if error.do:
        _echo(f"  What to do: {_shown(error.do)}", err=True)
    return error.exit_code


def _issues() -> str:
    """Where to report an internal error: the address in the installed package's metadata."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("arc-bundler").get_all("Project-URL") or []
    except PackageNotFoundError:  # a copy of the sources that was never installed
        urls = []
    return next((url.partition(", ")[2] for url in urls if url.startswith("Issues,")), "the project's issue tracker")


def _report_internal(error: Exception, arguments: Sequence[str]) -> int:
    """Report an internal error: one line, and with ``-v`` its traceback; returns 1.

    Never its ``repr``: that of a UnicodeError contains the text, which may be a secret.
    """
    what = redact(f"{type(error).__name__}: {error}")
    if _wants_json(arguments):
        tree = {"ok": False, "error": {"kind": "internal", "message": what, "exit_code": 1}}
        _echo_json(tree)
    _echo(f"arc-bundler: {_red('error:')} internal error: {escape_line(what)}", err=True)
    if any(argument in ("-v", "-vv", "--verbose") for argument in arguments):
        import traceback

        _echo(escape_lines(redact("".join(traceback.format_exception(error)))), err=True)
    else:
        _echo(f"  What to do: run the same command with -v, and report its output at {_issues()}", err=True)
    return 1
