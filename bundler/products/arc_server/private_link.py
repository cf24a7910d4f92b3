"""Checks the names and addresses of a private endpoint against the definition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bundler.definition.rules import Finding, Path, warning
from bundler.formats.parse_error import ParseError
from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.definition import Definition
from bundler.products.azure import private_endpoint
from bundler.products.azure import tables as azure

PATH: Path = ("network", "private_link_records")
_SOURCE = "private-link-security.md (2026-05-04)"

# Zones of an Azure Arc private link scope; the third is Kubernetes', and travels in the same endpoint.
_ZONES = ("his.arc.azure.{suffix}", "guestconfiguration.azure.{suffix}", "dp.kubernetesconfiguration.azure.{suffix}")


def zones(cloud: str) -> tuple[str, ...]:
    """The public zones with names that a private link scope answers to."""
    suffix = azure.clouds().of(cloud).suffix
    return tuple(zone.format(suffix=suffix) for zone in _ZONES)


def read(definition: Definition, document: bytes) -> tuple[tuple[HostRecord, ...], tuple[Finding, ...]]:
    """The records of ``document``, sorted by name, and all that is wrong or odd about them.

    A name within the private zone (``gbl.privatelink.his…``) is given by its public name: that is what the agent asks.
    """
    try:
        told = private_endpoint.read(document)
    except ParseError as fault:
        return (), (Finding(PATH, str(fault), private_endpoint.SHAPES, _SOURCE),)
    public = [HostRecord(host=record.host.replace(".privatelink.", "."), address=record.address) for record in told]
    findings = (
        *_foreign(definition, public),
        *private_endpoint.findings(PATH, public, _SOURCE),
        *_missing(definition, public),
    )
    unique = {(record.host, record.address): record for record in public}
    return tuple(unique[key] for key in sorted(unique)), findings


def _foreign(definition: Definition, records: Sequence[HostRecord]) -> Iterator[Finding]:
    known = zones(definition.cloud)
    for host in dict.fromkeys(record.host for record in records):
        if not host.endswith(tuple(f".{zone}" for zone in known)):
            message = f"{host} is not a name of an Azure Arc private link scope in {definition.cloud}"
            yield Finding(PATH, message, ", ".join(f"*.{zone}" for zone in known), _SOURCE)


def _missing(definition: Definition, records: Sequence[HostRecord]) -> Iterator[Finding]:
    """The agent asks for four names: two global ones, the region's, and the one of the region's code."""
    hosts = {record.host for record in records}
    his, guest, _ = zones(definition.cloud)
    for name in (f"gbl.{his}", f"agentserviceapi.{guest}", f"{definition.location}-gas.{guest}"):
        if name not in hosts:
            yield Finding(PATH, f"{name} is missing: the agent needs it", "all names of the endpoint", _SOURCE)
    region = azure.regions().find(definition.cloud, definition.location)
    code, source = definition.network.region_code, "the definition (network.region_code)"
    if region and region.his and not code:
        code, source = region.his, region.his_source
    regional = sorted(host for host in hosts if host.endswith(f".{his}") and host != f"gbl.{his}")
    if not regional:
        message = f"the region's own name below {his} is missing: the agent needs it"
        yield Finding(PATH, message, "all names of the endpoint", _SOURCE)
    elif code and f"{code}.{his}" not in regional:
        message = f"{code}.{his} is not among {', '.join(regional)}: is this the endpoint of {definition.location}?"
        yield warning(PATH, message, "the endpoint of this region's scope", source)
