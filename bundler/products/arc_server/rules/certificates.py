"""Rules about the certificates that travel in a bundle."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.definition.naming import suggest
from bundler.definition.rules import Case, Finding, rule
from bundler.products.arc_server import tables
from bundler.products.arc_server.definition import Definition


@rule("trust.certificates.*")
def _certificates(case: Case[Definition]) -> Iterator[Finding]:
    known = [root.name for root in tables.roots().roots if root.needed_for == "azure-tls"]
    for position, wanted in enumerate(case.definition.trust.certificates):
        path = ("trust", "certificates", position)
        if bool(wanted.file) == bool(wanted.builtin):
            yield Finding(path, "needs a file or a builtin, and not both", "file: FILE, or builtin: NAME")
        elif wanted.builtin and wanted.builtin not in known:
            message = f"{wanted.builtin!r} is not a built-in root{suggest(wanted.builtin, known)}"
            yield Finding((*path, "builtin"), message, ", ".join(known), tables.roots().source)
        if wanted in case.definition.trust.certificates[:position]:
            yield Finding(path, "this certificate is listed twice", "each certificate once")
