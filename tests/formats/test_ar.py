"""Unix ar archives as Debian packages use them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.formats.ar import ArError, members
from tests.support.packages import ar

ARCHIVE = ar([("debian-binary", b"2.0\n"), ("odd", b"abc"), ("even", b"abcd"), ("empty", b"")])


def listed(data: bytes) -> list[tuple[str, bytes]]:
    return [(m.name, data[m.offset : m.offset + m.size]) for m in members(io.BytesIO(data))]


def reason(data: bytes) -> str:
    with pytest.raises(ArError) as caught:
        members(io.BytesIO(data))
    return caught.value.reason


def test_members_are_listed_with_their_places() -> None:
    assert listed(ARCHIVE) == [("debian-binary", b"2.0\n"), ("odd", b"abc"), ("even", b"abcd"), ("empty", b"")]


def test_names_may_end_with_a_slash() -> None:
    assert listed(ARCHIVE.replace(b"odd ", b"odd/")) == listed(ARCHIVE)


names = st.text(st.characters(min_codepoint=48, max_codepoint=122, blacklist_characters="/`"), min_size=1, max_size=15)


@given(st.lists(st.tuples(names, st.binary(max_size=9)), min_size=1, max_size=5))
def test_written_statements_are_read(content: list[tuple[str, bytes]]) -> None:
    assert listed(ar(content)) == content


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "truncated"),
        (b"!<ar", "truncated"),
        (b"not an archive at all", "malformed"),
        (b"\n<!DOCTYPE html><html>", "html"),
        (ARCHIVE[:50], "truncated"),
        (ar([("member", b"abcdef")])[:-3], "truncated"),
        (ARCHIVE + b"trailing", "trailing-data"),
        (ARCHIVE + b"\n", "trailing-data"),
        (ARCHIVE.replace(b"abc\n", b"abcX"), "trailing-data"),
        (ARCHIVE.replace(b"`\n", b"`X", 1), "malformed"),
        (ARCHIVE.replace(b"debian-binary   ", b"#1/20           "), "malformed"),
        (ARCHIVE.replace(b"debian-binary   ", b"//              "), "malformed"),
        (ar([("x", b"")] * 100), "malformed"),
    ],
)
def test_each_fault_has_its_reason(data: bytes, why: str) -> None:
    assert reason(data) == why


@given(st.data())
@settings(max_examples=300)
def test_damage_raises_only_the_documented_error(data) -> None:
    damaged = bytearray(ARCHIVE)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    try:
        found = members(io.BytesIO(bytes(damaged[:cut])))
    except ArError:
        return
    assert all(m.offset + m.size <= cut for m in found)
