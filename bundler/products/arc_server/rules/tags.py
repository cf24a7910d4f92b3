"""Rules about tags: Azure's limits, and azcmagent's own notation."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.definition.rules import Case, Finding, rule, warning
from bundler.products.arc_server import tables
from bundler.products.arc_server.agent_version import older_ones
from bundler.products.arc_server.definition import Definition

_ESCAPES = "1.50"
"""The first agent that knows a backslash in a tag."""


@rule("tags")
def _tag_count(case: Case[Definition]) -> Iterator[Finding]:
    limit = tables.limits().tags
    if len(case.definition.tags) > limit:
        message = f"{len(case.definition.tags)} tags are too many"
        yield Finding(("tags",), message, f"at most {limit}", tables.limits().source)
    folded: dict[str, str] = {}
    for name in case.definition.tags:
        twin = folded.setdefault(name.casefold(), name)
        if twin != name:
            message = f"{name!r} and {twin!r} are one tag to Azure: names do not differ by case"
            yield Finding(("tags", name), message, "each tag once", tables.limits().source)


@rule("tags.*")
def _tags(case: Case[Definition]) -> Iterator[Finding]:
    for name, text in case.definition.tags.items():
        for wrong, allowed in _tag_faults(name, text):
            yield Finding(("tags", name), wrong, allowed, tables.limits().source)


def _tag_faults(name: str, text: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a tag's name and value, each with what is allowed."""
    limits = tables.limits()
    if not 0 < len(name) <= limits.tag_name:
        yield f"the tag's name has {len(name)} characters", f"1 to {limits.tag_name}"
    bad = sorted({c for c in name if c in limits.tag_forbidden or not c.isprintable()})
    if bad:
        yield f"the tag's name holds {' '.join(map(ascii, bad))}", f"none of {' '.join(limits.tag_forbidden)}"
    prefix = next((p for p in limits.tag_reserved if name.casefold().startswith(p)), "")
    if prefix:
        yield f"the tag's name begins with {prefix!r}, which Azure reserves", "another name"
    if len(text) > limits.tag_value:
        yield f"the tag's value has {len(text)} characters", f"at most {limits.tag_value}"
    if not all(c.isprintable() for c in text):
        yield "the tag's value holds a control character", "printable text on one line"


@rule("tags.*", "agent.version", "targets.*")
def _tag_quoting(case: Case[Definition]) -> Iterator[Finding]:
    """Tags travel in azcmagent's ``k=v,k2=v2`` notation, which has quotes, and escapes from 1.50 on."""
    source = "azcmagent-connect.md (--tags: parts in single quotes; backslash escapes from 1.50)"
    old = older_ones(case.definition, _ESCAPES)
    for name, text in case.definition.tags.items():
        quotes = _held(name + text, "'\\")
        marks = _held(name + text, ',"=')
        if quotes and old:
            message = f"{quotes} needs agent {_ESCAPES} or later, but {old} is requested"
            yield Finding(("tags", name), message, f"tags without ' and \\, or agent {_ESCAPES}", source)
        elif marks:
            message = f"{marks} are separators in azcmagent's list of tags; how to quote them is not documented"
            yield warning(("tags", name), message, 'tags without , " =', source)


def _held(text: str, marks: str) -> str:
    return " ".join(mark for mark in marks if mark in text)
