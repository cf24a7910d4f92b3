"""docs/codes.md and the runtime's tables are what the table says, and the table says who really ends with each code."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from bundler.products.arc_server.codes import AGENT, CODES, LINUX, WINDOWS

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "codes_page.py"))
FOLDERS = {LINUX: "linux", WINDOWS: "windows"}

# A number where a script ends with it, or keeps it to end with it; msiexec's table is "1603 = 156".
RAISED = re.compile(
    r"(?:\b(?:fail|problem|serious|explain|exit|return|Stop-Here|Add-Problem|Add-ProblemUnlessLab|Remove-Package|"
    r"code=|Code =|\d+ =|ExitCode =|code =) ?|^\s*)(\d+)(?:$|[\s;})'\"])",
    re.MULTILINE,
)


def raised(script: str) -> set[int]:
    """Every number that this script's templates and runtime end with, apart from the table itself."""
    folder = FOLDERS[script]
    files = (
        path
        for pattern in (f"*/{folder}/*.j2", f"runtime/{folder}/*", f"*/runtime/{folder}/*")
        for path in (ROOT / "templates").glob(pattern)
        if path.stem != "codes"
    )
    lines = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return {int(number) for number in RAISED.findall(lines)}


def test_page_and_runtime_are_what_the_table_says():
    made = TOOL["made"]()
    assert TOOL["PAGE"] in made
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


def test_the_table_of_install_sh_names_each_code():
    table = TOOL["bash"]()
    numbers = sorted(code.number for code in CODES)
    assert re.findall(r"^ {8}(\d+)\)$", table, re.MULTILINE) == [str(number) for number in numbers]


def test_the_page_has_each_code_once_in_order():
    page = TOOL["page"]()
    found = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    ours = sorted(code.number for code in CODES if code.number >= 200)
    theirs = sorted(code.number for code in CODES if code.number < 200)
    assert found == [*ours, *theirs, 137]


@pytest.mark.parametrize("code", CODES, ids=lambda code: str(code.number))
@pytest.mark.parametrize("script", FOLDERS)
def test_a_code_names_who_says_it(code, script):
    said = code.number in raised(script)
    # The agent's numbers stand in a script for other reasons, too: 42 is worth another try, and passed on.
    assert (script in code.by) == said or (AGENT in code.by and said)


def test_no_script_ends_with_a_number_that_has_no_row():
    known = {code.number for code in CODES}
    for script in FOLDERS:
        assert {number for number in raised(script) if 143 <= number < 256} - known == set()
