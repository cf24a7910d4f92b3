"""Formats a difference as text for a terminal, and as Markdown for a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.model.diff import Diff
from bundler.render import diff_text
from bundler.render.diff_text import Row, ScriptRow

# Every mark that means something in CommonMark, its common extensions (tables, mentions, formulas) or HTML.
_MARKS = re.compile(r"[^\w\s.,()/+%;?'\"-]|_|(?<=www)\.", re.IGNORECASE)
_SIGNS = {"+": "added", "-": "removed", "~": "changed"}


def text(diff: Diff) -> str:
    """Lines for a terminal."""
    return "\n".join(_text(diff))


def _text(diff: Diff) -> Iterator[str]:
    yield from diff_text.warnings(diff)
    yield f"--- {diff_text.side(diff.was)}  {diff.was.digest}"
    yield f"+++ {diff_text.side(diff.now)}  {diff.now.digest}"
    yield from (f"{sign} runtime  {row}" for sign, row in diff_text.runtimes(diff))
    yield diff_text.verdict(diff)
    for section in diff_text.sections(diff):
        yield ""
        yield section.title
        for row in section.rows:
            meaning = f"  ({row.meaning})" if row.meaning else ""
            yield f"{'!' if row.alarming else ' '} {row.sign} {row.title}{meaning}"
            yield from (f"      {mark} {line}" for mark, line in row.lines)
        for script in section.scripts:
            yield f"  ~ {script.path}: {script.counts or script.withheld}"
            for heading, lines in script.hunks:
                yield f"      {heading}"
                yield from (f"      {mark}{line}" for mark, line in lines)
    yield ""
    yield from (f"{sentence}." for sentence in diff.not_compared)
    yield diff_text.NOT_VERIFIED


def markdown(diff: Diff) -> str:
    """Markdown (CommonMark with tables) for the description of a merge request."""
    return "\n".join(_markdown(diff))


def _markdown(diff: Diff) -> Iterator[str]:
    for sentence in diff_text.warnings(diff):
        yield from (_code(sentence), "")
    yield f"# What changed: {_code(diff_text.side(diff.now))}"
    yield ""
    yield "| | what | digest |"
    yield "|---|---|---|"
    yield f"| before | {_code(diff_text.side(diff.was))} | `{diff.was.digest}` |"
    yield f"| after | {_code(diff_text.side(diff.now))} | `{diff.now.digest}` |"
    yield ""
    rows = tuple(diff_text.runtimes(diff))
    yield from (f"- runtime, {diff_text.SIDES[sign]}: {_code(row)}" for sign, row in rows)
    yield from [""] if rows else []
    yield f"**{diff_text.verdict(diff)}** {diff_text.APPROVE}"
    for section in diff_text.sections(diff):
        yield from ("", f"## {section.title}", "")
        if section.rows:
            yield "| | what | before | after | means |"
            yield "|---|---|---|---|---|"
        yield from map(_markdown_row, section.rows)
        for script in section.scripts:
            yield from _markdown_script(script)
    yield ""
    yield from (f"{sentence}." for sentence in diff.not_compared)
    yield diff_text.NOT_VERIFIED


def _markdown_row(row: Row) -> str:
    mark = "**!** " if row.alarming else ""
    was, now = ("<br>".join(map(_code, row.only(sign))) for sign in "-+")
    return f"| {mark}{_SIGNS[row.sign]} | {_code(row.title)} | {was} | {now} | {row.meaning} |"


def _markdown_script(script: ScriptRow) -> Iterator[str]:
    yield f"<details><summary>{_code(script.path)}: {script.counts or script.withheld}</summary>"
    yield ""
    body = [line for heading, lines in script.hunks for line in (heading, *(f"{mark}{text}" for mark, text in lines))]
    fence = "`" * max(3, 1 + max((len(run) for line in body for run in re.findall(r"`+", line)), default=0))
    yield from (f"{fence}diff", *body, fence) if body else ()
    yield from ("", "</details>", "")


def _code(text: str) -> str:
    """``text`` as code that Markdown does not interpret: a mention in it notifies no one.

    Every mark becomes a character reference. A Markdown code span would show those literally, hence the HTML element.
    """
    return f"<code>{_MARKS.sub(lambda found: f'&#{ord(found[0])};', text)}</code>" if text else ""
