"""`arc-bundler lab`."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.console import Console, common, example, option

_MB = 1_000_000


@click.command(
    "lab", epilog=example("arc-bundler lab", "arc-bundler init --lab .lab     # meanwhile, in another terminal")
)
@option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".lab"),
    show_default=True,
    help="Where its keys, certificates and packages are kept.",
)
@option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0: any free one.")
@option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    metavar="MB",
    help="Send no faster than this many MB a second, on each connection.",
)
@option(
    "--size",
    type=click.IntRange(1, 500),
    metavar="MB",
    help="Make each package this much larger, as real ones are; serves the newest release alone.",
)
@common
def command(console: Console, *, folder: Path, port: int, size: int | None, speed: float | None) -> None:
    """Run a practice upstream until interrupted.

    It serves signed stand-ins of the agent under the paths of Microsoft's servers, with authorities of its own.
    Everything from it says LAB, and nothing believes it without being given its anchors.
    """
    import signal

    from bundler.lab import lab

    # A service manager ends it as Ctrl-C does: cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stuffing, rate = (size or 0) * _MB, max(1, round(speed * _MB)) if speed else 0
    lab.serve(folder, port, console.now, console.info, stuffing=stuffing, speed=rate)
