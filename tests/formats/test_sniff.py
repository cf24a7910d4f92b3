"""A file's kind is recognised by its content, never by its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats import sniff


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "msi"),
        (b"MZ\x90\x00", "pe"),
        (b"!<arch>\ndebian-binary", "deb"),
        (b"\xed\xab\xee\xdb\x03", "rpm"),
        (b"PK\x03\x04", "zip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"MSCF", "cab"),
        (b"-----BEGIN PGP SIGNED MESSAGE-----", "pem"),
        (b"<!DOCTYPE html>", "html"),
        (b"\xef\xbb\xbf\r\n\t<HTML lang=en>", "html"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", "html"),
        (b"<!-- a portal -->\n<html>", "html"),
        ("\ufeff<html>".encode("utf-16-le"), "html"),
        (b"<#\n.SYNOPSIS writes <html> pages\n#>", "text"),
        (b"<?xml version='1.0'?><assembly/>", "text"),
        (b'{"error": "not found"}', "text"),
        (b"Write-Host 1\r\n# SIG # Begin signature block\r\n", "ps1"),
        ("\ufeffx\r\n# SIG # Begin signature block\r\n".encode("utf-16-le"), "ps1"),
        (b"\0\1\2\3", "unknown"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", "unknown"),
        (b"x" * 100 + "ü".encode()[:1], "text"),
    ],
)
def test_kinds(head, expected):
    assert sniff.kind(head) == expected


def test_a_signature_block_may_lie_at_the_end():
    assert sniff.kind(b"Write-Host", b"\r\n# SIG # Begin signature block\r\n") == "ps1"


def test_an_archive_stays_one_whatever_it_ends_in():
    assert sniff.kind(b"PK\x03\x04", b"\r\n# SIG # Begin signature block\r\n") == "zip"


@given(st.binary(max_size=300))
def test_any_bytes_are_something(head):
    assert sniff.kind(head)


def test_the_corpus(corpus):
    kinds = {
        "msi": "msi",
        "dll": "pe",
        "psd1": "ps1",
        "deb": "deb",
        "rpm": "rpm",
        "pem": "pem",
        "asc": "pem",
        "gz": "gzip",
    }
    for file in [*corpus.glob("*/*.*")]:
        expected = "html" if file.name == "html-page.msi" else kinds[file.suffix[1:]]
        content = file.read_bytes()
        assert sniff.kind(content[: sniff.HEAD], content[-sniff.HEAD :]) == expected, file.name
