"""Every byte of a compound file has an owner, or the file is refused."""

from __future__ import annotations

import io
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import compound_file
from bundler.formats.compound_file import MAGIC, CompoundFile
from bundler.lab.compound_file import write

CLASS = bytes(range(16))
STREAMS = {
    "small": b"small" * 10,
    "large": bytes(range(256)) * 40,
    "empty": b"",
    "Medium": b"x" * 4095,
    "edge": b"y" * 4096,
}
SECTOR = 512


def reason(content: bytes) -> str:
    with pytest.raises(VerificationError) as caught:
        CompoundFile(io.BytesIO(content))
    return caught.value.reason


def patched(content: bytes, at: int, form: str, *values: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, at, *values)
    return bytes(changed)


@pytest.fixture(scope="module")
def good() -> bytes:
    return write(STREAMS, CLASS)


def fat_at(content: bytes) -> int:
    return (struct.unpack_from("<I", content, 76)[0] + 1) * SECTOR


def directory_at(content: bytes) -> int:
    return (struct.unpack_from("<I", content, 48)[0] + 1) * SECTOR


def entry_at(content: bytes, name: str) -> int:
    return content.index(name.encode("utf-16-le") + b"\0\0", directory_at(content))


def test_written_statements_are_read(good):
    held = CompoundFile(io.BytesIO(good))
    assert {child.name: held.read(child) for child in held.root.children} == STREAMS
    assert held.root.clsid == CLASS
    assert held.stream("none") is None


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(categories=("Ll", "Nd")), min_size=1, max_size=12), st.binary(max_size=9000), max_size=12
    )
)
def test_reading_returns_what_was_written(streams):
    try:
        content = write(streams, CLASS)
    except ValueError:  # two names that differ in case alone
        return
    held = CompoundFile(io.BytesIO(content))
    assert {child.name: held.read(child) for child in held.root.children} == streams


def test_a_large_file_takes_little_memory(tmp_path):
    path = tmp_path / "large.msi"
    path.write_bytes(write({"large": bytes(40 << 20)}, CLASS))
    with path.open("rb") as file:
        tracemalloc.start()
        held = CompoundFile(file)
        total = sum(len(chunk) for chunk in held.chunks(held.root.children[0]))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total == 40 << 20
    assert peak < 4 << 20


@pytest.mark.parametrize("addition", [b"x", bytes(1), b"PK\x03\x04" + bytes(508), b"x" * 5000])
def test_bytes_behind_the_end(good, addition):
    assert reason(good + addition) == "trailing-data"


def test_empty_sectors_behind_the_end_are_empty(good):
    assert CompoundFile(io.BytesIO(good + bytes(SECTOR)))


def test_a_chain_without_an_owner(good):
    grown = good + bytes(SECTOR)
    index = len(good) // SECTOR - 1
    assert reason(patched(grown, fat_at(good) + 4 * index, "<I", 0xFFFFFFFE)) == "malformed"


def test_a_truncated_file_is_refused(good):
    for length in range(0, len(good), 97):
        assert reason(good[:length]) in {"truncated", "unknown-kind", "trailing-data", "malformed"}
    assert reason(good[:-SECTOR]) == "truncated"
    assert reason(good[:-10]) == "truncated"


def test_the_end_of_an_archive_in_slack():
    content = write({"one": b"1" * 4096 + b"end", "two": b"2"}, CLASS)
    large, small = content.index(b"1end") + 4, content.index(b"2" + bytes(40)) + 1
    for at in (large, large + 500, small, small + 100):
        assert reason(content[:at] + b"PK\x05\x06" + content[at + 4 :]) == "trailing-data"
    assert CompoundFile(io.BytesIO(content[:large] + b"memory" + content[large + 6 :]))


def test_an_archive_that_is_a_stream_is_a_stream():
    streams = {"a": b"PK\x05\x06", "b": b"1", "c": b"x" * 5000 + b"PK\x05\x06"}
    held = CompoundFile(io.BytesIO(write(streams, CLASS)))
    assert {child.name: held.read(child) for child in held.root.children} == streams


def test_two_streams_that_share_a_sector(good):
    start = struct.unpack_from("<I", good, entry_at(good, "large") + 116)[0]
    assert reason(patched(good, entry_at(good, "edge") + 116, "<I", start)) == "malformed"


def test_a_chain_that_runs_in_a_circle(good):
    start = struct.unpack_from("<I", good, entry_at(good, "large") + 116)[0]
    assert reason(patched(good, fat_at(good) + 4 * (start + 3), "<I", start)) == "malformed"


def test_a_directory_that_runs_in_a_circle(good):
    root_child = struct.unpack_from("<I", good, directory_at(good) + 76)[0]
    child = directory_at(good) + 128 * root_child
    assert reason(patched(good, child + 68, "<I", root_child)) == "malformed"


def test_an_entry_that_hangs_on_nothing(good):
    assert reason(patched(good, directory_at(good) + 76, "<I", 0xFFFFFFFF)) == "trailing-data"


def test_a_directory_out_of_order(good):
    changed = good.replace("small".encode("utf-16-le"), "zmall".encode("utf-16-le"))
    assert CompoundFile(io.BytesIO(changed)), "still in order"
    assert reason(good.replace("small".encode("utf-16-le"), "aaaal".encode("utf-16-le"))) == "malformed"


def test_names_that_differ_in_case_alone():
    content = write({"abcd": b"1", "abce": b"2", "xyzzy": b"3"}, CLASS)
    assert reason(content.replace("abce".encode("utf-16-le"), "ABCD".encode("utf-16-le"))) == "duplicate-name"


def test_a_free_entry_with_something_in_it():
    content = write({"only": b"1"}, CLASS)
    free = directory_at(content) + 2 * 128
    assert reason(patched(content, free + 10, "<H", 7)) == "trailing-data"
    assert reason(patched(content, free + 120, "<H", 7)) == "trailing-data"


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        (8, "<B", 1),
        (24, "<H", 0x3B),
        (26, "<H", 5),
        (28, "<H", 0xFEFF),
        (30, "<H", 12),
        (32, "<H", 7),
        (36, "<H", 1),
        (40, "<I", 1),
        (56, "<I", 8192),
        (48, "<I", 0xFFFFFFFE),
        (64, "<I", 9),
        (44, "<I", 0),
    ],
)
def test_a_header_with_another_value(good, at, form, value):
    assert reason(patched(good, at, form, value)) in {"malformed", "truncated"}


@pytest.mark.parametrize("field", [48, 60, 76])
def test_a_header_that_points_past_the_end(good, field):
    assert reason(patched(good, field, "<I", 1 << 20)) in {"truncated", "malformed"}


def test_a_directory_that_never_ends_costs_little():
    entries = 200_000
    content = write({"x" * 8: bytes(entries * 128)}, CLASS)
    held = CompoundFile(io.BytesIO(content))
    start = held.root.children[0].start
    assert reason(patched(content, 48, "<I", start)) == "malformed"


def test_a_stream_longer_than_its_kind_can_be(good):
    held = CompoundFile(io.BytesIO(good))
    with pytest.raises(VerificationError):
        held.read(held.stream("large"), 100)


def test_a_file_that_shrinks_while_it_is_read(good):
    class Shrinking(io.BytesIO):
        def readinto(self, buffer):
            return 0

    file = Shrinking(good)
    with pytest.raises(VerificationError) as caught:
        CompoundFile(file)
    assert caught.value.reason == "truncated"


@settings(max_examples=300, deadline=None)
@given(noise=st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6))
def test_noise_raises_nothing_else(noise):
    content = bytearray(write(STREAMS, CLASS))
    for place, value in noise:
        at = place % (len(content) - len(value))
        content[at : at + len(value)] = value
    try:
        held = CompoundFile(io.BytesIO(bytes(content)))
    except VerificationError:
        return
    assert sum(len(held.read(child)) for child in held.root.children if child.kind == "stream") <= len(content)


@given(st.binary(max_size=2048))
def test_any_bytes_behind_the_magic_raise_nothing_else(content):
    assert reason(MAGIC + content) in {"truncated", "malformed", "trailing-data"}
    assert compound_file.MAGIC == MAGIC


def test_storages_are_read_with_their_streams(corpus):
    """A real file of version 4, with sectors of 4096 bytes."""
    with (corpus / "authenticode/good-microsoft-2023.msi").open("rb") as file:
        held = CompoundFile(file)
        assert len(held.root.children) == 63
        assert len(held.read(held.stream("\x05DigitalSignature"))) == 10200
