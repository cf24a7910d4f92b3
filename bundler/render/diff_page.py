"""Renders a difference as one HTML page, in the style of the review page."""

from __future__ import annotations

from dataclasses import replace

from bundler.model.diff import Diff
from bundler.render import diff_text
from bundler.render.diff_text import ScriptRow
from bundler.render.pages import page

_TAB = "→   "
"""Shown for a tab, which would otherwise look like blanks."""


def diff_page(diff: Diff) -> bytes:
    """The page for ``diff``: one HTML file in UTF-8; the same difference gives the same bytes."""
    sections = tuple(
        replace(section, scripts=tuple(map(_without_tabs, section.scripts))) for section in diff_text.sections(diff)
    )
    return page(
        "review/diff.html.j2",
        {
            "diff": diff,
            "was": diff_text.side(diff.was),
            "now": diff_text.side(diff.now),
            "lab": diff.was.lab or diff.now.lab,
            "warnings": tuple(diff_text.warnings(diff)),
            "runtimes": tuple((diff_text.SIDES[sign], row) for sign, row in diff_text.runtimes(diff)),
            "verdict": diff_text.verdict(diff),
            "approve": diff_text.APPROVE,
            "sections": sections,
            "alarming": tuple((section, row) for section in sections for row in section.rows if row.alarming),
        },
    )


def _without_tabs(script: ScriptRow) -> ScriptRow:
    hunks = tuple(
        (heading, tuple((mark, line.replace("\t", _TAB)) for mark, line in lines)) for heading, lines in script.hunks
    )
    return replace(script, hunks=hunks)
