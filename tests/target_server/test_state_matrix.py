"""Is the matrix of states whole: every row of the table in docs/on-the-server.md, with tests that there are?"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import state_matrix

HERE = Path(__file__).resolve()


def rows_of_the_page() -> list[str]:
    text = (HERE.parents[2] / "docs/on-the-server.md").read_text(encoding="utf-8")
    table = text.partition("## What it finds, and what it does\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    return [cell for cell in cells if cell != "found"]


def test_its_rows_are_those_of_the_page():
    assert list(state_matrix.ROWS) == rows_of_the_page()


def test_every_row_has_a_test_on_each_system_that_can_be_so(request):
    collected = request.session.items
    if set(HERE.parent.glob("test_*.py")) - {item.path for item in collected}:
        pytest.skip("only some of the far side's tests were collected")
    found = {place for item in collected for place in state_matrix.stands_for(item)}
    for row, tests in state_matrix.ROWS.items():
        for system, wanted in zip(state_matrix.SYSTEMS, tests, strict=True):
            assert ((row, system) in found) == bool(wanted), (row, system)


def report(outcome, when="call", *places):
    return SimpleNamespace(outcome=outcome, when=when, user_properties=[("state-row", place) for place in places])


def test_one_that_fails_shows_though_others_pass():
    linux, windows = ("nothing", "linux"), ("nothing", "windows")
    reports = [report("passed", "call", linux), report("failed", "call", linux), report("passed", "setup", linux),
               report("skipped", "setup", windows), report("failed", "setup", ["newer", "linux"])]  # fmt: skip
    lines = state_matrix.matrix(reports)
    assert len(lines) == 1 + len(state_matrix.ROWS)
    assert [cell.strip() for cell in lines[1].split("|")] == ["nothing", "FAILED (1 of 2)", "skipped"]
    assert [cell.strip() for cell in lines[2].split("|")] == ["the same version", "not run", "not run"]
    assert state_matrix.matrix([report("passed")]) == []
