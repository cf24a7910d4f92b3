"""The command ``endpoints``: network requirements for the network team."""

from __future__ import annotations

from pathlib import Path

from bundler.cli.console import Console, define_command, formats
from bundler.cli.options import ProjectSettings, definition_option, read_project, strict_option


@define_command("endpoints", "arc-bundler endpoints --format firewall > for-the-network-team.txt")
@strict_option
@definition_option
@formats(
    hosts="lines for a hosts file and zone records",
    csv="the allow-list as a table",
    firewall="the allow-list with its reasons, and routes",
)
def command(console: Console, *, definition: Path, strict: bool) -> None:
    """List what to open, resolve and route between the servers and Azure. Does not use the network.

    For each address: the path, when and why it is used, and the source. Wildcards come with the names behind them
    where a document or the private endpoint lists them. What no source states is listed as not certain.
    """
    from bundler.errors import UsageError
    from bundler.formats.json_codec import to_tree
    from bundler.render import endpoint_formats

    chosen = ProjectSettings(definition, lock_path=None, anchors=(), strict=strict)
    project = read_project(console, chosen)
    needs = project.product.network_requirements(project.definition, project.attachments)
    if console.format == "hosts" and not needs.hosts:
        raise UsageError(
            "the definition has no private link records to write",
            do="save the output of `az network private-endpoint show`, and name the file in "
            "network.private_link_records; without private link, DNS resolves the public names",
        )
    forms = {"hosts": endpoint_formats.hosts, "csv": endpoint_formats.table, "firewall": endpoint_formats.firewall}
    form = forms.get(console.format, endpoint_formats.summary)
    console.emit_result(lambda: form(needs), lambda: {"ok": True, "endpoints": to_tree(needs)})
