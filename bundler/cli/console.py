"""The console of one run: the flags that every command has, grouped help, and the output of a result.

Results go to standard output, everything else to standard error. With ``--format json`` standard output holds one JSON
document and nothing else, whether the command succeeds or fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import click

from bundler.cli import secret_variables, told_warnings
from bundler.cli.errors import as_json, as_lines, escape_lines, format_fault, with_warnings
from bundler.cli.held_secrets import redact
from bundler.cli.secret_variables import PREFIX
from bundler.errors import Fault
from bundler.render.escape_control import escape_line

_F = TypeVar("_F", bound=Callable[..., Any])

SECTIONS = ("Definition", "Signing", "Trust", "Network", "Output", "Options", "General")
"""Headings of a command's help, in order."""

_SECRET_FILE = ("secret_file", "password_file", "passphrase_file")


class Option(click.Option):
    """An option under one of the headings :data:`SECTIONS`."""

    def __init__(self, *arguments: Any, section: str = "Options", was: str = "", **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.section = section
        self.was = was

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option's line: as click's, without ranges, which are in the error for a wrong value."""
        record = super().get_help_record(ctx)
        if record is None or not self.show_default or self.default is None:
            return record and (record[0], self.help or "")
        shown = f"{self.default:g}" if isinstance(self.default, float) else self.default
        return record[0], f"{self.help}  [default: {shown}]"


class Command(click.Command):
    """A command that lists its options under headings, and states the rule for variables once."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by heading."""
        sections: dict[str, list[tuple[str, str]]] = {name: [] for name in SECTIONS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections[getattr(parameter, "section", "General")].append(record)
        for name, records in sections.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click, but a word too many is not repeated: it may be a secret in the wrong place."""
        told_warnings.clear()
        if not ctx.resilient_parsing:
            self._refuse_former_names(ctx, args)
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            ctx.fail(f"{len(rest)} unexpected argument{'s' if len(rest) > 1 else ''}; not shown, may be a secret")
        return rest

    def _refuse_former_names(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Answer an option's former name, on the command line or as a variable, with the new one."""
        for one in self.params:
            if not isinstance(one, Option) or not one.was:
                continue
            variable, now = variable_of(one.was), one.opts[0]
            if any(argument == one.was or argument.startswith(f"{one.was}=") for argument in args):
                ctx.fail(f"{one.was} is now {now}")
            if variable in os.environ:
                ctx.fail(f"{variable} is not read any more: unset it, and give {now} or {one.envvar}=1")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the rule for variables, then the examples."""
        names = [parameter.name or "" for parameter in self.params]
        rule = f"Variables: {PREFIX}FORMAT sets --format, and so on"
        if any(name.startswith(("insecure_", "allow_")) for name in names):
            rule += "; --insecure-… and --allow-… have none"
        secrets = [PREFIX + name.removesuffix("_file").upper() for name in names if name.endswith(_SECRET_FILE)]
        if secrets:
            rule += f". Without its file, a secret comes from {', '.join(secrets)}, or from a prompt"
        examples, self.epilog = self.epilog, f"{rule}.\n\n{self.epilog}"
        super().format_epilog(ctx, formatter)
        self.epilog = examples


def define_command(name: str, *examples: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function the command called ``name``; ``examples`` are lines to copy, at the end of its help."""
    # click wraps no paragraph that begins with this mark.
    epilog = "\n".join(("\b", "Example:", *(f"  {line}" for line in examples)))
    return click.command(name, cls=Command, epilog=epilog)


def variable_of(long: str) -> str:
    """The variable of the option ``--like-this``: ``ARC_BUNDLER_LIKE_THIS``."""
    return PREFIX + long.removeprefix("--").upper().replace("-", "_")


def option(*names: str, section: str = "Options", **settings: Any) -> Callable[[_F], _F]:
    """Add an option that can also be set by its ``ARC_BUNDLER_…`` variable.

    Options called ``--insecure-…`` or ``--allow-…`` weaken a check and can only be given on the command line.

    Args:
        names: as click takes them, the long one among them.
        section: the heading in the help, one of :data:`SECTIONS`.
        settings: click's own; ``was``: the option's former name, which is answered with the new one.
    """
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    if not long.startswith(("--insecure-", "--allow-")):
        settings.setdefault("envvar", variable_of(long))
    return click.option(*names, cls=Option, section=section, **settings)


@dataclass(frozen=True)
class Console:
    """The output settings of one run, its clock and its environment."""

    format: str
    """``text``, ``json``, or one of the command's own."""
    quiet: bool
    verbose: int
    """0 to 2: how often ``-v`` was given."""
    progress: bool
    now: datetime
    """UTC, whole seconds; the only clock reading of a run."""
    environment: Mapping[str, str]

    @property
    def json(self) -> bool:
        """Whether the result is JSON."""
        return self.format == "json"

    def info(self, text: str) -> None:
        """Show a remark on standard error; not with ``-q``."""
        if not self.quiet:
            click.echo(escape_line(redact(text)), err=True)

    def emit_result(self, text: Callable[[], str | Iterable[str]], tree: Callable[[], object]) -> None:
        """Write the result to standard output: ``tree`` with ``--format json``, otherwise ``text``.

        ``text`` gives lines: a line break within one comes from a value, and is escaped. A string is a document, which
        has escaped its values itself.
        """
        if self.json:
            click.echo(as_json(with_warnings(tree())))
        elif self.format != "text" or not self.quiet:  # -q leaves out remarks, not a document that was requested
            # Values of manifests and certificates are in it, and anyone may have written those.
            found = text()
            click.echo(escape_lines(found) if isinstance(found, str) else as_lines(found))

    def warn(self, faults: Sequence[Fault], where: Path) -> None:
        """Show the warnings for the definition at ``where`` on standard error; notes not with ``-q``."""
        for fault in faults:
            sentence = format_fault(fault, str(where))
            if fault.severity != "note":
                told_warnings.warn(sentence)
            elif told_warnings.keep(f"note: {sentence}"):
                self.info(f"note: {sentence}")


def common(function: _F) -> _F:
    """Give a command the flags that all commands have; it receives a :class:`Console` first."""
    return formats()(function)


def formats(**more: str) -> Callable[[_F], _F]:
    """As :func:`common`, for a command with further formats: their names, each with what it is for."""

    def decorate(function: _F) -> _F:
        def wrapped(*args: Any, **given: Any) -> Any:
            log_file, verbose = given.pop("log_file"), given.pop("verbose")
            console = Console(
                format=given.pop("output_format"),
                quiet=given.pop("quiet"),
                verbose=verbose,
                progress=not given.pop("no_progress") and verbose < _LOG_ON_SCREEN,
                now=datetime.now(timezone.utc).replace(microsecond=0),
                environment=dict(os.environ),
            )
            secret_variables.remember(console.environment, click.get_current_context().params)
            if log_file is None and verbose < _LOG_ON_SCREEN:
                return function(console, *args, **given)
            from bundler.cli.logs import logged

            with logged(log_file, on_screen=verbose >= _LOG_ON_SCREEN):
                return function(console, *args, **given)

        wrapped.__name__ = function.__name__
        wrapped.__doc__ = function.__doc__
        wrapped.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        for decorator in _common_options(more):
            wrapped = decorator(wrapped)
        return wrapped  # type: ignore[return-value]

    return decorate


_LOG_ON_SCREEN = 2
"""How often ``-v`` is given to see the log on the screen."""


def _common_options(more: Mapping[str, str]) -> Sequence[Callable[[Any], Any]]:
    """The flags of every command, last one first."""
    described = "".join(f"; {name}: {meaning}" for name, meaning in more.items())
    return (
        option("--no-progress", is_flag=True, section="General", help="Do not show progress."),
        option(
            "--log-file",
            type=click.Path(dir_okay=False, path_type=Path),
            section="General",
            help="Append a detailed log, without secrets.",
        ),
        option(
            "-v",
            "--verbose",
            count=True,
            section="General",
            help="Show completed files, tracebacks; -vv: log.",
        ),
        option("-q", "--quiet", is_flag=True, section="General", help="Show errors only."),
        option(
            "--format",
            "output_format",
            type=click.Choice(["text", "json", *more]),
            default="text",
            metavar="|".join(["text", "json", *more]),
            section="General",
            help=f"Output format. json: one document on stdout{described}.",
        ),
    )
