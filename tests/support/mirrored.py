"""The same difference looked at from the other side: what comparing the other way round must give."""

from __future__ import annotations

from dataclasses import replace

from bundler.model.diff import Change, Diff, Hunk, Line, Meaning, TextChange, What

_OPPOSITE: dict[Meaning, Meaning] = {
    "new-signer": "lost-signer",
    "lost-signer": "new-signer",
    "newer": "older",
    "older": "newer",
    "weaker": "stronger",
    "stronger": "weaker",
}
_REVERSED: dict[What, What] = {"added": "removed", "removed": "added", "changed": "changed"}


def mirrored(diff: Diff) -> Diff:
    """The same difference looked at from the other side."""
    return replace(
        diff,
        was=diff.now,
        now=diff.was,
        changes=tuple(_mirrored_change(change) for change in diff.changes),
        scripts=tuple(_mirrored_text(text) for text in diff.scripts),
    )


def _mirrored_change(change: Change) -> Change:
    return replace(
        change,
        what=_REVERSED[change.what],
        was=change.now,
        now=change.was,
        meaning=_OPPOSITE.get(change.meaning, change.meaning),
    )


def _mirrored_text(text: TextChange) -> TextChange:
    return replace(text, what=_REVERSED[text.what], hunks=tuple(_mirrored_hunk(hunk) for hunk in text.hunks))


def _mirrored_hunk(hunk: Hunk) -> Hunk:
    lines: list[Line] = []
    run: list[Line] = []
    for line in hunk.lines:
        if line.sign == " ":
            lines += [*_swapped(run), line]
            run = []
        else:
            run.append(line)
    return Hunk(
        was_start=hunk.now_start,
        was_count=hunk.now_count,
        now_start=hunk.was_start,
        now_count=hunk.was_count,
        lines=(*lines, *_swapped(run)),
    )


def _swapped(run: list[Line]) -> list[Line]:
    """Added lines become removed ones and the other way round; what was removed stands first."""
    removed = [replace(line, sign="-") for line in run if line.sign == "+"]
    added = [replace(line, sign="+") for line in run if line.sign == "-"]
    return removed + added
