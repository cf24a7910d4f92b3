"""The list of what can be shown finds texts in code, scripts and pages, and nothing that is only written there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    specification = importlib.util.spec_from_file_location("messages_tool", ROOT / "tools" / "messages.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["messages_tool"] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["messages_tool"]


PYTHON = '''
"""A docstring of a module is not shown."""

@click.command()
@click.option("--a", help="Short.")
def build() -> None:
    """Build the bundle.

    More about it, as help.
    """
    raise WriteError(f"{path} is full", details=["first", "second"] if a else (), do="make room")

def other(name: str) -> str:
    """Not shown, either: a docstring."""
    pattern = re.compile(r"not \\\\w+ shown here")
    return "a sentence that is returned: " + name
'''


def test_python(tool):
    assert [text for _, text in tool.of_python(PYTHON)] == [
        "Short.",
        "Build the bundle.",
        "More about it, as help.",
        "{path} is full",
        "first",
        "second",
        "make room",
        "a sentence that is returned: {name}",
    ]


BASH = """#!/bin/bash
# a comment is not shown here
{# nor is a comment of Jinja #}
fail 200 "the file $1 is {{ word }} and missing"
note 'it is left as it was'
say "last line: $(printf '%s' "$x") was read"
awk '{print $1 and more of this}' "$file"
cat <<'END'
usage: install.sh [options]
  --check  look and change nothing
END
"""


def test_bash(tool):
    assert list(tool.of_script(BASH)) == [
        (4, "the file $1 is {word} and missing"),
        (5, "it is left as it was"),
        (6, "last line: {…} was read"),
        (9, "usage: install.sh [options]"),
        (10, "--check look and change nothing"),
    ]


POWERSHELL = """<#
.SYNOPSIS
Installs the agent and connects.
#>
Add-Problem 210 "the name $($name -join ", ") is not known"
Write-Host 'this is shown now' # not this one at all
"""


def test_powershell(tool):
    assert list(tool.of_script(POWERSHELL)) == [
        (3, "Installs the agent and connects."),
        (5, "the name {…} is not known"),
        (6, "this is shown now"),
    ]


def test_a_page(tool):
    page = "{% if x %}\n<p>It is <b>not</b> sealed: {{ why }}</p><p>Next one</p>\n<style>a b c</style>{% endif %}\n"
    assert list(tool.of_page(page)) == [(2, "It is not sealed: {why}"), (2, "Next one")]


def test_equal_seeds_draw_equal_texts(tool, tmp_path, capsys):
    (tmp_path / "a.py").write_text("\n".join(f'x = "one sentence more {n}"' for n in range(50)), encoding="utf-8")
    drawn = []
    for seed in ("1", "1", "2"):
        assert tool.main(["a.py", "--root", str(tmp_path), "--sample", "5", "--seed", seed]) == 0
        drawn.append(capsys.readouterr().out.splitlines())
    assert len(drawn[0]) == 5
    assert drawn[0] == drawn[1] != drawn[2]


def test_it_reads_the_whole_tree(tool):
    found = list(tool.texts())
    assert len(found) > 1000
    files = {text.file for text in found}
    assert {"bundler/cli/build.py", "templates/review/review.html.j2"} <= files
    assert any(name.endswith(".ps1") or ".ps1." in name for name in files)
