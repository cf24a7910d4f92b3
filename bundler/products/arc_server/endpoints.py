"""The addresses that must be reached: from where, when, and by which way.

From Microsoft's network requirements (``includes/network-requirements.md``), as data in ``endpoints.json``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bundler.model.frozen import frozen
from bundler.products.arc_server import tables
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.tables import EndpointRow
from bundler.products.azure import tables as azure

Way = Literal["jump-host", "direct", "proxy", "private-endpoint", "gateway"]


@frozen
class Endpoint:
    """One address, for a network engineer and for the script's preflight."""

    host: str
    """A name; with ``*`` a wildcard, which firewalls take and a script cannot try."""
    port: int
    """TCP."""
    resource: str = ""
    """Path below the host, where only that is needed."""
    phase: Literal["install", "connect", "always"]
    """``install`` addresses are needed on the jump host alone: the bundle brings the package to the server."""
    feature: str
    """``core``, or the feature of Azure Arc that it serves."""
    required: bool
    """False: only its feature needs it."""
    private_link: bool
    """Whether a private endpoint of an Arc private link scope can stand for it."""
    path: Way
    """The way that this definition gives it: ``jump-host`` is not reached from the server at all."""
    service: str = ""
    """The ``proxy.bypass`` keyword that covers it; empty for none."""
    peering: Literal["yes", "no", "unknown"] = "unknown"
    """Whether ExpressRoute Microsoft peering carries it."""
    source: str
    note: str = ""


def endpoints(definition: Definition) -> tuple[Endpoint, ...]:
    """The addresses for ``definition``'s cloud, region, network profile and features, required ones first."""
    table = tables.endpoints()
    found = [
        _endpoint(definition, row)
        for row in table.endpoints
        if row.cloud == definition.cloud and _wanted(definition, row)
    ]
    found.extend(_gateway(definition))
    phases = ("connect", "always", "install")
    return tuple(sorted(found, key=lambda one: (not one.required, phases.index(one.phase))))


def _wanted(definition: Definition, row: EndpointRow) -> bool:
    if row.windows_only and not any(target.os == "windows" for target in definition.targets):
        return False
    private = definition.network.profile == "private-link"
    if row.feature in {"ssh", "windows-admin-center"}:
        # private-link-security.md: neither works over private link; the agent's gate is incomingconnections.enabled.
        return (
            not private
            and definition.agent.mode == "full"
            and definition.agent.incoming_connections.enabled is not False
        )
    # private-link-security.md: with private link extension packages come through the regional Arc address.
    return not (private and row.feature == "extensions")


def _endpoint(definition: Definition, row: EndpointRow) -> Endpoint:
    region = azure.regions().find(definition.cloud, definition.location)
    code = definition.network.region_code or (region.his if region else "") or "*"
    notes = [row.note.replace("{region}", definition.location)]
    if "{his}" in row.host:
        notes.append(_code_note(definition, region))
    if definition.network.profile == "microsoft-peering" and row.peering != "yes" and row.phase != "install":
        notes.append(_PEERING[row.peering])
    return Endpoint(
        host=row.host.replace("{region}", definition.location).replace("{his}", code),
        port=row.port,
        resource=row.resource,
        phase=row.phase,
        feature=row.feature,
        required=row.required,
        private_link=row.private_link,
        path=_way(definition, row),
        service=row.bypass,
        peering=row.peering,
        source=row.source,
        note="; ".join(note for note in notes if note),
    )


_PEERING = {
    "no": "not carried by Microsoft peering (Front Door or CDN): it needs a proxy or another way out",
    "unknown": "not documented whether Microsoft peering carries it: test with `azcmagent check`",
}


def _code_note(definition: Definition, region: azure.Region | None) -> str:
    if definition.network.region_code:
        return "the region's code is the definition's"
    if region is None or not region.his:
        return (
            f"the code of {definition.location} is not known, so that this address is not tested before: "
            f"`azcmagent check --location {definition.location}` on a server shows and decides it"
        )
    return f"the region's code is from {region.his_source}: `azcmagent check --location` confirms it"


def _way(definition: Definition, row: EndpointRow) -> Way:
    network = definition.network
    if row.phase == "install":
        return "jump-host"
    if network.profile == "gateway" and row.gateway == "through":
        return "gateway"
    if network.proxy and row.bypass not in network.proxy.bypass:
        return "proxy"
    if network.profile == "private-link" and row.private_link:
        return "private-endpoint"
    return "direct"


def _gateway(definition: Definition) -> Iterator[Endpoint]:
    """The gateway's own host: its prefix is the service's choice, and not part of the gateway's ARM id."""
    network = definition.network
    if network.profile == "gateway":
        known = "" if network.gateway_host else "one name is enough: `az arcgateway list` shows the gateway's own; "
        yield Endpoint(
            host=network.gateway_host or "*.gw.arc.azure.com",
            port=443,
            phase="always",
            feature="core",
            required=True,
            private_link=False,
            path="proxy" if network.proxy else "direct",
            peering="no",
            source="arc-gateway.md (2026-04-01)",
            note=f"{known}exempt it from TLS inspection",
        )
