"""Facts of an installer, from its tables."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import msi as reader
from bundler.formats.msi import decode_name, encode_name
from tests.support.authenticode_material import msi, msi_again, msi_streams, string_pool, summary

POOL, DATA, PROPERTY = map(encode_name, ("_StringPool", "_StringData", "Property"))


def facts(streams: dict[str, bytes]):
    return reader.facts(io.BytesIO(msi_again(streams)))


@pytest.mark.parametrize("wide", [False, True])
def test_a_small_installer(wide):
    found = reader.facts(io.BytesIO(msi(wide=wide)))
    assert (found.name, found.version, found.architecture, found.supplier) == ("LAB agent", "1.60.2.3", "x64", "LAB")


def test_all_properties_are_there():
    properties = {"ProductName": "Ä", "ProductVersion": "1", "ProductCode": "{1}", "Empty": ""}
    found = reader.read(io.BytesIO(msi(properties=properties)))
    assert dict(found.properties) == properties


def test_a_string_longer_than_an_index_can_say():
    long = "x" * 70_000
    properties = {"ProductName": "a", "Long": long, "ProductVersion": "1"}
    assert reader.read(io.BytesIO(msi(properties=properties))).properties == properties


@pytest.mark.parametrize(
    ("template", "architecture"),
    [("x64;1033", "x64"), ("Arm64;1033", "arm64"), ("Intel;1033,1041", "x86"), (";1033", "x86"), ("AMD64;0", "x64")],
)
def test_architectures(template, architecture):
    assert facts(msi_streams() | {"\x05SummaryInformation": summary(template)}).architecture == architecture


@pytest.mark.parametrize(
    "changes",
    [
        {"\x05SummaryInformation": summary("Alpha;1033")},
        {"\x05SummaryInformation": summary("Intel,x64;1033")},
        {"\x05SummaryInformation": b""},
        {"\x05SummaryInformation": summary("x64;1033")[:60]},
        {"\x05SummaryInformation": summary("x64;1033").replace(struct.pack("<I", 30), struct.pack("<I", 31))},
        {POOL: b""},
        {POOL: b"123456"},
        {POOL: string_pool(["a" * 100])[0]},
        {DATA: b""},
        {PROPERTY: b"\1"},
        {PROPERTY: b"\xff\x7f\xff\x7f"},
        {PROPERTY: b""},
        {POOL: None},
        {PROPERTY: None},
        {"\x05SummaryInformation": None},
    ],
)
def test_refused_input(changes):
    streams = {name: part for name, part in (msi_streams() | changes).items() if part is not None}
    with pytest.raises(VerificationError) as caught:
        facts(streams)
    assert caught.value.reason == "malformed"


@given(st.text("abcXYZ019._", min_size=1, max_size=30))
def test_names_come_back(name):
    assert decode_name(encode_name(name)) == name


def test_other_names_stay():
    assert decode_name("\x05SummaryInformation") == "\x05SummaryInformation"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([POOL, DATA, PROPERTY, "\x05SummaryInformation"]), st.integers(0, 1 << 16), st.binary(max_size=6)
)
def test_noise_raises_nothing_else(name, place, value):
    streams = msi_streams()
    part = bytearray(streams[name])
    at = place % len(part)
    part[at : at + len(value)] = value
    try:
        found = facts(streams | {name: bytes(part)})
    except VerificationError:
        return
    assert found.name
