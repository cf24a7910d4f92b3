"""Makes rows of facts of Microsoft's tables, in the words of our own tables."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass

from facts_docs import Document, Table

from bundler.products.arc_server.target_words import TargetWords, understand

_CLOUDS = {"azure-cloud": "AzureCloud", "azure-government": "AzureUSGovernment", "azure-china": "AzureChinaCloud"}
_MONTHS = tuple(calendar.month_name)[1:]


@dataclass(frozen=True)
class EndpointFact:
    """One address of the servers' network requirements."""

    cloud: str
    host: str
    """With ``*`` for what differs from server to server, but ``{region}`` for the region."""
    phase: str
    """``install``, ``connect`` or ``always``."""
    required: bool
    private: bool | None
    """Whether a private endpoint can stand for it; None where the table has no such column."""


@dataclass(frozen=True)
class SystemFact:
    """One version of an operating system."""

    os: str
    version: str
    x64: str
    arm64: str
    """``yes``, ``no``, or empty."""
    limited: bool


def endpoints(document: Document) -> Iterator[EndpointFact]:
    """The rows of includes/network-requirements.md, a table for each cloud."""
    for table in document.tables:
        cloud = next((cloud for tab, cloud in _CLOUDS.items() if f"#tab/{tab}" in table.heading), "")
        if cloud and "Agent resource" in table.columns[0]:
            for row in table.rows:
                yield from _endpoint(cloud, table, row)


def _endpoint(cloud: str, table: Table, row: tuple[str, ...]) -> Iterator[EndpointFact]:
    when = row[2].casefold()
    if "not used in agent versions" in when:
        return
    hosts = re.findall(r"`([^`]+)`", row[0])
    if "` or `" in row[0]:  # the second is a wider wildcard of the first
        hosts = hosts[:1]
    for host in hosts:
        yield EndpointFact(
            cloud=cloud,
            host=_host(host),
            phase="install" if "installation" in when else "connect" if "connect or disconnect" in when else "always",
            required=when.startswith(("only", "always")),
            private=row[3].casefold().startswith("private") if len(table.columns) > 3 else None,
        )


def _host(text: str) -> str:
    host = text.removeprefix("https://").split("/")[0].replace("\\", "")
    return re.sub(r"<[^>]+>", "*", host.replace("<region>", "{region}"))


def systems(document: Document) -> Iterator[SystemFact]:
    """The rows of prerequisites.md, "Supported operating systems"."""
    for table in document.tables:
        if table.columns[:2] != ("Operating system", "Version"):
            continue
        for row in table.rows:
            for version in _versions(row[1]):
                meant = understand(TargetWords(row[0], version.replace("(", " ").replace(")", " ")))
                # A service pack that is not in our table must not be read as its family.
                pack = re.fullmatch(r"(\d+) SP(\d+)", version)
                yield SystemFact(
                    os=meant.os,
                    version=f"{pack[1]}.{pack[2]}" if pack else meant.version,
                    x64=_mark(row[2]),
                    arm64=_mark(row[3]),
                    limited="limited" in row[4].casefold() or "⚠" in row[2],
                )


def _versions(text: str) -> Iterator[str]:
    """``15 SP5-7`` is three."""
    several = re.fullmatch(r"(.*\D)(\d)-(\d)", text)
    if not several:
        yield text
        return
    for number in range(int(several[2]), int(several[3]) + 1):
        yield f"{several[1]}{number}"


def _mark(text: str) -> str:
    return "yes" if "✅" in text or "⚠" in text else "no" if "❌" in text else ""


def last_agents(document: Document) -> dict[tuple[str, str], str]:
    """The rows of prerequisites.md, "Limited support operating systems": the last agent."""
    found = {}
    for table in document.tables:
        if "Last supported agent version" in table.columns:
            for row in table.rows:
                meant = understand(TargetWords(row[0]))
                found[meant.os, meant.version] = row[1]
    return found


def codes(document: Document) -> dict[int, str]:
    """By number: the probable cause and the remediation of troubleshoot-agent-onboard.md, one text a number."""
    found: dict[int, str] = {}
    for table in document.tables:
        for row in table.rows:
            number = re.fullmatch(r"AZCM(\d{4})|\*\*(\d+)\*\*", row[0])
            if number:
                text = " | ".join(row[1:])
                at = int(number[1] or number[2])
                found[at] = f"{found[at]} || {text}" if at in found else text
    return found


def releases(*documents: Document) -> dict[str, str]:
    """By version: the month (``YYYY-MM``) of each release in the release notes."""
    found = {}
    for document in documents:
        for heading in document.headings:
            named = re.match(r"Version (\d+\.\d+) - (\w+) (\d{4})", heading)
            if named and named[2] in _MONTHS:
                found[named[1]] = f"{named[3]}-{_MONTHS.index(named[2]) + 1:02}"
    return found


def regions(document: Document) -> set[str]:
    """The names of regions-list.md, without those that are still to come."""
    found = set()
    for table in document.tables:
        if table.columns[0] == "Region":
            named = table.columns.index("Programmatic name") if "Programmatic name" in table.columns else 0
            rows = [row for row in table.rows if "coming-soon" not in row[0]]
            found |= {re.sub(r":::.*?:::|[^A-Za-z0-9]", "", row[named]).casefold() for row in rows}
    return found


def reserved_words(document: Document) -> dict[str, set[str]]:
    """The three lists of error-reserved-resource-name.md."""
    kinds = {"start": "at the start", "part": "substring", "whole": "are reserved"}
    found: dict[str, set[str]] = {}
    for above, words in document.items:
        kind = next((kind for kind, said in kinds.items() if said in above), "")
        if kind:
            found[kind] = set(words)
    return found
