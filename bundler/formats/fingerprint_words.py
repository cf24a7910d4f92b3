"""Converts a fingerprint to words that can be read out over the telephone, and back.

BIP 39, "Generating the mnemonic": 32 bytes are 24 English words. Each is identified by its first four letters, and the
last one holds a checksum of 8 bits, which detects a misheard word. The words are as public as the fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence

from mnemonic import Mnemonic

from bundler.formats.parse_error import ParseError

_COUNT = 24
_GROUP = 4
WORDS_PER_LINE = 8


def words(sha256: str) -> tuple[str, ...]:
    """24 English words for 64 hex digits."""
    return tuple(Mnemonic("english").to_mnemonic(bytes.fromhex(sha256)).split())


def is_mnemonic(text: str) -> bool:
    """Whether ``text`` consists of as many words as a fingerprint."""
    parts = text.split()
    return len(parts) == _COUNT and all(word.isalpha() for word in parts)


def decode(text: str) -> str:
    """The 64 hex digits for the 24 words in ``text``; empty if it is not 24 words.

    Case, line ends and all but the first four letters of a word do not matter.

    Raises:
        ParseError: a word is not in the list, or the checksum does not match.
    """
    given = text.lower().split()
    if not is_mnemonic(text):
        return ""
    language = Mnemonic("english")
    # Four letters identify a word of the list: letters after them may be missing or misspelled.
    meant = [language.expand_word(word if word in language.wordlist else word[:4]) for word in given]
    for position, word in enumerate(meant):
        if word not in language.wordlist:
            raise ParseError(f"has {given[position]!a} as word {position + 1}, which is not in the word list")
    if not language.check(" ".join(meant)):
        raise ParseError("has a misheard word: the checksum in the last one does not match")
    return bytes(language.to_entropy(meant)).hex()


def digits(sha256: str) -> tuple[str, ...]:
    """The digits in groups of four."""
    return tuple(sha256[start : start + _GROUP] for start in range(0, len(sha256), _GROUP))


def lines(parts: Sequence[str]) -> list[str]:
    """``parts`` in lines of a few, for reading out."""
    count = WORDS_PER_LINE
    return [" ".join(parts[start : start + count]) for start in range(0, len(parts), count)]
