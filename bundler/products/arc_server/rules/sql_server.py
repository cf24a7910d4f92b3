"""Rules about SQL Server: Azure connects it together with its server, unless it is told not to."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.definition.naming import suggest
from bundler.definition.rules import Case, Finding, rule, warning
from bundler.products.arc_server import sql_server
from bundler.products.arc_server.definition import Definition

_ALLOWED = (
    f"tags: {{{sql_server.TAG}: {sql_server.DISABLED}}} leaves SQL Server alone; "
    f"{', '.join(sql_server.LICENCES[:-1])} or {sql_server.LICENCES[-1]} connects it, with this licence type"
)


@rule("tags", "agent", "targets.*")
def _sql_server(case: Case[Definition]) -> Iterator[Finding]:
    definition = case.definition
    agent = definition.agent
    found = sql_server.answer(
        definition.tags,
        allowlist=agent.extensions.allowlist,
        blocklist=agent.extensions.blocklist,
        limited=agent.mode == "monitor" or agent.extensions.enabled is False,
    )
    if found == "none" and any(target.os == "windows" for target in definition.targets):
        message = (
            "do not say whether Azure may connect SQL Server: where a server has it, Azure installs an extension and "
            "gives itself roles in every database"
        )
        yield warning(("tags",), message, _ALLOWED, sql_server.SOURCE)


@rule("tags.*")
def _value(case: Case[Definition]) -> Iterator[Finding]:
    known = (sql_server.DISABLED, *sql_server.LICENCES)
    for name, text in case.definition.tags.items():
        if name.casefold() == sql_server.TAG.casefold() and text not in known:
            message = f"{text!r} is not a value that Microsoft documents{suggest(text, known)}"
            yield warning(("tags", name), message, ", ".join(known), sql_server.SOURCE)
