"""A signed document does not verify the file that contains it."""

from __future__ import annotations

import pytest

from bundler.flow.verify_file import verify_files
from bundler.formats.armor import armor, dearmor
from bundler.trust import anchors as trusted
from tests.support.foreign_bytes import frame
from tests.support.lab_project import NOW
from tests.support.package_signing import Key, anchors

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


def test_an_inrelease_that_ends_early_is_truncated(corpus, tmp_path):
    content = (corpus / "repository/InRelease").read_bytes()
    for cut in (30, 300, len(content) - 60):
        (tmp_path / "InRelease").write_bytes(content[:-cut])
        assert (verdict(tmp_path / "InRelease").kind, verdict(tmp_path / "InRelease").reason) == (
            "apt-release",
            "truncated",
        )


def test_a_signed_text_that_is_no_release_is_not_called_one(tmp_path):
    key = Key()
    (tmp_path / "note").write_bytes(key.clear_signed("Dear reader,\nthis is a note.\n", NOW))
    (found,) = verify_files([tmp_path / "note"], anchors=anchors(key), at=NOW)
    assert (found.kind, found.verified, found.reason) == ("clear-signed", False, "unknown-kind")
    (tmp_path / "note").write_bytes(key.clear_signed("Dear reader,\nDate: today\n", NOW))
    (found,) = verify_files([tmp_path / "note"], anchors=anchors(key), at=NOW)
    assert not found.verified


@pytest.mark.parametrize("size", [700, 40_000])
def test_a_pinned_key_with_more_in_its_file_is_refused(corpus, tmp_path, size):
    armored = (corpus / "keys/microsoft.asc").read_text()
    packets = dearmor(armored.encode())
    for more in (frame(13, b"x" * size), frame(17, b"x" * size), Key("other").signature(0x13, b"", NOW)):
        (tmp_path / "key").write_text(armor(packets + more, "PGP PUBLIC KEY BLOCK"))
        assert verdict(tmp_path / "key").reason in {"other-packets", "malformed"}
    begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    (tmp_path / "key").write_text(armored.replace(begin, begin + "Comment: " + "x" * size + "\n"))
    assert not verdict(tmp_path / "key").verified
    (tmp_path / "key").write_text(armor(packets, "PGP PUBLIC KEY BLOCK"))
    assert verdict(tmp_path / "key").verified
