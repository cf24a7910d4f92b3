"""A line difference turns one text into the other, from either side, in bounded time."""

from __future__ import annotations

import random
import time
from difflib import unified_diff

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.flow.diff.textdiff import hunks, split
from bundler.model.diff import Diff, Side, TextChange
from tests.support.mirrored import mirrored

SIDE = Side(kind="bundle", name="a", version="1", digest="0")
TEXTS = st.lists(st.sampled_from("abcde \r\u2028"), max_size=30).map("\n".join)


def applied(was: list[str], found) -> list[str]:
    """Apply the difference to ``was`` as ``patch`` does; every unchanged or removed line must be at its place."""
    made: list[str] = []
    place = 0
    for hunk in found:
        start = max(hunk.was_start - 1, 0)
        made += was[place:start]
        place = start
        if hunk.now_count:
            assert hunk.now_start == len(made) + 1
        for line in hunk.lines:
            text = line.text + "\n" * line.ended
            if line.sign in " -":
                assert was[place] == text
                place += 1
            if line.sign in " +":
                made.append(text)
        assert hunk.was_count == sum(line.sign in " -" for line in hunk.lines)
        assert hunk.now_count == sum(line.sign in " +" for line in hunk.lines)
    return made + was[place:]


@given(st.text(alphabet="a\n\r\u2028", max_size=20))
def test_splitting_loses_nothing(text):
    lines = split(text)
    assert "".join(lines) == text
    assert all("\n" not in line[:-1] for line in lines)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_what_stays_goes_and_comes_makes_the_other_text(was, now):
    found = hunks(split(was), split(now))
    assert applied(split(was), found) == split(now)
    assert bool(found) == (was != now)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_from_the_other_side_it_is_the_mirror(was, now):
    def told(was, now):
        text = TextChange(path="x", what="changed", hunks=hunks(split(was), split(now)))
        return Diff(was=SIDE, now=SIDE, changes=(), scripts=(text,))

    assert mirrored(told(was, now)) == told(now, was)


def test_a_change_among_lines_that_repeat_is_as_small_as_it_is():
    was = [f"line {number // 3}\n" for number in range(60)]
    now = [*was[:30], "new\n", *was[30:]]
    (hunk,) = hunks(was, now)
    assert [line.sign for line in hunk.lines] == [" ", " ", " ", "+", " ", " ", " "]
    theirs = list(unified_diff(was, now))
    assert f"@@ -{hunk.was_start},{hunk.was_count} +{hunk.now_start},{hunk.now_count} @@\n" == theirs[2]


def test_changes_far_apart_are_hunks_of_their_own_and_near_ones_share_one():
    was = [f"{number}\n" for number in range(50)]
    near = [line for line in was if line not in ("10\n", "16\n")]
    far = [line for line in was if line not in ("10\n", "30\n")]
    assert len(hunks(was, near)) == 1
    assert len(hunks(was, far)) == 2


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (["x\n"] * 20_000, ["x\n", "y\n"] * 10_000),
        ([f"{n}\n" for n in range(20_000)], [f"{n}\n" for n in reversed(range(20_000))]),
        ([f"{n % 150}\n" for n in range(20_000)], [f"{n % 149}\n" for n in range(20_000)]),
        (random.Random(1).choices([f"{n}\n" for n in range(9000)], k=20_000), [f"{n}\n" for n in range(20_000)]),
    ],
    ids=["one line", "reversed", "cycles", "shuffled"],
)
def test_texts_made_to_be_slow_are_not(was, now):
    began = time.process_time()
    assert applied(was, hunks(was, now)) == now
    assert time.process_time() - began < 20
