"""The page about the definition: its examples load, and it speaks of every key and every system."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bundler.products import definition_file
from bundler.products.arc_server import tables

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "definition.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml(?: part=(\w+))?\n(.*?)```", PAGE, re.DOTALL)
WHOLE = next(block for part, block in BLOCKS if not part)


@pytest.mark.parametrize(("part", "block"), BLOCKS)
def test_each_example_loads(part, block):
    text = block if not part else re.sub(rf"^{part}:.*?(?=^\w|\Z)", "", WHOLE, flags=re.DOTALL | re.MULTILINE) + block
    loaded = definition_file.load(Path("bundle.yaml"), text.encode())
    # SLES 15 SP3's limited support; one certificate path for Windows and Linux.
    assert {w.path for w in loaded.warnings} <= {"targets.2.version", "authentication.certificate_file"}


def test_every_key_is_spoken_of():
    shapes = [definition_file.schema(), *definition_file.schema()["$defs"].values()]
    missing = [key for shape in shapes for key in shape["properties"] if not re.search(rf"[`.]{key}[`.:]", PAGE)]
    assert missing == []


def test_every_system_is_in_the_table():
    for system in tables.systems().systems:
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{system.os}` |"))
        if system.os == "sles" and "15.4" < system.version < "15.7":
            continue  # "15.4 to 15.7"
        assert re.search(rf"[ ,]{re.escape(system.version)}[ ,]", row), (system.os, system.version)
        for bound in filter(None, (system.minimum, system.last)):
            assert bound in row
