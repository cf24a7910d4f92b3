"""What README and pages quote of a screen is in the transcripts that `make transcript` captured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "transcripts"
PAGES = ("README.md", "docs/on-the-server.md")
QUOTES = re.compile(r"<!-- transcript ([\w-]+): .+? -->\n```console\n(.*?)```\n", re.DOTALL)


def quotes(page: str) -> list[tuple[str, list[str]]]:
    """Which transcript a page quotes, and the lines."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [(name, screen.splitlines()) for name, screen in QUOTES.findall(text)]


@pytest.mark.parametrize("page", PAGES)
def test_every_quoted_line_is_in_its_transcript_in_order(page):
    found = quotes(page)
    assert found
    for name, lines in found:
        shown = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
        # What is left out shows as a line of its own; all between two such lines stands together.
        parts = re.split(r"\n *…\n", "\n".join(lines))
        assert [part for part in parts if f"\n{part}\n" not in shown] == [], "run `make transcript`"


@pytest.mark.parametrize("page", PAGES)
def test_no_screen_of_a_server_is_quoted_from_elsewhere(page):
    text = QUOTES.sub("", (ROOT / page).read_text(encoding="utf-8"))
    assert re.findall(r"^\[\d/\d\] .*", text, re.MULTILINE) == []


@pytest.mark.parametrize("name", ["linux", "linux-trouble", "windows"])
def test_a_server_transcript_has_the_table_of_addresses(name):
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    # Of success there is one line; what fails has its row.
    assert re.search(r"^ +\d+ of \d+ endpoints answer$|ENDPOINT +\|REACHABLE \|PRIVATE", text, re.MULTILINE)


def test_what_differs_from_run_to_run_is_replaced():
    for path in FOLDER.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b[0-9a-f]{64}\b|\d{8}T\d{6}Z|arc-bundler-\d+-", text)
        assert "for-the-lab" not in text


def test_no_screen_shows_a_script_error():
    for path in FOLDER.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r".*\.sh: line \d+:.*|Unexpected: .*|Traceback.*", text) == []


def test_no_template_of_a_script_has_another_languages_comment():
    # "{#" is how bash asks for a length, so these templates' comments begin with "{*" (bundler.render.environment).
    for pattern in ("*/linux/*.j2", "*/windows/*.j2"):
        for path in (ROOT / "templates").glob(pattern):
            assert not re.search(r"^\s*\{#", path.read_text(encoding="utf-8"), re.MULTILINE), path
