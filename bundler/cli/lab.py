"""The command ``lab``: runs a signed upstream on this machine, for training and tests."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.console import Console, common, define_command, option
from bundler.lab.behaviour import CERTIFICATES, Certificate

_MB = 1_000_000


@define_command("lab", "arc-bundler lab", "arc-bundler init --lab .lab     # meanwhile, in another terminal")
@option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".lab"),
    show_default=True,
    section="Output",
    help="Folder for its keys, certificates and packages.",
)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8443,
    show_default=True,
    metavar="PORT",
    section="Network",
    help="0: any free port.",
)
@option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    metavar="MB",
    section="Network",
    help="Limit each connection to this many MB a second.",
)
@option(
    "--size",
    type=click.IntRange(1, 500),
    metavar="MB",
    section="Output",
    help="Add this much to each package, to make it as large as a real one; serves the newest release only.",
)
@option(
    "--certificate",
    type=click.Choice(CERTIFICATES),
    default="good",
    show_default=True,
    metavar="KIND",
    section="Network",
    help="Chain that it presents: good, new-root, others (docs/lab.md).",
)
@common
def command(
    console: Console, *, folder: Path, port: int, size: int | None, speed: float | None, certificate: Certificate
) -> None:
    """Run a lab upstream until interrupted.

    It serves signed stand-ins of the agent under the paths of Microsoft's servers, with its own authorities.
    Everything from it is labelled LAB, and is trusted only with its anchors.
    """
    import signal

    from bundler.lab import lab

    # A service manager sends SIGTERM: end as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stuffing, rate = (size or 0) * _MB, max(1, round(speed * _MB)) if speed else 0
    lab.serve(folder, port, console.now, console.info, stuffing=stuffing, speed=rate, certificate=certificate)
