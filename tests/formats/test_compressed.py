"""Compressed streams, within bounds."""

from __future__ import annotations

import contextlib
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.formats.compressed import CompressedError, compression_of, decompress, open_decompressed
from tests.support.packages import PACK

DATA = b"what was packed " * 20_000
KINDS = ["gz", "xz", "zst"]


def read(data: bytes, kind: str, limit: int = 1 << 20) -> bytes:
    return b"".join(decompress(io.BytesIO(data), kind, limit=limit))


def reason(data: bytes, kind: str, limit: int = 1 << 20) -> str:
    with pytest.raises(CompressedError) as caught:
        read(data, kind, limit)
    return caught.value.reason


@pytest.mark.parametrize("kind", KINDS)
class TestEach:
    def test_is_unpacked(self, kind: str) -> None:
        packed = PACK[f".{kind}"](DATA)
        assert read(packed, kind) == DATA
        assert read(packed + packed, kind) == DATA * 2
        assert open_decompressed(io.BytesIO(packed), kind, limit=len(DATA)).read() == DATA

    def test_stops_at_its_limit(self, kind: str) -> None:
        assert reason(PACK[f".{kind}"](DATA), kind, len(DATA) - 1) == "too-big"

    def test_truncated_or_extended_input_is_refused(self, kind: str) -> None:
        packed = PACK[f".{kind}"](DATA)
        assert reason(b"", kind) == "truncated"
        assert {reason(packed[:size], kind) for size in range(1, len(packed), 7)} == {"truncated"}
        assert reason(packed + b"something behind", kind) in {"malformed", "truncated"}

    def test_a_bomb_costs_no_memory(self, kind: str) -> None:
        bomb = PACK[f".{kind}"](bytes(64 << 20))
        tracemalloc.start()
        try:
            with pytest.raises(CompressedError):
                for _ in decompress(io.BytesIO(bomb), kind, limit=60 << 20):
                    pass
            assert tracemalloc.get_traced_memory()[1] < 36 << 20
        finally:
            tracemalloc.stop()

    @given(data=st.data())
    @settings(max_examples=60, deadline=None)
    def test_damage_raises_only_the_documented_error(self, kind: str, data) -> None:
        damaged = bytearray(PACK[f".{kind}"](DATA[:3000]))
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
        with contextlib.suppress(CompressedError):
            read(bytes(damaged), kind)


def test_plain_files_are_bounded_too() -> None:
    assert read(DATA, "") == DATA
    assert reason(DATA, "", 100) == "too-big"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Packages", ""), ("a.gz", "gz"), ("a.xz", "xz"), ("primary.xml.zst", "zst"), ("a.bz2", None), ("a.zck", None)],
)
def test_names_tell_the_compression(name: str, kind: str | None) -> None:
    assert compression_of(name) == kind
