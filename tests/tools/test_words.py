"""The word list: what it finds, what it lets pass, and that a list with holes is refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    specification = importlib.util.spec_from_file_location("words_tool", ROOT / "tools" / "words.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["words_tool"] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["words_tool"]


def found(tool, text):
    words, _ = tool.load()
    return [(hit.line, hit.word) for hit in tool.hits("bundler/x.py", text, words)]


@pytest.mark.parametrize(
    "text",
    [
        "Believed", "not_believed", "class NotBelieved", "disbelief", "believing()", "judge", "rejudged", "judges",
        "judging", "_judge", "wish", "class AgentWish", "of_wishes", "wished", "nobody", "Nobody's", "somebody",
        "whom", "whoever",
        "for_whom", "whose", "a fault of ours", "another way than this", "by another way", "the far side", "far_side",
        "far-side",
        "as they should be", "a practice bundle", "practising", "vouching", "Vouched",
    ],
)  # fmt: skip
def test_a_word_is_found(tool, text):
    assert found(tool, f"first line\n{text}\n")


@pytest.mark.parametrize(
    "text", ["verified", "swish", "relieve", "practical", "who", "the whole", "fault", "as it is", "afar"]
)
def test_other_words_pass(tool, text):
    assert not found(tool, text)


@pytest.mark.parametrize(
    "text",
    [
        "a fault\nof ours",
        "# a fault\n# of ours",
        "> a fault\n> of ours",
        '    "a fault "\n    f"of ours"',
        "a fault\r\nof ours",
    ],
)
def test_a_phrase_is_found_over_a_line_break(tool, text):
    assert [line for line, _ in found(tool, f"\n{text}")] == [2]


def test_a_hit_names_file_line_word_and_replacement(tool):
    words, _ = tool.load()
    (hit,) = tool.hits("docs/a.md", "one\ntwo\nthe far side", words)
    assert str(hit) == "docs/a.md:3: far side -> use target server, on the server"


def test_an_exception_covers_its_line_alone(tool):
    words, _ = tool.load()
    allowed = tool.Exemption("docs/*.md", "best practice", "a set phrase")
    text = "best practice\nthe practice bundle"
    assert [hit.line for hit in tool.hits("docs/a.md", text, words, [allowed])] == [2]
    assert [hit.line for hit in tool.hits("README.md", text, words, [allowed])] == [1, 2]
    assert allowed.used == 1


@pytest.mark.parametrize("entry", ['[[word]]\npattern = "x"', '[[exception]]\nfile = "x"'])
def test_a_list_with_a_hole_is_refused(tool, tmp_path, entry):
    (tmp_path / "list.toml").write_text(entry, encoding="utf-8")
    with pytest.raises(ValueError, match="has no"):
        tool.load(tmp_path / "list.toml")


def test_it_reads_every_text_file_and_leaves_decisions_out(tool, tmp_path):
    for name in ["docs/a.md", "docs/decisions/b.md", "docs/c.png", "bundler/d/e.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\x89\xff" if name.endswith("png") else b"text\n")
    assert [name for name, _ in tool.files(["bundler", "docs"], tmp_path)] == ["bundler/d/e.py", "docs/a.md"]


def test_it_ends_with_1_where_a_word_is_found_and_a_report_with_0(tool, tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("nobody\n", encoding="utf-8")
    assert tool.main(["docs"], tmp_path) == 1
    assert capsys.readouterr().out.startswith("docs/a.md:1: nobody -> use ")
    assert tool.main(["docs", "--report"], tmp_path) == 0
    assert "1  docs " in capsys.readouterr().out
    (tmp_path / "docs" / "a.md").write_text("no one\n", encoding="utf-8")
    assert tool.main(["docs"], tmp_path) == 0
