"""The command ``diff``: how one bundle, manifest or lock differs from another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, define_command, formats, option
from bundler.cli.options import password_option, password_source

if TYPE_CHECKING:
    from bundler.model.diff import Diff

EXIT_DIFFERENT = 9


@define_command(
    "diff",
    "arc-bundler diff arc-tokyo-2026.10.18.zip arc-tokyo-2026.11.22.zip",
    "arc-bundler diff --format markdown old.manifest.json new.manifest.json >mr.md",
)
@click.argument("a", type=click.Path(exists=True, path_type=Path))
@click.argument("b", type=click.Path(exists=True, path_type=Path))
@option("--exit-code", is_flag=True, section="Output", help="Exit 9 if the two differ, 0 if they do not.")
@password_option
@formats(markdown="for a merge request", html="a page for a reviewer")
def command(console: Console, *, a: Path, b: Path, exit_code: bool, password_file: Path | None) -> int:
    """Show how B differs from A: signers, versions, parameters, endpoints, scripts, files.

    Each is a bundle (directory or archive), a manifest or a lock; two of different kinds are compared in what both
    have. The hashes of a bundle are verified, signatures are not: see `verify`.
    """
    from bundler.flow.diff.compare import diff
    from bundler.formats.json_codec import to_tree

    found = diff(a, b, password=password_source(console, password_file))
    console.emit_result(
        lambda: _formatted(console.format, found),
        lambda: {"ok": True, "different": found.different, "diff": to_tree(found)},
    )
    return EXIT_DIFFERENT if exit_code and found.different else 0


def _formatted(wanted: str, found: Diff) -> str:
    from bundler.cli import diff_formats

    if wanted == "html":
        from bundler.render.diff_page import diff_page

        return diff_page(found).decode().removesuffix("\n")
    return diff_formats.markdown(found) if wanted == "markdown" else diff_formats.text(found)
