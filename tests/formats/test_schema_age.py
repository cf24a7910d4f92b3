"""The form of a document says which release wrote it."""

import json

import pytest

from bundler.formats import strict_json
from bundler.formats.schema_age import schema_age

SCHEMA = "arc-bundler/lock/1"


def age(tree: object) -> str:
    return schema_age(json.dumps(tree).encode(), SCHEMA, {"taken"})


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ({"schema": SCHEMA, "created": ""}, "current"),
        ({"schema": SCHEMA, "taken": ""}, "older"),
        ({"schema": "arc-bundler/lock/2"}, "newer"),
        ({"schema": "arc-bundler/lock/10", "taken": ""}, "newer"),
        ({"schema": "arc-bundler/manifest/2"}, "current"),
        ({"schema": "arc-bundler/lock/0"}, "current"),
        ({"schema": "arc-bundler/lock/02"}, "current"),
        ({"schema": "arc-bundler/lock/٢"}, "current"),
        ({"schema": 2, "taken": ""}, "current"),
        ({"taken": ""}, "current"),
        ([], "current"),
    ],
)
def test_number_and_keys_decide(tree, wanted):
    assert age(tree) == wanted


def test_a_lower_number_is_older():
    assert schema_age(b'{"schema": "arc-bundler/lock/1"}', "arc-bundler/lock/2", ()) == "older"


@pytest.mark.parametrize("document", [b"", b"{", b"\xff", b'{"schema":' * 100_000, b"[" * 100_000])
def test_a_damaged_document_is_not_another_releases(document):
    assert schema_age(document, SCHEMA, {"taken"}) == "current"


def test_a_huge_document_is_not_parsed(monkeypatch):
    monkeypatch.setattr(strict_json, "MAX_TOKENS", 1)
    assert schema_age(b'{"schema": "arc-bundler/lock/2", "a": []}', SCHEMA, ()) == "current"
