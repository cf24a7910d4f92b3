"""`arc-bundler endpoints`."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.console import Console, example, formats
from bundler.cli.options import ProjectSettings, definition_option, read_project, strict_option


@click.command("endpoints", epilog=example("arc-bundler endpoints --format firewall > for-the-network-team.txt"))
@strict_option
@definition_option
@formats(
    hosts="lines for a hosts file and zone records",
    csv="the allow-list as a table",
    firewall="the allow-list with its reasons, and routes",
)
def command(console: Console, *, definition: Path, strict: bool) -> None:
    """Say what to open, resolve and route between the servers and Azure. Asks no network.

    For each address: by which way, when, what for, and who says so. Wildcards come with the names behind them where a
    document or the private endpoint tells them; what sources leave open is said.
    """
    from bundler.flow.endpoints import endpoints, require_records
    from bundler.formats.json_codec import to_tree
    from bundler.render import endpoint_formats

    chosen = ProjectSettings(definition, lock_path=None, anchors=None, strict=strict)
    needs = endpoints(read_project(console, chosen))
    if console.format == "hosts":
        require_records(needs)
    forms = {"hosts": endpoint_formats.hosts, "csv": endpoint_formats.table, "firewall": endpoint_formats.firewall}
    tell = forms.get(console.format, endpoint_formats.summary)
    console.emit_result(lambda: tell(needs), lambda: {"ok": True, "endpoints": to_tree(needs)})
