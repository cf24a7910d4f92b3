"""Rules about the names and identifiers of Azure resources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition.naming import suggest
from bundler.definition.rules import Case, Finding, rule, warning
from bundler.products.arc_server import tables
from bundler.products.arc_server.definition import Definition
from bundler.products.azure import tables as azure
from bundler.products.azure.arm import guid_findings


@rule("tenant")
def _tenant(case: Case[Definition]) -> Iterator[Finding]:
    yield from guid_findings(("tenant",), case.definition.tenant)


@rule("subscription")
def _subscription(case: Case[Definition]) -> Iterator[Finding]:
    yield from guid_findings(("subscription",), case.definition.subscription)


@rule("correlation_id")
def _correlation_id(case: Case[Definition]) -> Iterator[Finding]:
    if case.definition.correlation_id:
        yield from guid_findings(("correlation_id",), case.definition.correlation_id)


@rule("resource_group")
def _resource_group(case: Case[Definition]) -> Iterator[Finding]:
    """Letters and digits of any script, as the rule for resource groups has it."""
    name, limit = case.definition.resource_group, tables.limits().resource_group
    if not (0 < len(name) <= limit) or not re.fullmatch(r"[\w().-]+", name) or name.endswith("."):
        allowed = f"1 to {limit} letters, digits, '.', '_', '-', '(', ')'; no '.' at the end"
        message = f"{name!r} is not a valid name of a resource group" if name else "is empty: fill it in"
        yield Finding(("resource_group",), message, allowed, tables.limits().source)


@rule("resource_name")
def _resource_name(case: Case[Definition]) -> Iterator[Finding]:
    name, limit = case.definition.resource_name, tables.limits().resource_name
    if not name:
        return
    if len(name) > limit or not re.fullmatch(r"[A-Za-z0-9_-]*[A-Za-z0-9]", name):
        allowed = f"letters, digits, '-', '_', not '-' or '_' at the end, at most {limit}"
        source = "troubleshoot-agent-onboard.md (AZCM0102)"
        yield Finding(("resource_name",), f"{name!r} is not a valid name for a server's resource", allowed, source)
    else:
        message = "every server that this bundle onboards gets the same resource name: it is for one server"
        yield warning(("resource_name",), message, "leave it out: each server takes its host name")


@rule("location", "cloud")
def _location(case: Case[Definition]) -> Iterator[Finding]:
    cloud, location = case.definition.cloud, case.definition.location
    if not re.fullmatch(r"[a-z0-9]{1,64}", location):
        message = f"{location!r} is not a valid region" if location else "is empty: fill it in"
        yield Finding(("location",), message, "a region's short name, such as japaneast")
        return
    names = azure.regions().names(cloud)
    if location not in names:
        message = f"{location!r} is not among the regions of {cloud} that are known here{suggest(location, names)}"
        yield warning(("location",), message, ", ".join(names), azure.regions().source)
