"""What must the network team open, resolve and route for one site, and what does nobody know for sure?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bundler.model.frozen import frozen
from bundler.model.network_requirement import HostRecord, NetworkRequirement
from bundler.products.arc_server import checks, private_link, tables
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.endpoints import Endpoint, Way, endpoints
from bundler.products.arc_server.script_parameters import NOTHING, Attachments


@frozen
class AllowRow:
    """One line of a firewall's or a proxy's allow-list."""

    host: str
    """A name, or a wildcard."""
    names: tuple[str, ...]
    """For a wildcard: the names behind it that a document or the private endpoint gives; empty: none is known."""
    port: int
    """TCP."""
    origin: Literal["server", "jump-host"]
    """Who opens the connection. By proxy or gateway the server opens it there, and they open it onwards."""
    way: Way
    phase: Literal["install", "connect", "always"]
    feature: str
    required: bool
    why: str
    tag: str
    """Azure service tag that has its addresses; empty where none is documented."""
    source: str
    note: str


@frozen
class ZoneRecord:
    """One A or AAAA record of a private zone."""

    zone: str
    name: str
    address: str


@frozen
class Route:
    """One BGP community for a route filter of Microsoft peering."""

    community: str
    what: str


@frozen
class Unrouted:
    """An address that Microsoft peering may not carry."""

    host: str
    carried: Literal["no", "unknown"]
    required: bool


@frozen
class Sheet:
    """All of it, for one definition."""

    cloud: str
    location: str
    profile: str
    proxy: str
    """The servers' proxy; empty for none."""
    allow: tuple[AllowRow, ...]
    """Required rows first, the jump host's last."""
    hosts: tuple[HostRecord, ...]
    zones: tuple[ZoneRecord, ...]
    routes: tuple[Route, ...]
    unrouted: tuple[Unrouted, ...]
    """With Microsoft peering: what the servers reach directly and it does not carry, or no document says so."""
    uncertain: tuple[str, ...]
    """What sources disagree on or leave open, each a sentence."""


# includes/network-requirements.md: the service tags, and what the addresses are for.
_TAGS = {"AAD": "AzureActiveDirectory", "ARM": "AzureResourceManager", "Arc": "AzureArcInfrastructure"}
_FEATURE_TAGS = {"extensions": "Storage", "windows-admin-center": "WindowsAdminCenter"}
_CORE = {
    "AAD": "signing in, of a person or a service principal and of the server itself",
    "ARM": "creating and deleting the server's resource",
    "Arc": "the agent's heartbeat, its configuration and its extensions",
    "": "telling the agent that there is work for it",
}
_FEATURES = {
    "extensions": "downloading extensions",
    "ssh": "SSH and Windows Admin Center through Arc",
    "windows-admin-center": "Windows Admin Center",
    "sql": "SQL Server enabled by Azure Arc",
    "extended-security-updates": "certificates for extended security updates",
    "licensing": "hotpatching, pay-as-you-go and Windows Server benefits",
    "azure-monitor": "Azure Monitor Agent",
    "hybrid-worker": "hybrid workers of Azure Automation",
}


def sheet(definition: Definition, carried: Attachments = NOTHING) -> Sheet:
    """What follows for the network from ``definition`` and the private endpoint's records."""
    rows = endpoints(definition)
    held = tuple(record.host for record in carried.hosts_records)
    peering = definition.network.profile == "microsoft-peering"
    return Sheet(
        cloud=definition.cloud,
        location=definition.location,
        profile=definition.network.profile,
        proxy=definition.network.proxy.url if definition.network.proxy else "",
        allow=tuple(_row(definition, row, held) for row in rows),
        hosts=carried.hosts_records,
        zones=tuple(_zones(definition, carried.hosts_records)),
        routes=tuple(_routes(definition)) if peering else (),
        unrouted=tuple(_unrouted(rows)) if peering else (),
        uncertain=tuple(_uncertain(definition, rows, held)),
    )


def network_requirements(definition: Definition, carried: Attachments = NOTHING) -> tuple[NetworkRequirement, ...]:
    """The allow-list as the manifest states it."""
    return tuple(
        NetworkRequirement(
            host=row.host,
            names=row.names,
            port=row.port,
            origin=row.origin,
            way=row.way,
            phase=row.phase,
            feature=row.feature,
            required=row.required,
            why=row.why,
            source=row.source,
            note=row.note,
        )
        for row in sheet(definition, carried).allow
    )


def _row(definition: Definition, row: Endpoint, held: tuple[str, ...]) -> AllowRow:
    return AllowRow(
        host=row.host,
        names=checks.names(row, definition, held) if "*" in row.host else (),
        port=row.port,
        origin="jump-host" if row.path == "jump-host" else "server",
        way=row.path,
        phase=row.phase,
        feature=row.feature,
        required=row.required,
        why=_why(row),
        tag=_TAGS.get(row.service, _FEATURE_TAGS.get(row.feature, "")),
        source=row.source,
        note="; ".join(part for part in (row.resource and f"only {row.resource}", row.note) if part),
    )


def _why(row: Endpoint) -> str:
    if row.phase == "install":
        return "fetching the agent's packages"
    if row.host.endswith(".gw.arc.azure.com"):
        return "the Azure Arc gateway, which carries the rest"
    if row.feature == "core":
        return _CORE[row.service]
    return _FEATURES.get(row.feature, row.feature)


def _zones(definition: Definition, records: tuple[HostRecord, ...]) -> Iterator[ZoneRecord]:
    """private-link-security.md: the zone of a name is its public one with ``privatelink.`` before it."""
    for record in records:
        zone = next(zone for zone in private_link.zones(definition.cloud) if record.host.endswith(f".{zone}"))
        yield ZoneRecord(zone=f"privatelink.{zone}", name=record.host.removesuffix(f".{zone}"), address=record.address)


def _routes(definition: Definition) -> Iterator[Route]:
    table = tables.communities()
    for service in table.services:
        yield Route(community=service.community, what=service.name)
    region = table.region(definition.location)
    if region:
        doubt = "" if region.certain else " (inferred: compare with Microsoft's table)"
        yield Route(community=region.community, what=f"Azure in {region.name}{doubt}")


def _unrouted(rows: tuple[Endpoint, ...]) -> Iterator[Unrouted]:
    found = {
        row.host: Unrouted(host=row.host, carried=row.peering, required=row.required)
        for row in rows
        if row.path == "direct" and row.peering != "yes"
    }
    yield from sorted(found.values(), key=lambda one: not one.required)


def _uncertain(definition: Definition, rows: tuple[Endpoint, ...], held: tuple[str, ...]) -> Iterator[str]:
    """Open questions of Microsoft's own documents, as far as they touch this site."""
    profile, cloud = definition.network.profile, definition.cloud
    if any(row.host.startswith("*.his.") and not checks.names(row, definition, held) for row in rows):
        yield f"The code of {definition.location} in CODE.his.… is in no table: `azcmagent check --location` tells it."
    if cloud == "AzureCloud" and profile in {"public", "microsoft-peering"}:
        yield (
            "Since April 2026 the service tag AzureFrontDoor.Frontend is required, beside AzureTrafficManager; which "
            "names it serves is not said. Rules by name need neither tag."
        )
    if any(row.host.startswith("*.blob.") for row in rows) and cloud == "AzureCloud":
        yield "Whether extensions still need *.blob.core.windows.net is open: Microsoft's documents disagree."
    if profile == "microsoft-peering":
        yield (
            "No Arc document speaks of Microsoft peering; Front Door, CDN and Traffic Manager are not carried by it "
            "(expressroute-faqs.md). Resolve each name on the target and compare it with the published service tags."
        )
        if tables.communities().region(definition.location) is None:
            yield f"The community of {definition.location} is not in our table: take it from Microsoft's."
    if profile == "private-link" and not held:
        yield (
            "The private endpoint's names and addresses are not given: "
            "network.private_link_records takes them from `az network private-endpoint show`."
        )
    if cloud != "AzureCloud":
        yield "Filters by address need the public cloud's AzureArcInfrastructure tag too, since October 2025."
