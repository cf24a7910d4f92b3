"""Until when an agent is supported."""

from __future__ import annotations

from datetime import date

import pytest

from bundler.products.arc_server import tables
from bundler.products.arc_server.support import of


@pytest.mark.parametrize(
    ("version", "until"),
    [
        ("1.49.02984.2264", date(2026, 2, 28)),
        ("1.50", date(2026, 3, 31)),
        ("1.59.03246.2605", date(2026, 12, 31)),
        ("1.67.03504-1320", date(2027, 8, 31)),
    ],
)
def test_support_ends_with_the_month_a_year_later(version, until):
    assert of(version).until == until


@pytest.mark.parametrize("version", ["", "1", "1.5", "1.480.1", "9.99.0", "abc", "0:1.67.1"])
def test_what_no_table_has_is_not_guessed(version):
    assert of(version).until is None


def test_every_release_has_an_end_after_its_month():
    for release in tables.agents().releases:
        until = of(release.version).until
        assert until is not None
        assert (until.year - 1, until.month) == tuple(map(int, release.month.split("-")))
