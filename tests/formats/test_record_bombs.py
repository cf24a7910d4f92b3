"""A small document that would need much memory is refused before it is parsed."""

from __future__ import annotations

import pytest

from bundler.formats import json_codec
from bundler.model.manifest import Manifest


@pytest.mark.parametrize(
    "document",
    [b'{"pins":[' + b"0," * 300_000 + b"0]}", b'{"files":[' + b"{}," * 300_000 + b"{}]}", b"[" * 300_000],
)
def test_a_bomb_is_one_fault(document):
    with pytest.raises(json_codec.RecordError) as refused:
        json_codec.from_json(Manifest, document)
    assert [fault.kind for fault in refused.value.faults] == ["too_many"]


def test_depth_is_bounded():
    with pytest.raises(json_codec.RecordError, match="recursion"):
        json_codec.from_json(Manifest, b"[" * 100_000)
