"""Rules about upstream addresses and given packages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition.addresses import https_findings
from bundler.definition.naming import suggest
from bundler.definition.rules import Case, Finding, Path, rule
from bundler.products.arc_server import tables
from bundler.products.arc_server.definition import Definition


@rule("upstream.windows", "upstream.linux")
def _bases(case: Case[Definition]) -> Iterator[Finding]:
    for key in ("windows", "linux"):
        base = getattr(case.definition.upstream, key)
        if base:
            yield from https_findings(("upstream", key), base)


@rule("upstream.repositories.*")
def _repositories(case: Case[Definition]) -> Iterator[Finding]:
    known = sorted({system.repository for system in tables.systems().systems if system.repository})
    for key, folder in case.definition.upstream.repositories.items():
        path = ("upstream", "repositories", key)
        if key not in known:
            yield Finding(path, f"{key!r} is not a known repository{suggest(key, known)}", ", ".join(known))
        if not re.fullmatch(r"[A-Za-z0-9._~+/-]+", folder) or ".." in folder.split("/"):
            yield Finding(path, f"{folder!r} is not a folder below upstream.linux", "rhel/9.0/prod")


@rule("upstream.hosts.*")
def _hosts(case: Case[Definition]) -> Iterator[Finding]:
    for position, host in enumerate(case.definition.upstream.hosts):
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?", host):
            yield Finding(("upstream", "hosts", position), f"{host!r} is not a valid host", "name or name:port")


@rule("upstream.packages.*", "targets")
def _packages(case: Case[Definition]) -> Iterator[Finding]:
    targets = [str(wanted.target) for wanted in case.definition.targets]
    seen: set[str] = set()
    for position, package in enumerate(case.definition.upstream.packages):
        path: Path = ("upstream", "packages", position)
        if package.target not in targets:
            message = f"{package.target!r} is not a target of this definition{suggest(package.target, targets)}"
            yield Finding((*path, "target"), message, ", ".join(targets))
        elif package.target in seen:
            yield Finding((*path, "target"), f"{package.target} has two packages", "one package a target")
        seen.add(package.target)
        if bool(package.path) == bool(package.url):
            yield Finding(path, "needs a path or a url, and not both", "path: FILE, or url: https://…")
        elif package.url:
            yield from https_findings((*path, "url"), package.url)
