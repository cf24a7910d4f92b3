"""Compares two texts line by line.

Patience diff (Bram Cohen): lines that are in both texts exactly once are matched first, so that a moved function does
not pair its braces with those of another. The work is bounded for any text, and exchanging the two texts mirrors the
result.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from bundler.model.diff import Hunk, Line

CONTEXT = 3
"""Unchanged lines around a change, as in `diff -u`."""
MAX_LINES = 20_000
_DEEPEST = 24
_SMALL = 10_000
"""Largest product of two line counts that is compared exhaustively where no line is unique."""

_Pair = tuple[int, int]
_Gap = tuple[int, int, int, int]


def split(text: str) -> list[str]:
    """The lines of ``text`` with their ends; only a line feed ends a line, no other Unicode separator."""
    lines = [line + "\n" for line in text.split("\n")]
    return [*lines[:-1], lines[-1][:-1]] if lines[-1] != "\n" else lines[:-1]


def hunks(was: Sequence[str], now: Sequence[str]) -> tuple[Hunk, ...]:
    """The lines that differ, with ``CONTEXT`` lines around them; none where the texts are equal."""
    # Always the same of the two directions, so that the other one is its mirror.
    pairs = _pairs(was, now) if list(was) <= list(now) else [(left, right) for right, left in _pairs(now, was)]
    return tuple(_hunk(was, now, script) for script in _grouped(_script(pairs, len(was), len(now))))


def _pairs(was: Sequence[str], now: Sequence[str]) -> list[_Pair]:
    """Positions of the unchanged lines, in order.

    1. Take equal lines off the start and the end of the gap.
    2. Match the lines that are unique in both parts, in their order; the gaps between them are compared in turn.
    3. Without such lines, or too deep, compare a small gap exhaustively; a large one counts as changed.
    """
    found: list[_Pair] = []
    gaps: list[tuple[_Gap, int]] = [((0, len(was), 0, len(now)), 0)]
    while gaps:
        gap, depth = gaps.pop()
        start, end, same = _trimmed(was, now, gap)
        found += same
        anchors = _anchors(was, now, start, end) if depth < _DEEPEST else []
        if not anchors:
            found += _small(was, now, start, end)
            continue
        found += anchors
        left, right = start
        for here, there in [*anchors, end]:
            gaps.append(((left, here, right, there), depth + 1))
            left, right = here + 1, there + 1
    return sorted(found)


def _trimmed(was: Sequence[str], now: Sequence[str], gap: _Gap) -> tuple[_Pair, _Pair, list[_Pair]]:
    """The gap without the lines that are the same at its start and end, and those lines."""
    left, left_end, right, right_end = gap
    same = []
    while left < left_end and right < right_end and was[left] == now[right]:
        same.append((left, right))
        left, right = left + 1, right + 1
    while left < left_end and right < right_end and was[left_end - 1] == now[right_end - 1]:
        left_end, right_end = left_end - 1, right_end - 1
        same.append((left_end, right_end))
    return (left, right), (left_end, right_end), same


def _anchors(was: Sequence[str], now: Sequence[str], start: _Pair, end: _Pair) -> list[_Pair]:
    """The most lines that are in both parts exactly once, and in the same order."""
    before, after = Counter(was[start[0] : end[0]]), Counter(now[start[1] : end[1]])
    places = {now[place]: place for place in range(start[1], end[1]) if after[now[place]] == 1}
    common = [
        (place, places[was[place]])
        for place in range(start[0], end[0])
        if before[was[place]] == 1 and was[place] in places
    ]
    return _rising(common)


def _rising(pairs: list[_Pair]) -> list[_Pair]:
    """The longest increasing subsequence of ``pairs`` by their second number (Fredman 1975, by patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for number, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        previous.append(ends[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(place)
            ends.append(number)
        else:
            tops[pile], ends[pile] = place, number
    longest = []
    number = ends[-1] if ends else -1
    while number >= 0:
        longest.append(pairs[number])
        number = previous[number]
    return longest[::-1]


def _small(was: Sequence[str], now: Sequence[str], start: _Pair, end: _Pair) -> Iterator[_Pair]:
    if (end[0] - start[0]) * (end[1] - start[1]) > _SMALL:
        return
    blocks = SequenceMatcher(None, was[start[0] : end[0]], now[start[1] : end[1]], autojunk=False)
    for left, right, length in blocks.get_matching_blocks():
        for step in range(length):
            yield start[0] + left + step, start[1] + right + step


_Step = tuple[int | None, int | None]


def _script(pairs: list[_Pair], was_length: int, now_length: int) -> list[_Step]:
    """Every line of both texts in order: a pair for an unchanged line, one side for a removed or added one."""
    steps: list[_Step] = []
    left = right = 0
    for here, there in [*pairs, (was_length, now_length)]:
        steps += [(place, None) for place in range(left, here)]
        steps += [(None, place) for place in range(right, there)]
        steps.append((here, there))
        left, right = here + 1, there + 1
    return steps[:-1]


def _grouped(steps: list[_Step]) -> Iterator[list[_Step]]:
    """The steps around changes, with their context; parts that touch are joined."""
    changed = [number for number, step in enumerate(steps) if None in step]
    first = last = None
    for number in changed:
        if first is None or last is None:
            first = number
        elif number - last > 2 * CONTEXT + 1:
            yield steps[max(0, first - CONTEXT) : last + CONTEXT + 1]
            first = number
        last = number
    if first is not None and last is not None:
        yield steps[max(0, first - CONTEXT) : last + CONTEXT + 1]


def _hunk(was: Sequence[str], now: Sequence[str], steps: list[_Step]) -> Hunk:
    lefts = [left for left, _ in steps if left is not None]
    rights = [right for _, right in steps if right is not None]
    return Hunk(
        was_start=_start(lefts),
        was_count=len(lefts),
        now_start=_start(rights),
        now_count=len(rights),
        lines=tuple(_line(was, now, step) for step in steps),
    )


def _start(places: list[int]) -> int:
    """Number of a hunk's first line, counted from 1; 0 for an empty text."""
    return places[0] + 1 if places else 0


def _line(was: Sequence[str], now: Sequence[str], step: _Step) -> Line:
    left, right = step
    if left is not None:
        text = was[left]
        return Line(sign="-" if right is None else " ", text=text.removesuffix("\n"), ended=text.endswith("\n"))
    text = now[right or 0]
    return Line(sign="+", text=text.removesuffix("\n"), ended=text.endswith("\n"))
