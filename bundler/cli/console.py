"""How every command takes its common flags and tells its result.

Results go to standard output, everything else to standard error; with ``--format json`` one JSON
document is all that standard output carries, whether the command succeeds or fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import click

from bundler.cli.errors import PREFIX, as_json, escape_lines, format_fault
from bundler.errors import Fault

_F = TypeVar("_F", bound=Callable[..., Any])


def option(*names: str, **settings: Any) -> Callable[[_F], _F]:
    """An option that can be given by its ``ARC_BUNDLER_…`` variable too.

    Switches called ``--insecure-…`` or ``--allow-…`` weaken a check and can only be given on the command line.
    """
    long = next(name for name in names if name.startswith("--")).split("/")[0].removeprefix("--")
    if not long.startswith(("insecure-", "allow-")):
        settings.setdefault("envvar", PREFIX + long.upper().replace("-", "_"))
        settings.setdefault("show_envvar", True)
    return click.option(*names, **settings)


def example(*lines: str) -> str:
    """The end of a command's help: lines to copy, which are never wrapped (a mark of click's asks for that)."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


@dataclass(frozen=True)
class Console:
    """What one invocation was told about formats."""

    format: str
    """``text``, ``json``, or one of the command's own."""
    quiet: bool
    verbose: int
    progress: bool
    now: datetime
    """UTC, whole seconds; the only clock reading of a run."""
    environment: Mapping[str, str]

    @property
    def json(self) -> bool:
        """Whether a program reads the result."""
        return self.format == "json"

    def info(self, text: str) -> None:
        """Say something beside the result, on standard error; not with ``-q``."""
        if not self.quiet:
            click.echo(text, err=True)

    def detail(self, text: str) -> None:
        """Say something that only ``-v`` wants to hear."""
        if self.verbose:
            click.echo(text, err=True)

    def emit_result(self, text: Callable[[], str], tree: Callable[[], object]) -> None:
        """Tell the result: as text, or as JSON alone."""
        if self.json:
            click.echo(as_json(tree()))
        elif self.format != "text" or not self.quiet:  # a page that was asked for is no remark
            click.echo(escape_lines(text()))  # it quotes manifests and certificates, which anybody may have written

    def warn(self, faults: Sequence[Fault], where: Path) -> None:
        """Show what is not wrong, but should be known."""
        for fault in faults:
            click.echo(f"warning: {format_fault(fault, str(where))}", err=True)


def common(function: _F) -> _F:
    """Give a command the flags that all commands have; it receives a :class:`Console` first."""
    return formats()(function)


def formats(**more: str) -> Callable[[_F], _F]:
    """As :func:`common`, for a command that knows further formats: what each is for, by its name."""
    return lambda function: _common(function, more)


def _common(function: _F, more: Mapping[str, str]) -> _F:
    def wrapped(*args: Any, **given: Any) -> Any:
        told = given.pop("output_format")
        console = Console(
            format=told,
            quiet=given.pop("quiet"),
            verbose=given.pop("verbose"),
            progress=not given.pop("no_progress"),
            now=datetime.now(timezone.utc).replace(microsecond=0),
            environment=dict(os.environ),
        )
        return function(console, *args, **given)

    wrapped.__name__ = function.__name__
    wrapped.__doc__ = function.__doc__
    wrapped.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    for decorate in (
        option("--no-progress", is_flag=True, help="Show no progress bars."),
        option("-v", "--verbose", count=True, help="Say each file that is done, and where a fault of ours happened."),
        option("-q", "--quiet", is_flag=True, help="Say nothing but errors (and what --format asks for)."),
        option(
            "--format",
            "output_format",
            type=click.Choice(["text", "json", *more]),
            default="text",
            help="".join(
                (
                    "How to tell the result; json stands alone on standard output",
                    *(f"; {name}: {meaning}" for name, meaning in more.items()),
                    ".",
                )
            ),
        ),
    ):
        wrapped = decorate(wrapped)
    return wrapped  # type: ignore[return-value]
