"""A fingerprint as words and digits, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from bundler.formats import fingerprint_words
from bundler.formats.parse_error import ParseError

FINGERPRINTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_the_words_are_those_of_bip_39():
    # BIP 39's own test vectors (Trezor, vectors.json).
    assert fingerprint_words.words("00" * 32) == ("abandon",) * 23 + ("art",)
    assert fingerprint_words.words("ff" * 32) == ("zoo",) * 23 + ("vote",)


@given(FINGERPRINTS)
def test_words_encode_the_whole_fingerprint(fingerprint):
    words = fingerprint_words.words(fingerprint)
    assert len(words) == 24
    assert bytes(Mnemonic("english").to_entropy(" ".join(words))).hex() == fingerprint


@given(FINGERPRINTS, st.integers(0, 255))
def test_another_fingerprint_has_other_words(fingerprint, bit):
    other = (int(fingerprint, 16) ^ 1 << bit).to_bytes(32, "big").hex()
    assert fingerprint_words.words(other) != fingerprint_words.words(fingerprint)


@given(FINGERPRINTS)
def test_digits_are_the_fingerprint_in_fours(fingerprint):
    assert "".join(fingerprint_words.digits(fingerprint)) == fingerprint
    assert {len(group) for group in fingerprint_words.digits(fingerprint)} == {4}


def test_invalid_fingerprints_have_no_words():
    with pytest.raises(ValueError, match=r"."):
        fingerprint_words.words("0123")


@given(FINGERPRINTS, st.sampled_from([str.upper, str.title, lambda text: text.replace(" ", "\n "), str]))
def test_words_decode_to_the_fingerprint(fingerprint, written):
    assert fingerprint_words.decode(written(" ".join(fingerprint_words.words(fingerprint)))) == fingerprint


@given(FINGERPRINTS)
def test_four_letters_identify_a_word(fingerprint):
    assert fingerprint_words.decode(" ".join(word[:4] for word in fingerprint_words.words(fingerprint))) == fingerprint


@given(FINGERPRINTS, st.integers(0, 23), st.sampled_from(Mnemonic("english").wordlist))
def test_a_misheard_word_never_gives_this_fingerprint(fingerprint, position, other):
    words = list(fingerprint_words.words(fingerprint))
    words[position], meant = other, words[position]
    try:
        heard = fingerprint_words.decode(" ".join(words))
    except ParseError:
        heard = ""
    assert (heard == fingerprint) == (other == meant)


def test_the_checksum_detects_a_misheard_word():
    with pytest.raises(ParseError, match="misheard"):
        fingerprint_words.decode("zoo " * 23 + "zoo")


def test_a_word_of_no_list_is_named():
    with pytest.raises(ParseError, match=r"'qwert' as word 3"):
        fingerprint_words.decode("zoo zoo qwert" + " zoo" * 20 + " vote")


@pytest.mark.parametrize("text", ["", "zoo", "zoo " * 23, "zoo " * 25, "zoo. " * 24, "ff" * 32, "sealer.pem"])
def test_other_texts_are_not_decoded(text):
    assert not fingerprint_words.decode(text)
