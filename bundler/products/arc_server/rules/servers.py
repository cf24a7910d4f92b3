"""Rules about what is set up on the servers: certificates, and members of the group that may request tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition.naming import suggest
from bundler.definition.rules import Case, Finding, Path, rule, warning
from bundler.products.arc_server import tables
from bundler.products.arc_server.definition import Definition

_SOURCE = "managed-identity-authentication.md (the group himds, or Hybrid agent extension applications)"
# useradd(8), "CAVEATS"; a directory's users can have a dot, an @ and capitals.
_LINUX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?")
# net.exe localgroup: characters that no account of Windows has ("Naming Conventions", SAM-Account-Name), and controls.
_NEVER = re.compile(r"[\x00-\x1f\x7f\"/\[\]:;|=,+*?<>]|^\s|\s$|^-")


@rule("trust.certificates.*")
def _certificates(case: Case[Definition]) -> Iterator[Finding]:
    for position, wanted in enumerate(case.definition.trust.certificates):
        path = ("trust", "certificates", position)
        if bool(wanted.file) == bool(wanted.builtin):
            yield Finding(path, "needs a file or a builtin, and not both", "file: FILE, or builtin: NAME")
        elif wanted.builtin:
            yield from _builtin((*path, "builtin"), wanted.builtin)
        if wanted in case.definition.trust.certificates[:position]:
            yield Finding(path, "this certificate is listed twice", "each certificate once")


def _builtin(path: Path, name: str) -> Iterator[Finding]:
    roots = tables.roots()
    found, named = roots.find(name), roots.find_named(name)
    if found and found.needed_for == "azure-tls":
        return
    if named:
        message = f"{named.name} is known by name only: this release does not have its certificate"
        yield Finding(path, message, "file: FILE, with the certificate from Microsoft's PKI repository", named.source)
        return
    known = [root.name for root in roots.roots if root.needed_for == "azure-tls"]
    yield Finding(path, f"{name!r} is not a built-in root{suggest(name, known)}", ", ".join(known), roots.source)


@rule("identity.members.*", "targets.*")
def _members(case: Case[Definition]) -> Iterator[Finding]:
    systems = {target.os for target in case.definition.targets}
    members = case.definition.identity.members
    for position, member in enumerate(members):
        path = ("identity", "members", position)
        if not member or len(member) > 128 or _NEVER.search(member) or member.count("\\") > 1:
            yield Finding(path, f"{member!r} is not a valid user name", "user, or DOMAIN\\user on Windows", _SOURCE)
        elif member.casefold() in {other.casefold() for other in members[:position]}:
            yield Finding(path, f"{member} is listed twice", "each user once", _SOURCE)
        elif not _LINUX.fullmatch(member) and "windows" not in systems:
            yield Finding(path, f"{member!r} is not a valid user name on Linux", "letters, digits, _ . @ -", _SOURCE)
        elif not _LINUX.fullmatch(member) and systems != {"windows"}:
            message = f"{member!r} can be a Windows user only: the Linux targets do not have it"
            yield warning(path, message, "a definition for each", _SOURCE)
