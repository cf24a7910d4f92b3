"""in-toto statements: written ones are read back, garbage raises StatementError."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats import in_toto
from bundler.formats.in_toto import Resource, Statement, StatementError

SHA = "a" * 64
FULL = Resource("a b.zip", SHA, uri="https://x.example/a", location="https://y.example/a")
BARE = Resource("東京/SHA256SUMS", "0" * 64)
STATEMENT = Statement((FULL, BARE), "https://slsa.dev/provenance/v1", {"x": [1, {"y": "z"}]})


def test_written_input_is_read():
    assert in_toto.read(in_toto.write(STATEMENT)) == STATEMENT


def test_the_written_form_follows_the_specification():
    body = json.loads(in_toto.write(STATEMENT))
    assert list(body) == ["_type", "subject", "predicateType", "predicate"]
    assert body["_type"] == "https://in-toto.io/Statement/v1"
    assert body["subject"][0] == {
        "name": "a b.zip",
        "uri": "https://x.example/a",
        "downloadLocation": "https://y.example/a",
        "digest": {"sha256": SHA},
    }
    assert body["subject"][1] == {"name": "東京/SHA256SUMS", "digest": {"sha256": "0" * 64}}


def test_unknown_keys_are_passed_over():
    body = json.loads(in_toto.write(STATEMENT))
    body["later"] = body["subject"][0]["annotations"] = {"a": 1}
    assert in_toto.read(json.dumps(body).encode()) == STATEMENT


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1"),
        ("_type", None),
        ("subject", None),
        ("subject", {}),
        ("subject", "text"),
        ("subject", [None]),
        ("subject", [{"name": "x"}]),
        ("subject", [{"name": "x", "digest": {"sha512": "00"}}]),
        ("subject", [{"name": "x", "digest": {"sha256": "A" * 64}}]),
        ("subject", [{"name": "x", "digest": {"sha256": 7}}]),
        ("predicate", "text"),
        ("predicate", 7),
    ],
)
def test_a_wrong_shape_is_refused(key, wrong):
    body = json.loads(in_toto.write(STATEMENT))
    body[key] = wrong
    with pytest.raises(StatementError):
        in_toto.read(json.dumps(body).encode())


def test_resources_of_a_predicate_are_read_alike():
    assert in_toto.resources([FULL.tree(), BARE.tree()]) == (FULL, BARE)
    for wrong in (None, "x", 7, [7], [{"digest": 3}]):
        with pytest.raises(StatementError):
            in_toto.resources(wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["_type", "subject", "predicateType", "predicate", "digest", "sha256", "name"]), inner
        )
    ),
)


@given(st.binary() | JSON.map(json.dumps).map(str.encode))
def test_rubbish_is_refused_by_its_own_error(document):
    with pytest.raises(StatementError):
        in_toto.read(document)


def test_a_nest_without_end_is_refused():
    with pytest.raises(StatementError):
        in_toto.read(b"[" * 1_000_000)
