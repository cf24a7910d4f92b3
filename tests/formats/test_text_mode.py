"""Damage by tools that treat a binary file as text is named; other damage, and genuine files, are not called so."""

from __future__ import annotations

import gzip
import io
import random
import zipfile

import pytest

from bundler.formats import text_mode
from tests.support.authenticode_material import pe

NOISE = random.Random(7).randbytes(200_000)


def zipped() -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("noise", NOISE)
    return into.getvalue()


def program() -> bytes:
    image = pe()
    stub = b"\x0e\x1f\xba\x0e\x00\xb4\x09\xcd!This program cannot be run in DOS mode.\r\r\n$"
    return image[:64] + stub + image[64:]


FILES = {
    "msi": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NOISE,
    "rpm": b"\xed\xab\xee\xdb" + NOISE,
    "deb": b"!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n" + NOISE,
    "gzip": gzip.compress(NOISE, mtime=0),
    "zip": zipped(),
    "7z": b"7z\xbc\xaf\x27\x1c" + NOISE,
    "pe": program() + NOISE,
}
CHANGES = {
    "LF became CR LF": lambda content: content.replace(b"\n", b"\r\n"),
    "the carriage returns are gone": lambda content: content.replace(b"\r", b""),
    "the line feeds are gone": lambda content: content.replace(b"\n", b"\r"),
}
SOME_HIGH = ("msi", "rpm", "gzip", "7z")
"""The kinds that start with a byte above 127."""


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("what", CHANGES)
def test_changed_line_ends_are_named(kind, what):
    assert text_mode.damage(io.BytesIO(CHANGES[what](FILES[kind]))) == what


@pytest.mark.parametrize("kind", FILES)
def test_large_files_show_that_cr_lf_became_lf(kind):
    large = FILES[kind] + random.Random(8).randbytes(600_000)
    assert text_mode.damage(io.BytesIO(large.replace(b"\r\n", b"\n"))) == "CR LF became LF"


def test_unix_line_ends_are_normalised_before_they_are_changed():
    once = FILES["msi"].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert text_mode.damage(io.BytesIO(once)) == "LF became CR LF"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda content: content.replace(b"\n", b"\r\n"), "LF became CR LF"),
        (lambda content: content.replace(b"\r\n", b"\n"), "CR LF became LF"),
    ],
)
def test_a_small_program_shows_it_in_its_stub(change, what):
    assert text_mode.damage(io.BytesIO(change(program()))) == what


def test_a_small_deb_shows_it_in_its_first_line():
    assert text_mode.damage(io.BytesIO(FILES["deb"][:200].replace(b"\n", b"\r\n"))) == "LF became CR LF"


@pytest.mark.parametrize("kind", SOME_HIGH)
def test_seven_bits_are_named(kind):
    cut = bytes(byte & 0x7F for byte in FILES[kind])
    assert text_mode.damage(io.BytesIO(cut)) == "bytes were cut to seven bits"


@pytest.mark.parametrize("kind", SOME_HIGH)
def test_replaced_characters_are_named(kind):
    again = FILES[kind].decode("utf-8", "replace").encode()
    assert text_mode.damage(io.BytesIO(again)) == "what is not UTF-8 text was replaced"


@pytest.mark.parametrize("kind", FILES)
def test_genuine_and_otherwise_damaged_files_are_not_called_so(kind):
    flipped = bytearray(FILES[kind])
    flipped[len(flipped) // 2] ^= 1
    for content in (FILES[kind], bytes(flipped), FILES[kind][:-5000], FILES[kind] + b"PK\5\6", FILES[kind][:3000]):
        assert text_mode.damage(io.BytesIO(content)) == ""


@pytest.mark.parametrize("content", [b"", b"MZ", b"text\r\n" * 500, b"#!/bin/sh\n" * 500, b"<html>\r\n" * 100])
def test_short_files_and_texts_are_not(content):
    assert text_mode.damage(io.BytesIO(content)) == ""


def test_every_real_file_is_not(corpus):
    found = {path: path.open("rb") for path in corpus.rglob("*") if path.is_file()}
    try:
        assert {str(path): text_mode.damage(file) for path, file in found.items() if text_mode.damage(file)} == {}
    finally:
        for file in found.values():
            file.close()
