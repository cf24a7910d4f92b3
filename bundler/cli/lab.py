"""`arc-bundler lab`."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.surface import Surface, common, option


@click.command("lab", epilog="Example: arc-bundler lab --dir lab --port 8443, then: arc-bundler init --lab lab")
@option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".lab"),
    show_default=True,
    help="Where its keys, certificates and packages are kept.",
)
@option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0: any free one.")
@common
def command(surface: Surface, *, folder: Path, port: int) -> None:
    """Run a practice upstream until interrupted.

    It serves signed stand-ins of the agent under the paths of Microsoft's servers, with authorities of its own.
    Everything from it says LAB, and nothing believes it without being given its anchors.
    """
    import signal

    from bundler.lab import lab

    # A service manager ends it as Ctrl-C does: cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lab.serve(folder, port, surface.now, surface.say)
