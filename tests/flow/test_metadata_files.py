"""A signed document does not verify the file that contains it."""

from __future__ import annotations

import pytest

from bundler.flow.verify_file import verify_files
from bundler.trust import anchors as trusted
from tests.support.lab_project import NOW

DOCUMENTS = ["repository/InRelease", "keys/microsoft.asc", "roots/ms-root-2011.pem"]


def verdict(path):
    (found,) = verify_files([path], anchors=trusted.microsoft(), at=NOW)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_alone_is_verified(corpus, name):
    assert verdict(corpus / name).verified


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    "around", [(b"#!/bin/sh\necho evil\nexit\n", b""), (b"", b"\necho evil\n"), (b"MZ evil\n", b"")]
)
def test_a_file_that_carries_it_is_refused(corpus, tmp_path, name, around):
    before, after = around
    (tmp_path / "carrier").write_bytes(before + (corpus / name).read_bytes() + after)
    assert verdict(tmp_path / "carrier").reason == "trailing-data"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_twice_is_refused(corpus, tmp_path, name):
    (tmp_path / "twice").write_bytes((corpus / name).read_bytes() * 2)
    assert not verdict(tmp_path / "twice").verified


@pytest.mark.parametrize("header", [b"Comment: evil", b"touch evil", b"Hash: SHA256\r\nComment: evil"])
def test_an_unsigned_header_is_refused(corpus, tmp_path, header):
    first, rest = (corpus / "repository/InRelease").read_bytes().split(b"\n", 1)
    (tmp_path / "InRelease").write_bytes(first + b"\n" + header + b"\n" + rest)
    assert verdict(tmp_path / "InRelease").reason == "trailing-data"


def test_what_lies_behind_the_bytes_that_are_read_counts(corpus, tmp_path):
    content = (corpus / "roots/ms-root-2011.pem").read_bytes()
    (tmp_path / "long").write_bytes(content + b"\n" * (1 << 20) + b"evil")
    assert not verdict(tmp_path / "long").verified
