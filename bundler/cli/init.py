"""`arc-bundler init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bundler.cli.surface import Surface, common, option


@click.command("init", epilog="Example, asking nothing: arc-bundler init --tenant 11111111-… --subscription 22222222-…")
@option(
    "-d",
    "--definition",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bundle.yaml"),
    show_default=True,
    help="The file to write; never over an existing one.",
)
@common
def command(surface: Surface, *, definition: Path) -> None:
    """Write a commented definition to start from, and its schema beside it.

    On a terminal it asks what has no sensible default; elsewhere it asks nothing and marks what to fill in.
    """
    raise NotImplementedError
