"""The front door: which commands there are, and the one place where a failure becomes an exit code."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

# A command's module is imported when it is asked for: `--help` reads this table and nothing else.
COMMANDS = {
    "init": "Write a commented definition (bundle.yaml) to start from.",
    "schema": "Print the JSON Schema of the definition, for editors.",
    "plan": "Say what a build would fetch, verify, render and write; change nothing.",
    "lock": "Find, fetch and judge the packages; pin them in bundle.lock.",
    "build": "Make the bundle: fetch, judge, render, pack, check.",
    "verify-file": "Judge files that you already have: who signed them, and are they to be believed?",
    "verify": "Check a bundle: its seal, every hash, every package again from its evidence.",
    "approve": "Say with your key, as a reviewer, that a bundle may cross.",
    "seal-secret": "Put the servers' secret into an envelope that only they can open.",
    "inspect": "Show what is inside a bundle, without judging it.",
    "diff": "Say how one bundle, manifest or lock differs from another: approve only what changed.",
    "runtime": "Print the digests of the scripts' runtimes; hand their source to a reviewer.",
    "endpoints": "What to open, resolve and route between the servers and Azure, for the network team.",
    "lab": "Run a practice upstream: a signed stand-in for Microsoft's servers.",
}

_GARBAGE = 50_000
"""Objects more than went, after which Python looks for those that only hold each other; its own word is 700."""

_VERBOSE = "bundler.verbose"

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class _Commands(click.Group):
    """Commands by name, imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"bundler.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but a misspelt command is answered with its nearest spelling."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"there is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from bundler import __version__

        click.echo(f"arc-bundler {__version__}")
        if ctx.meta[_VERBOSE]:
            from bundler.flow import runtimes

            for product in runtimes.products():
                for one in runtimes.known(runtimes.installed(product)):
                    click.echo(f"  {one.row}")
        ctx.exit()


def _verbose(ctx: click.Context, _: click.Parameter, count: int) -> None:
    """Keep it for ``--version``, which is read after it."""
    ctx.meta[_VERBOSE] = count


@click.group(
    cls=_Commands,
    context_settings=CONTEXT,
    epilog="\b\nExample:\n  arc-bundler init\n  arc-bundler lock\n  arc-bundler build --locked --seal-key sealer.p12",
)
@click.option(
    "-v",
    "--verbose",
    count=True,
    expose_value=False,
    is_eager=True,
    callback=_verbose,
    help="With --version: print the digests of the scripts' runtimes, too.",
)
@click.option("--version", is_flag=True, expose_value=False, callback=_version, help="Print the version.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Make a verified, portable bundle that brings isolated servers under Azure Arc.

    A definition (bundle.yaml) says what one site wants. `lock` pins the packages, `build` makes the bundle,
    `verify` checks one that you were given. Nothing is packed that was not judged.
    """
    if ctx.meta[_VERBOSE]:
        ctx.fail("-v goes behind the command, or with --version")


def run(arguments: list[str] | None = None) -> None:
    """Run the command that was asked for and leave with its exit code.

    The codes are those of :mod:`bundler.errors`; 2 is click's own for usage, 130 an interruption.
    """
    # What is imported and read at the start is kept until the end: looking through it for rubbish takes a tenth of a
    # short command.
    gc.set_threshold(_GARBAGE)
    _settle_encodings()
    sys.exit(main(sys.argv[1:] if arguments is None else arguments))


def _settle_encodings() -> None:
    """Let any name be told: files and pipes get UTF-8, on Windows too; a terminal has its own encoding.

    Whoever sets PYTHONIOENCODING keeps it. What an encoding lacks is escaped: no result is worth a failure to print it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            own = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=None if own else "utf-8", errors="backslashreplace")


def main(arguments: list[str]) -> int:
    """Run the command and say with which exit code it ends: every failure becomes one here, and nowhere else."""
    try:
        result: Any = cli.main(arguments, prog_name="arc-bundler", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        click.echo("arc-bundler: interrupted; what was fetched so far is kept and resumed next time", err=True)
        return 130
    except BrokenPipeError:  # the reader of our output went away (`arc-bundler inspect … | head`)
        sys.stdout = None
        return 0
    except Exception as error:  # noqa: BLE001 - the last place: whatever it is becomes a report, not a traceback
        from bundler.cli.errors import report

        return report(error, arguments)
    return result if isinstance(result, int) else 0
