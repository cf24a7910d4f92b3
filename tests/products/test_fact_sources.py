"""Every fact in a table has its source, and the source's date."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

DATED = re.compile(r"\b20[0-9]{2}-[01][0-9](-[0-3][0-9])?\b|\((19|20)[0-9]{2}\)")
TABLES = {
    ("arc_server", "endpoints.json"): "endpoints",
    ("arc_server", "systems.json"): "systems",
    ("arc_server", "agents.json"): "releases",
    ("arc_server", "clouds.json"): "clouds",
    ("arc_server", "bypass.json"): "keywords",
    ("arc_server", "communities.json"): "regions",
    ("arc_server", "roots.json"): "roots",
    ("arc_server", "words.json"): "systems",
    ("azure", "clouds.json"): "clouds",
    ("azure", "regions.json"): "regions",
}


def table(package, name):
    return json.loads((files(f"bundler.data.{package}") / name).read_bytes())


@pytest.mark.parametrize(("place", "rows"), TABLES.items(), ids=[f"{one}/{two}" for one, two in TABLES])
def test_each_row_names_its_source_with_a_date(place, rows):
    found = table(*place)[rows]
    assert found
    assert [row for row in found if not DATED.search(row["source"])] == []


def test_each_known_region_code_names_its_source_with_a_date():
    known = [row for row in table("azure", "regions.json")["regions"] if row["his"]]
    assert len(known) > 20
    assert [row for row in known if not DATED.search(row["his_source"])] == []


def test_each_limit_names_its_source_with_a_date():
    limits = table("arc_server", "limits.json")
    assert DATED.search(limits["resource_name_source"])
    assert DATED.search(limits["reserved_source"])
