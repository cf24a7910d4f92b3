"""Reading a definition's YAML: plain data, with lines and spelling, hostile input refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats import definition_text
from bundler.formats.definition_text import TextError

GOOD = b"""\
# a comment
name: arc
version: 1.60
targets:
  - os: windows
    version: "2022"
  - {os: ubuntu,
     version: 22.04}
agent:
  extensions:
    enabled: true
"""


def _first(document: bytes) -> definition_text.TextFault:
    with pytest.raises(TextError) as caught:
        definition_text.read(document)
    return caught.value.faults[0]


def test_tree_lines_and_spelling():
    text = definition_text.read(GOOD)
    assert text.tree == {
        "name": "arc",
        "version": 1.6,
        "targets": [{"os": "windows", "version": "2022"}, {"os": "ubuntu", "version": 22.04}],
        "agent": {"extensions": {"enabled": True}},
    }
    assert text.written["version",] == "1.60"
    assert text.line(("targets", 0)) == 5
    assert text.line(("targets", 0, "version")) == 6
    assert text.line(("targets", 1, "version")) == 8
    assert text.line(("agent", "extensions", "enabled")) == 11


def test_line_of_something_unwritten_is_the_nearest_written_part():
    text = definition_text.read(GOOD)
    assert text.line(("agent", "extensions", "allowlist", 3)) == 10
    assert text.line(("nothing",)) == 1


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-22", "2026-11-22"),
        ("1.60", 1.6),
        ("1.67.03504.3207", "1.67.03504.3207"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("9" * 19, float("9" * 19)),
        ("9" * 5000, "9" * 5000),
        ("'1.60'", "1.60"),
        ('"true"', "true"),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(scalar, expected):
    tree = definition_text.read(f"key: {scalar}\n".encode()).tree
    assert tree == {"key": expected}
    assert type(tree["key"]) is type(expected)


def test_keys_are_always_text():
    assert definition_text.read(b"1: a\ntrue: b\n2.10: c\n").tree == {"1": "a", "true": "b", "2.10": "c"}


@pytest.mark.parametrize(
    ("document", "line", "words"),
    [
        (b"", 1, "empty"),
        (b"# nothing\n\n", 1, "empty"),
        (b"a: 1\nb: 2\na: 3\n", 3, "already given on line 1"),
        (b"a:\n  b: 1\n  b: 2\n", 3, "already given on line 2"),
        (b"a: &x 1\nb: 2\n", 1, "anchors"),
        (b"a: 1\nb: *x\n", 2, "anchors"),
        (b"a: 1\nb:\n  <<: *x\n", 3, "anchors"),
        (b"a: 1\n---\nb: 2\n", 2, "second document"),
        (b"a: !!python/object:os.system x\n", 1, "tag"),
        (b"a: 1\nb: !!binary aGk=\n", 2, "tag"),
        (b"a:\n\tb: 1\n", 2, "tab"),
        (b"a: 1\n\tb: 1\n", 2, "tab"),
        (b"a: 1\nb: \xff\n", 2, "0xff is not UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "UTF-16"),
        (b"a: 1\nb: \x00\n", 2, "U+0000"),
        (b"a: 1\nb: \x7f\n", 2, "U+007F"),
        (b'a: "\\ud800"\n', 1, "surrogate"),
        (b'"\\ud800": a\n', 1, "surrogate"),
        (b'a: "\\UFFFFFFFF"\n', 1, "Unicode character"),
        (b"? [a]\n: b\n", 1, "key is a list"),
        (b"a: [1, 2\nb: 3\n", 2, "not YAML"),
        (b"a: 'x\n", 2, "not YAML"),
        (b"a: b: c\n", 1, "not YAML"),
        (b"[" * 17 + b"]" * 17, 1, "too deep"),
        (b"a: " + b"x" * definition_text.SIZE_LIMIT, 1, "bytes"),
    ],
)
def test_refused(document, line, words):
    fault = _first(document)
    assert (fault.line, words in fault.message) == (line, True), fault


def test_several_duplicates_are_all_reported():
    with pytest.raises(TextError) as caught:
        definition_text.read(b"a: 1\na: 2\nb: 3\nb: 4\n")
    assert [(f.line, f.path) for f in caught.value.faults] == [(2, ("a",)), (4, ("b",))]


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert definition_text.read(b"\xef\xbb\xbfname: x\n").tree == {"name": "x"}


def test_windows_line_ends():
    text = definition_text.read(GOOD.replace(b"\n", b"\r\n"))
    assert text.tree == definition_text.read(GOOD).tree
    assert text.line(("targets", 1, "version")) == 8


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 200_000,
        b"{" * 200_000,
        b"- " * 100_000,
        b"? " * 100_000,
        b"a: " * 80_000,
        b"&a" * 100_000,
        b"!" * 200_000,
    ],
)
@pytest.mark.timeout(60)
def test_hostile_nesting_ends_soon(document):
    with pytest.raises(TextError):
        definition_text.read(document)


_FRAGMENTS = st.sampled_from(
    [
        "name",
        "targets",
        ":",
        " ",
        "\n",
        "- ",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        '"',
        "&a",
        "*a",
        "!!int",
        "|",
        ">",
        "#",
        "? ",
        "---",
        "...",
        "%YAML 1.1",
        "\t",
        "1.60",
        "\\u",
        "~",
        "<<",
        "\u2028",
        "\x85",
        "\ufeff",
        "@",
        "`",
        "é",
    ]
)


@given(st.binary(max_size=300) | st.lists(_FRAGMENTS, max_size=40).map(lambda parts: "".join(parts).encode()))
def test_any_bytes_are_read_or_refused(document):
    try:
        text = definition_text.read(document)
    except TextError as error:
        lines = [fault.line for fault in error.faults]
    else:
        lines = list(text.lines.values())
    assert lines
    assert min(lines) >= 1


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_any_changed_byte_is_read_or_refused(position, byte):
    changed = GOOD[:position] + bytes([byte]) + GOOD[position + 1 :]
    try:
        definition_text.read(changed)
    except TextError as error:
        line = error.faults[0].line
    else:
        return
    assert 1 <= line <= changed.count(b"\n") + 2
