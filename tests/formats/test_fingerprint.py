"""Parsing a SHA-256 as people paste it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats.certificate import parse_fingerprint

HEX = hashlib.sha256(b"a certificate").hexdigest()
PAIRS = ":".join(HEX[at : at + 2] for at in range(0, 64, 2))


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        f"sha256:{HEX}",
        f"SHA256:{PAIRS.upper()}",
        f"sha256 Fingerprint={PAIRS.upper()}",
        f" {PAIRS}\n",
        " ".join(HEX[at : at + 4] for at in range(0, 64, 4)),
    ],
)
def test_as_people_paste_it(text: str) -> None:
    assert parse_fingerprint(text) == HEX


@pytest.mark.parametrize("text", ["", "sha256:", HEX[:-1], f"{HEX}0", f"sha1:{HEX}", f"sha256:sha256:{HEX}", "g" * 64])
def test_nothing_else(text: str) -> None:
    assert parse_fingerprint(text) == ""


@given(st.text())
def test_any_text_gives_digits_or_nothing(text: str) -> None:
    found = parse_fingerprint(text)
    assert found == "" or (len(found) == 64 and set(found) <= set("0123456789abcdef"))
