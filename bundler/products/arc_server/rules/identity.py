"""Rules about the names and identifiers of Azure resources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition.naming import one_letter_off, suggest
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
    name, limits = case.definition.resource_name, tables.limits()
    path = ("resource_name",)
    if not name:
        return
    word = limits.reserved_word(name)
    if len(name) > limits.resource_name or not re.fullmatch(r"[A-Za-z0-9._-]*[A-Za-z0-9]", name):
        allowed = f"letters, digits, '.', '-', '_', a letter or digit at the end, at most {limits.resource_name}"
        message = f"{name!r} is not a valid name for a server's resource"
        yield Finding(path, message, allowed, limits.resource_name_source)
    elif word:
        message = f"{name!r} is refused by Azure: {word} is a reserved word{_where(limits, word)}"
        yield Finding(path, message, "a name without this word", limits.reserved_source)
    else:
        message = "every server that this bundle onboards gets the same resource name: it is for one server"
        yield warning(path, message, "leave it out: each server takes its host name")


def _where(limits: tables.Limits, word: str) -> str:
    """Where in a name the reserved ``word`` is refused."""
    if word in limits.reserved_parts:
        return " and cannot be in a name at all"
    return " and cannot begin a name" if word in limits.reserved_starts else ""


@rule("location", "cloud", "network.region_code")
def _location(case: Case[Definition]) -> Iterator[Finding]:
    cloud, location, path = case.definition.cloud, case.definition.location, ("location",)
    table = azure.regions()
    names = table.names(cloud)
    if not re.fullmatch(r"[a-z0-9]{1,64}", location):
        plain = re.sub(r"[^a-z0-9]", "", location)
        near = f"; did you mean {plain!r}?" if plain in names else suggest(location, names)
        message = f"{location!r} is not a valid region{near}" if location else "is empty: fill it in"
        yield Finding(path, message, "a region's short name, such as japaneast")
        return
    if location in names:
        return
    meant = one_letter_off(location, names)
    if meant and not case.definition.network.region_code:
        message = f"{location!r} is one letter off {meant!r}; did you mean {meant!r}?"
        allowed = f"{meant}; or, if {location} is a new region, its code as network.region_code"
        yield Finding(path, message, allowed, table.source)
        return
    yield warning(path, _unknown_region(table, cloud, location), ", ".join(names), table.source)


def _unknown_region(table: azure.Regions, cloud: str, location: str) -> str:
    """That the table does not have ``location``, and of when the table is: a newer region is no mistake."""
    elsewhere = table.cloud_of(location)
    if elsewhere:
        return f"{location!r} is a region of {elsewhere}, and not among the regions of {cloud} that are known here"
    known = f"that are known here (table of {table.date})"
    return f"{location!r} is not among the regions of {cloud} {known}{suggest(location, table.names(cloud))}"
