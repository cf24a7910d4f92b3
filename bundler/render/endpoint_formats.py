"""Network requirements as text: hosts lines and zone records, CSV, and an allow-list to read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from bundler.model.network_requirement import NetworkRequirement, NetworkRequirements

_COLUMNS = (
    "host", "names", "port", "protocol", "from", "way", "phase", "required", "feature", "why", "service tag", "source",
    "note",
)  # fmt: skip


def hosts(needs: NetworkRequirements) -> str:
    """Lines for a hosts file, then the same records as comments, for a zone file."""
    width = max(len(record.address) for record in needs.hosts)
    lines = [
        f"# {needs.hosts_title}",
        *(f"{record.address:<{width}} {record.host}" for record in needs.hosts),
        "#",
        "# For a name server instead, the zones that the public names are aliases into:",
    ]
    for zone in dict.fromkeys(record.zone for record in needs.zones):
        lines.append(f"# zone {zone}")
        for record in needs.zones:
            if record.zone == zone:
                kind = "AAAA" if ":" in record.address else "A"
                lines.append(f"#   {record.name} 3600 IN {kind} {record.address}")
    lines.append(
        "# Where public names do not resolve at all: one zone for each name above, with its address at the apex."
    )
    return "\n".join(lines)


def table(needs: NetworkRequirements) -> str:
    """CSV as in RFC 4180, a row for each address, with a header; the line ends are the system's."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in needs.allow:
        writer.writerow(
            [
                row.host,
                " ".join(row.names),
                row.port,
                "TCP",
                row.origin,
                row.way,
                row.phase,
                "yes" if row.required else "no",
                row.feature,
                row.why,
                row.tag,
                row.source,
                row.note,
            ]
        )
    return text.getvalue().removesuffix("\n")


def summary(needs: NetworkRequirements) -> str:
    """One line an address, for a terminal."""
    width = max(len(row.host) for row in needs.allow)
    lines = []
    for row in needs.allow:
        need = "needed" if row.required else "optional"
        lines.append(f"  {row.host:<{width}}  {row.port:>3}  {need:<8}  {row.phase:<7}  {row.way}")
    lines += [f"  {record.host} is {record.address}" for record in needs.hosts]
    return _report(needs, lines)


def firewall(needs: NetworkRequirements) -> str:
    """The allow-list by path, each row with its reason and source; then routes, and what is not certain."""
    lines: list[str] = []
    for way, title in needs.ways.items():
        chosen = [row for row in needs.allow if row.way == way]
        if chosen:
            lines += ["", f"{title}{f' ({needs.proxy})' if way == 'proxy' else ''}"]
            lines += [line for row in chosen for line in _rule(needs, row)]
    if needs.routes:
        lines += ["", needs.routes_title]
        lines += [f"  {route.community}  {route.what}" for route in needs.routes]
    for carried, title in (
        ("no", "Not carried by it"),
        ("unknown", "No document states whether it carries these"),
    ):
        rows = [one for one in needs.unrouted if one.carried == carried]
        if rows:
            lines += ["", title]
            lines += [f"  {one.host}{'' if one.required else ' (optional)'}" for one in rows]
    return _report(needs, lines)


def _report(needs: NetworkRequirements, lines: list[str]) -> str:
    """``lines`` below the title, followed by what is not certain."""
    report = [f"{needs.title}: TCP, all opened from inside", *lines]
    if needs.uncertain:
        report += ["", "Not certain", *(f"  - {sentence}" for sentence in needs.uncertain)]
    return "\n".join(report)


def _rule(needs: NetworkRequirements, row: NetworkRequirement) -> Iterator[str]:
    need = "needed" if row.required else "optional"
    when = {"connect": "to connect and disconnect", "always": "always", "install": "to build"}[row.phase]
    yield f"  {row.host}:{row.port}  {need}, {when}"
    yield f"      for     {row.why}"
    addresses = {record.host: record.address for record in needs.hosts}
    if row.host in addresses:
        yield f"      at      {addresses[row.host]}"
    if row.names:
        yield f"      names   {', '.join(row.names)}"
    if row.tag:
        yield f"      tag     {row.tag}"
    if row.note:
        yield f"      note    {row.note}"
    yield f"      source  {row.source}"
