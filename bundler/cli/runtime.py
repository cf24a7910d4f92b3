"""The command ``runtime``: the digests of the scripts' runtimes, and their source for a reviewer."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.console import Console, common, define_command, option


@define_command(
    "runtime",
    "arc-bundler runtime",
    "arc-bundler runtime --extract review",
    "cd review && sha256sum --check SHA256SUMS",
)
@option(
    "--extract",
    type=click.Path(path_type=Path),
    metavar="DIR",
    section="Output",
    help="Write source files and joined runtimes to DIR, a new or empty folder.",
)
@option("--product", multiple=True, metavar="NAME", section="Output", help="Only this product. Repeatable.")
@common
def command(console: Console, *, extract: Path | None, product: tuple[str, ...]) -> None:
    """Print the SHA-256 of each script's runtime: the part that is the same in every bundle of this release.

    A reviewer reads the runtime once for each release, and the scripts' headers for each bundle. With --extract, the
    SHA-256 of each file in DIR/joined is the digest that `verify` and `inspect` print.
    """
    from bundler.flow import extract_runtime, runtimes
    from bundler.formats.json_codec import to_tree

    chosen = runtimes.chosen(product)
    known = runtimes.known(one for name in chosen for one in runtimes.installed(name))
    written = extract_runtime.extract(chosen, extract) if extract else ()

    def text() -> list[str]:
        lines = [f"{runtimes.TOOL}, runtimes of its scripts:", *(f"  {one.row}" for one in known)]
        if extract:
            lines.append(f"{len(written)} files are in {extract}")
        return lines

    console.emit_result(
        text,
        lambda: {
            "ok": True,
            "tool": runtimes.TOOL,
            "runtimes": [to_tree(one) for one in known],
            "extracted": {"path": extract.as_posix(), "files": list(written)} if extract else None,
        },
    )
