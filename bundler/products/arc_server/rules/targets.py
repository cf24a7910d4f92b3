"""Rules about targets: each has an agent, and a place to get it from."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.definition.rules import Case, Finding, note, rule, warning
from bundler.products.arc_server import tables
from bundler.products.arc_server.agent_version import AgentVersion
from bundler.products.arc_server.artifacts import given_package
from bundler.products.arc_server.definition import Definition, WantedTarget
from bundler.products.arc_server.target_words import suggest_version


def _known(definition: Definition) -> Iterator[tuple[int, WantedTarget, tables.System]]:
    for position, wanted in enumerate(definition.targets):
        system = tables.systems().find(wanted.os, wanted.version)
        if system is not None:
            yield position, wanted, system


@rule("targets.*")
def _target_version(case: Case[Definition]) -> Iterator[Finding]:
    for position, wanted in enumerate(case.definition.targets):
        if tables.systems().find(wanted.os, wanted.version) is not None:
            continue
        versions = [system.version for system in tables.systems().of(wanted.os)]
        message = (
            f"{wanted.os} {wanted.version!r} is not supported{suggest_version(wanted.os, wanted.version)}"
            if wanted.version
            else f"{wanted.os} needs a version: packages differ between versions"
        )
        key = "version" if wanted.version else "os"
        yield Finding(("targets", position, key), message, ", ".join(versions), tables.systems().source)


@rule("targets.*")
def _target_architecture(case: Case[Definition]) -> Iterator[Finding]:
    for position, wanted, system in _known(case.definition):
        path = ("targets", position, "architecture")
        if wanted.architecture not in system.architectures:
            message = f"there is no agent for {wanted.os} {wanted.version} on {wanted.architecture}".replace("  ", " ")
            yield Finding(path, message, ", ".join(system.architectures), system.source)
        elif wanted.architecture in system.disputed:
            message = f"Microsoft's sources disagree about {wanted.os} {wanted.version} on {wanted.architecture}"
            yield warning(path, f"{message}: {system.note}", source=system.source)


@rule("targets.*")
def _target_support(case: Case[Definition]) -> Iterator[Finding]:
    for position, wanted, system in _known(case.definition):
        if system.supported != "yes":
            state = {"limited": "has limited support", "ended": "is no longer supported"}
            message = (
                f"{wanted.os} {wanted.version} {state.get(system.supported, 'is not on the list of supported systems')}"
            )
            note = f" ({system.note})" if system.note else ""
            yield warning(("targets", position, "version"), message + note, source=system.source)


@rule("targets.*", "agent.version")
def _target_agent(case: Case[Definition]) -> Iterator[Finding]:
    for position, wanted, system in _known(case.definition):
        version = AgentVersion.requested(case.definition.requested_version(wanted))
        if version is None:
            continue
        path = ("targets", position, "agent" if wanted.agent else "version")
        name = f"{wanted.os} {wanted.version}"
        if version.newer_than(system.last):
            message = f"the last agent that supports {name} is {system.last}, and {version} is requested"
            yield Finding(path, message, f'agent: "{system.last}" or older for this target', system.source)
        if version.older_than(system.minimum):
            message = f"{name} needs agent {system.minimum} or later, and {version} is requested"
            yield Finding(path, message, f'agent: "{system.minimum}" or later', system.source)


@rule("targets.*", "agent.version", "upstream.packages", "upstream.windows")
def _target_source(case: Case[Definition]) -> Iterator[Finding]:
    """Some packages have no address: they must be given."""
    oldest = tables.clouds().msi
    for position, wanted, system in _known(case.definition):
        if given_package(case.definition, wanted) is not None:
            continue
        path = ("targets", position)
        allowed = f"upstream.packages: [{{target: {wanted.target}, path: FILE}}]"
        version = AgentVersion.requested(case.definition.requested_version(wanted))
        if system.kind != "msi":
            if not system.repository:
                yield Finding(path, f"{wanted.target}: {system.note}", allowed, system.source)
        elif version and version.older_than(oldest.oldest) and not case.definition.upstream.windows:
            message = f"no download address is known for the MSI of {version}"
            yield Finding(path, message, f"{oldest.oldest} or later, or {allowed}", oldest.oldest_source)


@rule("targets.*")
def _target_twice(case: Case[Definition]) -> Iterator[Finding]:
    """Targets that are one target here; what was written as two with other words is one, and no mistake."""
    seen: dict[str, int] = {}
    for position, wanted in enumerate(case.definition.targets):
        first = seen.setdefault(str(wanted.target), position)
        if first != position:
            yield _again(case, first, position)
    every = seen.get("windows/x64")
    # A host that calls itself Azure Local is refused unless it is named: the general target leaves it out.
    single = [
        position
        for name, position in seen.items()
        if name.startswith("windows/") and position != every and name != "windows/azure-local/x64"
    ]
    if every is not None:
        for position in single:
            message = "a windows target without a version already includes this one"
            yield Finding(("targets", position), message, "windows without a version, or with versions")


def _again(case: Case[Definition], first: int, position: int) -> Finding:
    path = ("targets", position)
    wanted, before = case.definition.targets[position], case.definition.targets[first]
    spelled = [case.spelled.get(("targets", at), str(case.definition.targets[at].target)) for at in (first, position)]
    if spelled[0] == spelled[1]:
        return Finding(path, f"{wanted.target} is listed twice", "each target once")
    same = f"{spelled[1]!r} is the same target as {spelled[0]!r}: {wanted.target}"
    if wanted.agent != before.agent:
        return Finding(path, f"{same}; one target has one agent version", "each target once")
    return note(path, same)
