"""The words of a difference, for every output format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bundler.model.diff import TOPICS, Change, Diff, Hunk, Meaning, Side, TextChange, Topic
from bundler.model.script_runtime import UNKNOWN
from bundler.render.escape_control import escape_control, escape_line

NOT_VERIFIED = "Signatures were not verified: run `arc-bundler verify` on each bundle."
APPROVE = "Approve only what changed."

_TITLES: Mapping[Topic, str] = {
    "signers": "Signers and keys",
    "anchors": "Anchors",
    "weakened": "Weakened checks, and what is unusual",
    "seal": "Signer of the bundle",
    "approval": "Approvers",
    "runtimes": "Runtimes of the scripts",
    "bundle": "The bundle",
    "packages": "Packages and versions",
    "targets": "Targets",
    "parameters": "Parameters",
    "endpoints": "Endpoints",
    "steps": "What the scripts do",
    "sources": "Where packages come from",
    "evidence": "Evidence",
    "files": "Files",
    "records": "Records",
}
SCRIPTS = "The text of scripts and settings"
SIDES = {" ": "before and after", "-": "before", "+": "after"}
"""Which side has what :func:`runtimes` gives, in words."""
_SCRIPTS_BEFORE: Topic = "sources"

_MEANINGS: Mapping[Meaning, str] = {
    "": "",
    "other-root": "another root: ask the publisher before you trust it",
    "other-publisher": "the same root, another publisher: ask them before you trust it",
    "other-key": "another OpenPGP key: ask the publisher before you trust it",
    "new-leaf": "same root and publisher, renewed certificate",
    "new-path": "same certificate and root, other intermediates",
    "new-signer": "an additional signature",
    "lost-signer": "this signature is gone",
    "other-anchors": "the packages were verified with other trust anchors: find out who chose them",
    "other-sealer": "signed by another signer: ask them, through a separate channel",
    "other-certificate": "another certificate: compare its fingerprint with its owner's",
    "newer": "newer",
    "older": "older: a rollback",
    "other-bytes": "changed bytes of the same version: a published version never changes",
    "weaker": "requires or checks less than before",
    "stronger": "requires or checks more than before",
}
_WITHHELD = {
    "no-text": "not text, or too large to show: compare the files",
    "secret": "contains the embedded secret, which is never shown",
    "too-long": "too many lines to show: compare the files",
}
_PREFIXES = {"facts.": "the package's ", "repository.": "the repository's "}
_FIELDS = {"order": "the order", "form": "only the form of the document"}


@dataclass(frozen=True)
class Row:
    """One change, in words. Control characters in the two sides' values are escaped already."""

    alarming: bool
    sign: str
    """``+`` added, ``-`` removed, ``~`` changed."""
    title: str
    meaning: str
    lines: tuple[tuple[str, str], ...]
    """The value's lines, each with ``+``, ``-`` or a blank where it is on both sides."""

    def only(self, sign: str) -> tuple[str, ...]:
        """The lines of one side, for a table with a column for each: without what is on both, if there is more."""
        return tuple(line for mark, line in self.lines if mark == sign) or tuple(
            line for mark, line in self.lines if mark == " "
        )


@dataclass(frozen=True)
class ScriptRow:
    """One text's change, in words."""

    path: str
    counts: str
    hunks: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """For each its heading as in a unified diff, and its lines with their signs."""
    withheld: str


@dataclass(frozen=True)
class Section:
    """What changed under one heading."""

    name: str
    title: str
    rows: tuple[Row, ...] = ()
    scripts: tuple[ScriptRow, ...] = ()


def side(one: Side) -> str:
    """One of the two, in a line."""
    label = " [LAB]" if one.lab else ""
    return f"{one.kind} {escape_control(one.name)} {escape_control(one.version)}{label}"


def warnings(diff: Diff) -> Iterator[str]:
    """The first lines of a report: scripts with a runtime of no known release."""
    for one in (diff.was, diff.now):
        if one.unknown_runtimes:
            yield f"{UNKNOWN}: {', '.join(map(escape_control, one.unknown_runtimes))} of the {side(one)}"


def runtimes(diff: Diff) -> Iterator[tuple[str, str]]:
    """Each runtime in a line, with ``-`` or ``+`` where one side alone has it, and a blank where both have."""
    was, now = (frozenset(one.row for one in side.runtimes) for side in (diff.was, diff.now))
    for row in dict.fromkeys(one.row for side in (diff.was, diff.now) for one in side.runtimes):
        yield " " if row in was and row in now else "-" if row in was else "+", escape_control(row)


def verdict(diff: Diff) -> str:
    """How much there is to look at, in a sentence."""
    if not diff.different:
        return "No differences."
    found = _amount(len(diff.changes), "change")
    if diff.scripts:
        found += f" and {_amount(len(diff.scripts), 'text')} that differ{'s' if len(diff.scripts) == 1 else ''}"
    alarming = sum(change.alarming for change in diff.changes)
    return f"{found}; {alarming or 'none'} that an ordinary update does not have."


def _amount(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def sections(diff: Diff) -> Iterator[Section]:
    """The changes by topic, the most important first."""
    for topic in TOPICS:
        if topic == _SCRIPTS_BEFORE and diff.scripts:
            yield Section("scripts", SCRIPTS, scripts=tuple(map(_script, diff.scripts)))
        rows = tuple(_row(change) for change in diff.changes if change.topic == topic)
        if rows:
            yield Section(topic, _TITLES[topic], rows)


def _row(change: Change) -> Row:
    sign = {"added": "+", "removed": "-", "changed": "~"}[change.what]
    field = _field(change.field)
    parts = (change.subject, field) if change.topic != "weakened" else (field, change.subject)
    title = ": ".join(escape_control(part) for part in parts if part)
    return Row(
        alarming=change.alarming,
        sign=sign,
        title=title,
        meaning=_MEANINGS[change.meaning],
        lines=tuple((mark, escape_control(line)) for mark, line in _lines(change)),
    )


def _field(name: str) -> str:
    for prefix, words in _PREFIXES.items():
        if name.startswith(prefix):
            return words + name.removeprefix(prefix).replace("_", " ")
    return _FIELDS.get(name, name.replace("_", " "))


def _lines(change: Change) -> Iterator[tuple[str, str]]:
    """The lines before and after. A line on both sides is shown, once, for signers only: an unchanged root matters too.

    Where no line is on one side only (the order may differ), all of them are shown.
    """
    both = set(change.was) & set(change.now)
    yield from (("-", line) for line in change.was if line not in both)
    yield from (("+", line) for line in change.now if line not in both)
    if change.topic == "signers" or {*change.was, *change.now} == both:
        yield from ((" ", line) for line in change.was if line in both)


def _script(text: TextChange) -> ScriptRow:
    counts = f"{_amount(text.count('+'), 'line')} added, {text.count('-')} removed"
    if text.what != "changed":
        counts = f"{text.what}, {counts}"
    windows = all(line.text.endswith("\r") for hunk in text.hunks for line in hunk.lines if line.ended)
    return ScriptRow(
        path=escape_control(text.path),
        counts="" if text.withheld else counts,
        hunks=tuple(_hunk(hunk, windows=windows) for hunk in text.hunks),
        withheld=_WITHHELD.get(text.withheld, ""),
    )


def _hunk(hunk: Hunk, *, windows: bool) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Heading and lines; carriage returns are left out where every line has one, otherwise they are a difference."""
    heading = f"@@ -{hunk.was_start},{hunk.was_count} +{hunk.now_start},{hunk.now_count} @@"
    lines: list[tuple[str, str]] = []
    for line in hunk.lines:
        lines.append((line.sign, escape_line(line.text.removesuffix("\r") if windows else line.text)))
        if not line.ended:
            lines.append(("\\", " No newline at end of file"))
    return heading, tuple(lines)
