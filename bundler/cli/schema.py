"""The command ``schema``: prints the JSON Schema of the definition."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bundler.cli.console import Console, common, define_command, option


@define_command("schema", "arc-bundler schema --to bundle.schema.json")
@option("--to", type=click.Path(dir_okay=False, path_type=Path), section="Output", help="Write it to this file.")
@option("--product", default="", section="Definition", help="Product of the definition.  [default: arc-server]")
@common
def command(console: Console, *, to: Path | None, product: str) -> None:
    """Print the JSON Schema (draft 2020-12) of the definition.

    Editors with a YAML language server complete and check a definition with this first line:
    `# yaml-language-server: $schema=bundle.schema.json`.
    """
    from bundler.pack.staging import write_file
    from bundler.products import definition_file, registry

    text = json.dumps(definition_file.schema(product or registry.DEFAULT), ensure_ascii=False, indent=2) + "\n"
    if to is None:
        click.echo(text, nl=False)
        return
    write_file(to, text.encode())
    console.emit_result(lambda: f"wrote {to}", lambda: {"ok": True, "path": to.as_posix()})
