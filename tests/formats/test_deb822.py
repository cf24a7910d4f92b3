"""Debian control files: ambiguous ones are refused."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats.deb822 import Deb822Error, paragraphs, single


def read(text: bytes) -> list[dict[str, str]]:
    return [dict(p) for p in paragraphs(io.BytesIO(text))]


def test_paragraphs_fields_and_continuations() -> None:
    text = b"\n\nPackage: a\nDescription: short\n long\n .\nSHA256:\n one\n\two\n \n\nPackage: b"
    assert read(text) == [{"package": "a", "description": "short\nlong\n.", "sha256": "\none\nwo"}, {"package": "b"}]


def test_names_are_found_in_any_case() -> None:
    assert single(b"Valid-Until: now\n")["valid-UNTIL"] == "now"


def test_line_ends_of_windows_are_line_ends() -> None:
    assert read(b"A: 1\r\nB: 2\r\n") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"A: 1\nA: 2\n", "duplicate"),
        (b"A: 1\na: 1\n", "duplicate"),
        (b" continuation\n", "malformed"),
        (b"no colon\n", "malformed"),
        (b": no name\n", "malformed"),
        (b"# a comment: here\n", "malformed"),
        (b"-A: 1\n", "malformed"),
        (b"A B: 1\n", "malformed"),
        (b"A: \x00\n", "malformed"),
        (b"A: 1\rB: 2\n", "malformed"),
        (b"A\xff: 1\n", "malformed"),
        (b"A: " + b"x" * (2 << 20), "too-big"),
    ],
)
def test_ambiguous_input_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(Deb822Error) as caught:
        read(text)
    assert caught.value.reason == why


@pytest.mark.parametrize("text", [b"", b"\n", b"A: 1\n\nB: 2\n"])
def test_single_wants_one(text: bytes) -> None:
    with pytest.raises(Deb822Error):
        single(text)


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_the_documented_error(noise: bytes) -> None:
    with contextlib.suppress(Deb822Error):
        read(noise)


words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)


@given(st.dictionaries(st.from_regex(r"\A[A-Z][a-z-]{0,8}\Z"), words, min_size=1, max_size=5))
def test_written_statements_are_read(fields: dict[str, str]) -> None:
    unique = {name.lower(): value for name, value in fields.items()}
    text = "".join(f"{name}: {value}\n" for name, value in unique.items())
    assert read(text.encode()) == [unique]
