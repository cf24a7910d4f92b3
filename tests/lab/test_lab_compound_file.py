"""An independent reader reads the compound files that we write."""

from __future__ import annotations

import io
import struct

import olefile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.lab import compound_file

CLSID = bytes.fromhex("8410 0C00 0000 0000 C000 0000 0000 0046".replace(" ", ""))
SIZES = (0, 1, 63, 64, 65, 511, 512, 513, 4032, 4095, 4096, 4097, 4608, 70_000)

# MSI's own characters (U+3800 to U+4840), the control characters it starts names with, and letters of two cases.
names = st.text(
    st.characters(codec="utf-16", exclude_characters="/\\:!\0", exclude_categories=["Cs"]), min_size=1
).filter(lambda name: len(name.encode("utf-16-le")) <= 62) | st.text(
    st.integers(0x3800, 0x4840).map(chr), min_size=1, max_size=31
)
contents = st.builds(lambda size, seed: bytes([seed]) * size, st.sampled_from(SIZES), st.integers(0, 255))


def read(data: bytes) -> dict[str, bytes]:
    with olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_INCORRECT) as ole:
        return {entry[0]: ole.openstream(entry).read() for entry in ole.listdir()}


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, contents, max_size=40))
def test_an_independent_reader_reads_the_same_streams(streams):
    if len({compound_file.sort_key(name) for name in streams}) != len(streams):
        with pytest.raises(ValueError, match="case"):
            compound_file.write(streams, CLSID)
        return
    data = compound_file.write(streams, CLSID)
    assert len(data) % compound_file.SECTOR == 0
    assert read(data) == streams


@pytest.mark.parametrize("size", SIZES)
def test_a_single_stream_of_every_boundary_size(size):
    content = bytes(i % 251 for i in range(size))
    assert read(compound_file.write({"only": content}, CLSID)) == {"only": content}


@pytest.mark.parametrize("size", [109 * 128 * 512 - 112 * 512, 109 * 128 * 512, 16_000_000])
def test_a_file_with_a_table_larger_than_the_header_holds(size):
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    assert read(compound_file.write({"large": content, "small": b"x"}, CLSID)) == {"large": content, "small": b"x"}


def directory(data: bytes) -> list[tuple[str, int, int, int, int]]:
    """Name, colour, left, right, child of every used entry, where the directory is one run of sectors."""
    at = 512 * (1 + struct.unpack_from("<I", data, 48)[0])
    entries = []
    while at + 128 <= len(data) and data[at + 66]:
        length, _, colour, left, right, child = struct.unpack_from("<HBBIII", data, at + 64)
        entries.append((data[at : at + length - 2].decode("utf-16-le"), colour, left, right, child))
        at += 128
    return entries


@pytest.mark.parametrize("count", range(40))
def test_the_directory_is_a_red_black_tree_in_the_right_order(count):
    names = [("n" * (1 + i % 5)) + str(i) for i in range(count)]
    entries = directory(compound_file.write(dict.fromkeys(names, b""), CLSID))
    none = 0xFFFFFFFF
    seen: list[str] = []

    def walk(identifier: int, parent_red: bool) -> int:
        if identifier == none:
            return 0
        name, colour, left, right, _ = entries[identifier]
        red = colour == 0
        assert not (red and parent_red), "a red node has a red child"
        below = walk(left, red)
        seen.append(name)
        assert walk(right, red) == below, "paths differ in their number of black nodes"
        return below + (not red)

    walk(entries[0][4], parent_red=False)
    assert seen == sorted(names, key=lambda name: (len(name), name.upper()))


def test_the_root_has_the_class_asked_for():
    data = compound_file.write({"a": b""}, CLSID)
    at = 512 * (1 + struct.unpack_from("<I", data, 48)[0])
    assert data[at + 80 : at + 96] == CLSID


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a:b", "a!b", "n" * 32, "\U0001f600" * 16])
def test_a_name_that_the_format_refuses(name):
    with pytest.raises(ValueError, match="name"):
        compound_file.write({name: b""}, CLSID)


def test_names_that_differ_in_case_alone():
    with pytest.raises(ValueError, match="case"):
        compound_file.write({"Abc": b"", "aBC": b""}, CLSID)


def test_a_class_identifier_of_the_wrong_size():
    with pytest.raises(ValueError, match="16"):
        compound_file.write({}, b"short")
