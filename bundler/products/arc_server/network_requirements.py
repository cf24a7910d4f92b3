"""Network requirements of one definition, with the questions that Microsoft's documents leave open."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.model.network_requirement import (
    HostRecord,
    NetworkRequirement,
    NetworkRequirements,
    Route,
    UnroutedAddress,
    ZoneRecord,
)
from bundler.products.arc_server import checks, private_link, tables
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.endpoints import Endpoint, endpoints
from bundler.products.arc_server.script_parameters import NOTHING, Attachments

_WAYS = {
    "direct": "From the servers, directly",
    "proxy": "From the servers to their proxy, and from the proxy onwards",
    "private-endpoint": "From the servers to the private endpoint",
    "gateway": "Through the Azure Arc gateway: open only the gateway itself",
    "jump-host": "From the jump host, where bundles are made",
}
# includes/network-requirements.md: the service tags, and what the addresses are for.
_TAGS = {"AAD": "AzureActiveDirectory", "ARM": "AzureResourceManager", "Arc": "AzureArcInfrastructure"}
_FEATURE_TAGS = {"extensions": "Storage", "windows-admin-center": "WindowsAdminCenter"}
_CORE = {
    "AAD": "signing in, of a person or a service principal and of the server itself",
    "ARM": "creating and deleting the server's resource",
    "Arc": "the agent's heartbeat, its configuration and its extensions",
    "": "notifying the agent of new work",
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


def requirements(definition: Definition, attachments: Attachments = NOTHING) -> NetworkRequirements:
    """What follows for the network from ``definition`` and the private endpoint's records."""
    rows = endpoints(definition)
    held = tuple(record.host for record in attachments.hosts_records)
    profile = definition.network.profile
    peering = profile == "microsoft-peering"
    return NetworkRequirements(
        title=f"{definition.cloud} {definition.location}, profile {profile}",
        about={"cloud": definition.cloud, "location": definition.location, "profile": profile},
        proxy=definition.network.proxy.url if definition.network.proxy else "",
        ways=_WAYS,
        allow=tuple(_row(definition, row, held) for row in rows),
        hosts_title=f"Azure Arc private endpoint, {definition.cloud} {definition.location}",
        hosts=attachments.hosts_records,
        zones=tuple(_zones(definition, attachments.hosts_records)),
        routes_title="Route filter of Microsoft peering" if peering else "",
        routes=tuple(_routes(definition)) if peering else (),
        unrouted=tuple(_unrouted(rows)) if peering else (),
        uncertain=tuple(_uncertain(definition, rows, held)),
    )


def _row(definition: Definition, row: Endpoint, held: tuple[str, ...]) -> NetworkRequirement:
    return NetworkRequirement(
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
        yield Route(community=region.community, what=f"Azure in {region.name}")


def _unrouted(rows: tuple[Endpoint, ...]) -> Iterator[UnroutedAddress]:
    found = {
        row.host: UnroutedAddress(host=row.host, carried=row.peering, required=row.required)
        for row in rows
        if row.path == "direct" and row.peering != "yes"
    }
    yield from sorted(found.values(), key=lambda one: not one.required)


def _uncertain(definition: Definition, rows: tuple[Endpoint, ...], held: tuple[str, ...]) -> Iterator[str]:
    """Open questions of Microsoft's own documents, as far as they touch this site."""
    profile, cloud = definition.network.profile, definition.cloud
    if any(row.host.startswith("*.his.") and not checks.names(row, definition, held) for row in rows):
        yield (
            f"The code of {definition.location} in CODE.his.… is not known, so that neither this list nor the script's "
            f"preflight can name or test this required address: `azcmagent check --location {definition.location}` "
            "does; network.region_code takes the code."
        )
    if cloud == "AzureCloud" and profile in {"public", "microsoft-peering"}:
        yield (
            "Since April 2026 the service tag AzureFrontDoor.Frontend is required, in addition to AzureTrafficManager; "
            "Microsoft does not document which names it covers. Rules by name need neither tag."
        )
    if any(row.host.startswith("*.blob.") for row in rows) and cloud == "AzureCloud":
        yield "Whether extensions still need *.blob.core.windows.net is open: Microsoft's documents disagree."
    if profile == "microsoft-peering":
        yield (
            "No Arc document mentions Microsoft peering; Front Door, CDN and Traffic Manager are not carried by it "
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
