"""May the agent do what it is told, and is it one that Microsoft supports?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from bundler.definition.naming import suggest
from bundler.definition.rules import Case, Finding, Path, rule, warning
from bundler.products.arc_server import tables
from bundler.products.arc_server.artifacts import given_package
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.rules.agent_version import WISH, WISH_ALLOWED, release

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
            message = "monitor mode brings its own, and would ignore this"
            yield Finding(("agent", *key), message, "leave it out, or mode: full", _MODES)


@rule("agent.extensions")
def _extension_lists(case: Case[Definition]) -> Iterator[Finding]:
    extensions = case.definition.agent.extensions
    for key, words in (("allowlist", extensions.allowlist), ("blocklist", extensions.blocklist)):
        for position, word in enumerate(words):
            path = ("agent", "extensions", key, position)
            if not re.fullmatch(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", word):
                yield Finding(path, f"{word!r} is no extension", "Publisher/Type", "security-extensions.md")
            elif word.casefold() in {earlier.casefold() for earlier in words[:position]}:
                yield Finding(path, f"{word} stands there twice", "each once", "security-extensions.md")
            elif word.casefold() == _NONE.casefold() and (key == "blocklist" or len(words) > 1):
                message = f"{_NONE} means that nothing may be installed: it stands alone, on the allowlist"
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
        message = "nothing may come in: the ports have no effect"
        yield Finding(("agent", "incoming_connections", "ports"), message, "leave them out", "azcmagent-config.md")
    for position, port in enumerate(incoming.ports):
        if port in incoming.ports[:position]:
            path = ("agent", "incoming_connections", "ports", position)
            yield Finding(path, f"{port} stands there twice", "each once", "azcmagent-config.md")


def _wish_places(definition: Definition) -> Iterator[tuple[Path, str]]:
    yield ("agent", "version"), definition.agent.version
    for position, wanted in enumerate(definition.targets):
        if wanted.agent:
            yield ("targets", position, "agent"), wanted.agent


@rule("agent.version", "targets.*")
def _wish_shape(case: Case[Definition]) -> Iterator[Finding]:
    for path, wish in _wish_places(case.definition):
        if not WISH.fullmatch(wish):
            words = ["latest", *(release.version for release in tables.agents().releases)]
            yield Finding(path, f"{wish!r} is no agent version{suggest(wish, words)}", WISH_ALLOWED, _NOTES)


@rule("agent.version", "targets.*")
def _wish_age(case: Case[Definition]) -> Iterator[Finding]:
    if case.today is None:
        return
    for path, wish in _wish_places(case.definition):
        months = _age(wish, case.today)
        if months is not None and months > tables.agents().support_months:
            message = (
                f"agent {wish} is older than {tables.agents().support_months} months: Microsoft no longer supports it"
            )
            yield warning(path, message, f"{_oldest_supported(case.today)} or later", tables.agents().support_source)


def _age(wish: str, today: date) -> int | None:
    """Whole months between the month of release and ``today``; None for one that is too new for the table."""
    if not WISH.fullmatch(wish) or wish == "latest":
        return None
    releases = tables.agents().releases
    if release(wish) < release(releases[0].version):
        return _months(releases[0].month, today) + 1
    month = next((r.month for r in releases if release(r.version) == release(wish)), None)
    return _months(month, today) if month else None


def _months(month: str, today: date) -> int:
    year, number = month.split("-")
    return (today.year - int(year)) * 12 + today.month - int(number)


def _oldest_supported(today: date) -> str:
    agents = tables.agents()
    fresh = [r.version for r in agents.releases if _months(r.month, today) <= agents.support_months]
    return fresh[0] if fresh else "latest"


@rule("agent.version", "targets", "upstream.packages")
def _full_build_is_of_one_family(case: Case[Definition]) -> Iterator[Finding]:
    definition = case.definition
    followers = [
        wanted for wanted in definition.targets if not wanted.agent and given_package(definition, wanted) is None
    ]
    families = {"windows" if wanted.os == "windows" else "linux" for wanted in followers}
    if definition.agent.version.count(".") > 1 and len(families) > 1:
        message = "a full build exists for Windows or for Linux, not for both: their last numbers differ"
        yield Finding(("agent", "version"), message, 'MAJOR.MINOR here, or "agent" of each target', _NOTES)
