"""A fingerprint in words and digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from bundler.seal import spoken

FINGERPRINTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_the_words_are_those_of_bip_39():
    # BIP 39's own test vectors (Trezor, vectors.json).
    assert spoken.words("00" * 32) == ("abandon",) * 23 + ("art",)
    assert spoken.words("ff" * 32) == ("zoo",) * 23 + ("vote",)


@given(FINGERPRINTS)
def test_words_say_the_whole_fingerprint(fingerprint):
    words = spoken.words(fingerprint)
    assert len(words) == 24
    assert bytes(Mnemonic("english").to_entropy(" ".join(words))).hex() == fingerprint


@given(FINGERPRINTS, st.integers(0, 255))
def test_another_fingerprint_has_other_words(fingerprint, bit):
    other = (int(fingerprint, 16) ^ 1 << bit).to_bytes(32, "big").hex()
    assert spoken.words(other) != spoken.words(fingerprint)


@given(FINGERPRINTS)
def test_digits_are_the_fingerprint_in_fours(fingerprint):
    assert "".join(spoken.digits(fingerprint)) == fingerprint
    assert {len(group) for group in spoken.digits(fingerprint)} == {4}


def test_what_is_no_fingerprint_has_no_words():
    with pytest.raises(ValueError, match=r"."):
        spoken.words("0123")
