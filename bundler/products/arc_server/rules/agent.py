"""Rules about the agent: its settings, and whether Microsoft supports the version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from bundler.definition.naming import suggest
from bundler.definition.rules import Case, Finding, Path, rule, warning
from bundler.products.arc_server import tables
from bundler.products.arc_server.agent_version import ALLOWED, AgentVersion
from bundler.products.arc_server.artifacts import given_package
from bundler.products.arc_server.definition import Definition

_NOTES = "agent-release-notes.md"
_MODES = "security-extensions.md (monitor mode: the lists cannot be changed)"
_NONE = "Allow/None"


@rule("agent")
def _monitor_mode(case: Case[Definition]) -> Iterator[Finding]:
    agent = case.definition.agent
    if agent.mode != "monitor":
        return
    ignored = (
        (("extensions", "allowlist"), bool(agent.extensions.allowlist)),
        (("extensions", "blocklist"), bool(agent.extensions.blocklist)),
        (("incoming_connections", "ports"), bool(agent.incoming_connections.ports)),
        (("incoming_connections", "enabled"), agent.incoming_connections.enabled is True),
        (("guest_configuration",), agent.guest_configuration is True),
    )
    for key, given in ignored:
        if given:
            message = "monitor mode has its own lists, and ignores this"
            yield Finding(("agent", *key), message, "leave it out, or mode: full", _MODES)


@rule("agent.extensions")
def _extension_lists(case: Case[Definition]) -> Iterator[Finding]:
    extensions = case.definition.agent.extensions
    for key, words in (("allowlist", extensions.allowlist), ("blocklist", extensions.blocklist)):
        for position, word in enumerate(words):
            path = ("agent", "extensions", key, position)
            if not re.fullmatch(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", word):
                yield Finding(path, f"{word!r} is not a valid extension", "Publisher/Type", "security-extensions.md")
            elif word.casefold() in {earlier.casefold() for earlier in words[:position]}:
                yield Finding(path, f"{word} is listed twice", "each once", "security-extensions.md")
            elif word.casefold() == _NONE.casefold() and (key == "blocklist" or len(words) > 1):
                message = f"{_NONE} forbids every extension: it must be the only entry, and in the allowlist"
                yield Finding(path, message, f"allowlist: [{_NONE}]", "security-extensions.md (from 1.35)")


@rule("agent.extensions")
def _lists_and_switch(case: Case[Definition]) -> Iterator[Finding]:
    extensions = case.definition.agent.extensions
    both = {word.casefold() for word in extensions.allowlist} & {word.casefold() for word in extensions.blocklist}
    for word in sorted(both):
        message = f"{word} is on both lists: the blocklist wins"
        yield warning(("agent", "extensions", "blocklist"), message, "one list", "security-extensions.md")
    if extensions.enabled is False and (extensions.allowlist or extensions.blocklist):
        message = "the extension service is stopped: the lists have no effect until it is started"
        yield warning(("agent", "extensions", "enabled"), message, "lists, or false", "security-extensions.md")


@rule("agent.incoming_connections")
def _incoming(case: Case[Definition]) -> Iterator[Finding]:
    incoming = case.definition.agent.incoming_connections
    if incoming.enabled is False and incoming.ports:
        message = "incoming connections are off: the ports have no effect"
        yield Finding(("agent", "incoming_connections", "ports"), message, "leave them out", "azcmagent-config.md")
    for position, port in enumerate(incoming.ports):
        if port in incoming.ports[:position]:
            path = ("agent", "incoming_connections", "ports", position)
            yield Finding(path, f"{port} is listed twice", "each once", "azcmagent-config.md")


def _requests(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Where the definition requests a version, and which."""
    yield ("agent", "version"), definition.agent.version
    for position, wanted in enumerate(definition.targets):
        if wanted.agent:
            yield ("targets", position, "agent"), wanted.agent


@rule("agent.version", "targets.*")
def _version_form(case: Case[Definition]) -> Iterator[Finding]:
    for path, text in _requests(case.definition):
        if AgentVersion.requested(text) is None:
            known = ["latest", *(release.version for release in tables.agents().releases)]
            yield Finding(path, f"{text!r} is not a valid agent version{suggest(text, known)}", ALLOWED, _NOTES)


@rule("agent.version", "targets.*")
def _version_age(case: Case[Definition]) -> Iterator[Finding]:
    if case.today is None:
        return
    limit, source = tables.agents().support_months, tables.agents().support_source
    for path, text in _requests(case.definition):
        version = AgentVersion.requested(text)
        months = _age(version, case.today) if version else None
        if months is not None and months > limit:
            fresh = (one.version for one in tables.agents().releases if _months(one.month, case.today) <= limit)
            message = f"agent {version} is older than {limit} months: Microsoft no longer supports it"
            yield warning(path, message, f"{next(fresh, 'latest')} or later", source)


@rule("agent.version", "targets.*")
def _version_in_table(case: Case[Definition]) -> Iterator[Finding]:
    """A version after the table's last is no fault: Microsoft releases one a month."""
    newest = tables.agents().releases[-1]
    for path, text in _requests(case.definition):
        version = AgentVersion.requested(text)
        if version and not version.is_latest and version.newer_than(newest.version):
            message = (
                f"{version.release_text} is not in this release's table, which ends with {newest.version} "
                f"({newest.month}): what this version changes, and until when it is supported, is not known here"
            )
            yield warning(path, message, source=tables.agents().source)


def _age(version: AgentVersion, today: date) -> int | None:
    """Whole months between the month of release and ``today``; None for one that is too new for the table."""
    releases = tables.agents().releases
    if version.is_latest:
        return None
    if version.older_than(releases[0].version):
        return _months(releases[0].month, today) + 1
    month = next((one.month for one in releases if AgentVersion(one.version).release == version.release), None)
    return _months(month, today) if month else None


def _months(month: str, today: date) -> int:
    year, number = month.split("-")
    return (today.year - int(year)) * 12 + today.month - int(number)


@rule("agent.version", "targets", "upstream.packages")
def _full_build_is_of_one_family(case: Case[Definition]) -> Iterator[Finding]:
    definition = case.definition
    followers = [
        wanted for wanted in definition.targets if not wanted.agent and given_package(definition, wanted) is None
    ]
    families = {"windows" if wanted.os == "windows" else "linux" for wanted in followers}
    if AgentVersion(definition.agent.version).is_full_build and len(families) > 1:
        message = "a full build exists for Windows or for Linux, not for both: their last numbers differ"
        yield Finding(("agent", "version"), message, 'MAJOR.MINOR here, or "agent" of each target', _NOTES)
