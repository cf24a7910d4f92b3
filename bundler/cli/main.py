"""The entry point: the table of commands, and the one place where a failure becomes an exit code."""

from __future__ import annotations

import gc
import signal
import sys
import warnings
from importlib import import_module
from typing import Any, TextIO

import click

from bundler.cli import streams

# A command's module is imported only when it runs: `--help` reads this table and nothing else.
COMMANDS = {
    "init": "Write a commented definition (bundle.yaml) to start from.",
    "schema": "Print the JSON Schema of the definition, for editors.",
    "plan": "List what a build would fetch, verify, render and write; change nothing.",
    "lock": "Resolve, fetch and verify the packages; pin them in bundle.lock.",
    "build": "Make the bundle: fetch, verify, render, pack, check.",
    "verify-file": "Verify the signatures of files: signer, chain, timestamp.",
    "verify": "Verify a bundle: its signature, every hash, every package from its evidence.",
    "approve": "Approve a bundle with your key, as a reviewer.",
    "seal-secret": "Encrypt the servers' secret in an envelope that only they can open.",
    "inspect": "Show what is in a bundle, without verifying it.",
    "diff": "Show how one bundle, manifest or lock differs from another: approve only what changed.",
    "runtime": "Print the digests of the scripts' runtimes, or extract their source for review.",
    "endpoints": "List what to open, resolve and route between the servers and Azure, for the network team.",
    "lab": "Run a lab upstream: a signed stand-in for Microsoft's servers.",
}

_GARBAGE = 50_000
"""Threshold of the garbage collector (CPython's default is 700): raised, because commands are short-lived."""

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
        """As click, with a suggestion for a misspelt command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            # The word is not repeated: it may be a secret in the wrong place.
            ctx.fail(f"there is no such command.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _: click.Parameter, requested: bool) -> None:
    if requested:
        from bundler import __version__

        click.echo(f"arc-bundler {__version__}")
        if ctx.meta[_VERBOSE]:
            from bundler.flow import runtimes
            from bundler.products import registry

            for found in registry.installed():
                click.echo(f"  product {found.name}: {found.release}{f' ({found.fault})' if found.fault else ''}")
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
    help="With --version: also print the digests of the scripts' runtimes.",
)
@click.option("--version", is_flag=True, expose_value=False, callback=_version, help="Print the version.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Make a verified, portable bundle that brings isolated servers under Azure Arc.

    A definition (bundle.yaml) describes one site's bundle. `lock` pins the packages, `build` makes the bundle,
    `verify` checks a bundle that you received. Only verified packages are packed.
    """
    if ctx.meta[_VERBOSE]:
        ctx.fail("give -v after the command, or with --version")


def run(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code: those of :mod:`bundler.errors`, 130 for an interruption."""
    # What is imported at the start stays until the end; collecting it takes a tenth of a short command's time.
    gc.set_threshold(_GARBAGE)
    warnings.showwarning = _log_warning
    streams.prepare()
    _end_as_on_interrupt("SIGTERM", "SIGHUP")
    code = main(sys.argv[1:] if arguments is None else arguments)
    sys.exit(streams.flushed(code))


def _end_as_on_interrupt(*names: str) -> None:
    """Let these signals remove what is unfinished, as Ctrl-C does; one that is ignored (``nohup``) stays ignored."""
    for name in names:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - as warnings.showwarning has it
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Log what a library warns of, for example a certificate's old form: it is for developers, not for users."""
    import logging

    logging.getLogger("bundler").info("a library warns: %s: %s (%s:%d)", category.__name__, message, filename, lineno)


def main(arguments: list[str]) -> int:
    """Run a command and return its exit code: the only place where a failure becomes one."""
    try:
        result: Any = cli.main(arguments, prog_name="arc-bundler", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        click.echo("arc-bundler: interrupted; the next run resumes what was fetched so far", err=True)
        return 130
    except Exception as error:  # noqa: BLE001 - the last place: any error becomes a report
        from bundler.cli.errors import report

        return report(error, arguments)
    return result if isinstance(result, int) else 0
