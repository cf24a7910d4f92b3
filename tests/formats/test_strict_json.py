"""JSON that two readers could understand differently is refused by name, in every document that is read."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import LockError, UsageError, VerificationError
from bundler.flow import lock_file
from bundler.formats import dsse, in_toto, json_codec, strict_json
from bundler.formats.dsse import Envelope
from bundler.formats.parse_error import ParseError
from bundler.formats.strict_json import JsonError
from bundler.integrity.check import read_manifest
from bundler.model.anchor import Anchors
from bundler.products.azure import private_endpoint
from bundler.trust import anchors
from tests.support import limited

REFUSED = [
    (b'{"a": 1, "a": 1}', "duplicate_key", (), "the key 'a' occurs twice"),
    (b'{"a": 1, "b": {}, "\\u0061": 2}', "duplicate_key", (), "the key 'a' occurs twice"),
    (b'{"x": [0, {"k\\n": 1, "b": 2, "k\\n": 3}]}', "duplicate_key", ("x", 1), "the key 'k\\n' occurs twice"),
    (b'{"a": {"": 1, "": 2}}', "duplicate_key", ("a",), "the key '' occurs twice"),
    (b'{"a": NaN}', "number", ("a",), "NaN is not a number of JSON"),
    (b"[1, Infinity]", "number", (1,), "Infinity is not a number of JSON"),
    (b"[-Infinity]", "number", (0,), "-Infinity is not a number of JSON"),
    (b'{"a": 1e999}', "number", ("a",), "1e999 is larger than any number that is read"),
    (b'{"a": -1E400}', "number", ("a",), "-1E400 is larger than any number that is read"),
    (b"[100000000000000000000]", "number", (0,), "an integer has 21 digits"),
    (b"[" + b"9" * 5000 + b"]", "number", (0,), "an integer has 5000 digits"),
    (b'["\\ud800"]', "encoding", (0,), "half of a surrogate pair is not a character"),
    (b'{"\\udc00": 1}', "encoding", (), "half of a surrogate pair is not a character"),
    (b'["\\udc00\\ud800"]', "encoding", (0,), "half of a surrogate pair is not a character"),
    (b'["\xed\xa0\x80"]', "encoding", (), "byte 2 is not UTF-8"),
    (b'["\xff"]', "encoding", (), "byte 2 is not UTF-8"),
    (b"\xef\xbb\xbf[]", "json_invalid", (), "it is not JSON"),
    ('["a"]'.encode("utf-16"), "encoding", (), "byte 0 is not UTF-8"),
    (b"\x5b\x00\x5d\x00", "json_invalid", (), "it is not JSON"),
    (b"", "json_invalid", (), "it is not JSON"),
    (b"[1,]", "json_invalid", (), "it is not JSON"),
    (b"[1] 2", "json_invalid", (), "it is not JSON"),
    (b"[01]", "json_invalid", (), "it is not JSON"),
    (b'["a\nb"]', "json_invalid", (), "it is not JSON"),
    (b"[" * 65 + b"]" * 65, "too_deep", (0, 0, 0, 0), "nested more than 64 levels deep"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "too_deep", ("a", "a", "a", "a"), "nested more than 64 levels deep"),
    (b"[" * 100_000, "too_deep", (), "nested more than 64 levels deep"),
    (b"[" + b"0," * 200_000 + b"0]", "too_many", (), "it has more than 200000 values"),
]


@pytest.mark.parametrize(("document", "kind", "path", "message"), REFUSED)
def test_what_could_be_read_in_two_ways_is_refused_by_name(document, kind, path, message):
    with pytest.raises(JsonError) as caught:
        strict_json.read(document)
    assert (caught.value.kind, caught.value.path) == (kind, path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 64 + b"]" * 64,
        b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}',
        b'{"a": 1, "A": 2, "\xc3\xa4": 3, "a\\u0308": 4}',
        b'["\\ud83d\\ude00", "\xf0\x9f\x98\x80", 1e308, -0.0, 1e-999, 99999999999999999999, -99999999999999999999]',
        b'\t{"NaN": "NaN", "Infinity": [true, false, null]}\n',
    ],
)
def test_what_says_one_thing_is_read_as_python_reads_it(document):
    assert strict_json.read(document) == json.loads(document)


_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**19), 10**19)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner),
)


@given(_PLAIN, st.booleans())
def test_everything_that_is_written_is_read(tree, ascii_only):
    assert strict_json.read(json.dumps(tree, ensure_ascii=ascii_only).encode()) == tree


def _twice(document: bytes) -> bytes:
    """``document`` with its first key once more, at the end of its object."""
    tree = json.loads(document)
    key = next(iter(tree))
    return document.rstrip()[:-1] + f", {json.dumps(key)}: {json.dumps(tree[key])}}}".encode()


def test_a_key_twice_in_a_manifest():
    with pytest.raises(VerificationError) as caught:
        read_manifest(b'{"name": "a", "name": "b"}')
    assert any("the key 'name' occurs twice" in detail for detail in caught.value.details)


def test_a_key_twice_in_a_lock(tmp_path):
    place = tmp_path / "bundle.lock"
    place.write_bytes(b'{"name": "a", "pins": [], "name": "b"}')
    with pytest.raises(LockError, match="the key 'name' occurs twice"):
        lock_file.read(place)


def test_a_key_twice_in_a_lock_of_a_former_release(tmp_path):
    place = tmp_path / "bundle.lock"
    place.write_bytes(b'{"taken": "a", "pins": [], "taken": "b"}')
    with pytest.raises(LockError, match="the key 'taken' occurs twice"):
        lock_file.read_former(place)


def test_a_key_twice_in_anchors(tmp_path):
    place = tmp_path / "anchors.json"
    place.write_bytes(_twice(json_codec.to_json(Anchors(name="LAB", roots=(), publishers=()))))
    with pytest.raises(UsageError) as caught:
        anchors.load(place)
    assert any("the key 'name' occurs twice" in detail for detail in caught.value.details)


def test_a_key_twice_in_an_envelope_and_in_a_statement():
    with pytest.raises(ParseError):
        dsse.read(_twice(Envelope(b"{}", "application/x", "ab" * 32, b"s").encode()))
    statement = in_toto.write(in_toto.Statement((in_toto.Resource("a", "ab" * 32),), "x", {}))
    with pytest.raises(in_toto.StatementError, match="the key '_type' occurs twice"):
        in_toto.read(_twice(statement))
    with pytest.raises(in_toto.StatementError, match="the key 'sha256' occurs twice"):
        in_toto.read(statement.replace(b'"sha256":', b'"sha256": "x", "sha256":'))


def test_a_key_twice_in_a_private_endpoints_records():
    with pytest.raises(ParseError, match="the key 'fqdn' occurs twice"):
        private_endpoint.read(b'[{"fqdn": "a.b", "fqdn": "a.c", "ipAddresses": ["10.0.0.1"]}]')
    utf16 = '[{"fqdn": "a.b", "fqdn": "a.c", "ipAddresses": ["10.0.0.1"]}]'.encode("utf-16")
    with pytest.raises(ParseError, match="the key 'fqdn' occurs twice"):
        private_endpoint.read(utf16)


def test_no_other_reader_of_json_meets_what_others_wrote():
    """Whoever reads JSON reads it by this module; the others read what this program wrote a moment ago."""
    root = Path(strict_json.__file__).resolve().parents[2]
    own = {
        "bundler/formats/strict_json.py",
        "bundler/pack/sbom.py",
        "bundler/products/arc_server/script_actions.py",
        "bundler/trust/anchors.py",
    }
    found = {
        path.relative_to(root).as_posix()
        for path in (root / "bundler").rglob("*.py")
        if "json.loads(" in path.read_text(encoding="utf-8") or "json.load(" in path.read_text(encoding="utf-8")
    }
    assert found <= own


def read_bomb(kind: str) -> None:
    documents = {
        "lists": b"[" + b"[]," * 66_000 + b"[]]",
        "deep": b"[" * 5_000_000,
        "text": b'["' + b"a" * 30_000_000 + b'"]',
        "digits": b"[" + b"9" * 10_000_000 + b"]",
        "keys": b"{" + b",".join(b'"%d":1' % n for n in range(150_000)) + b"}",
        "tokens": b"[" + b"0," * 10_000_000 + b"0]",
    }
    with contextlib.suppress(JsonError):
        strict_json.read(documents[kind])


@pytest.mark.parametrize("kind", ["lists", "deep", "text", "digits", "keys", "tokens"])
def test_a_bomb_takes_little_memory(kind):
    found = limited.call(f"{__name__}:read_bomb", kind, memory=256 << 20, seconds=20)
    assert found.error == ""
    assert found.peak < 160 << 20


def test_a_document_that_is_cut_short_is_called_so():
    whole = b'{"a": [1, -2, true, null, false, {"b": "c \\u00e9"}], "d": 1.5e3}'
    for size in range(1, len(whole)):
        with pytest.raises(JsonError) as caught:
            strict_json.read(whole[:size])
        assert "it is cut short" in str(caught.value), whole[:size]
    for wrong in (b"", b"[1] 2", b"[1,]", b"[01]", b"{1: 2}", b"<html>", b"[tru]"):
        with pytest.raises(JsonError) as caught:
            strict_json.read(wrong)
        assert "cut short" not in str(caught.value), wrong
