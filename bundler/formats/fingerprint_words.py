"""How is a fingerprint read over a telephone, and which one was decode?

As words, each of which is known by its first four letters, with a checksum that finds a word that was misheard
(BIP 39, "Generating the mnemonic": 32 bytes are 24 words, the last of which holds 8 bits of checksum), or as digits
in fours. It says what the fingerprint says and keeps nothing secret.
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
    """Whether ``text`` has as many words as a fingerprint, and nothing but words."""
    said = text.split()
    return len(said) == _COUNT and all(word.isalpha() for word in said)


def decode(text: str) -> str:
    """The 64 hex digits that the 24 words in ``text`` say; empty where it is not 24 words.

    Case, line ends and all but a word's first four letters do not matter. Raises :class:`ParseError` for a word that
    is none of the list's, and where the checksum tells that one was misheard.
    """
    said = text.lower().split()
    if not is_mnemonic(text):
        return ""
    language = Mnemonic("english")
    # The list's longest words have eight letters: what people add behind the first four says nothing.
    meant = [language.expand_word(word if word in language.wordlist else word[:4]) for word in said]
    for position, word in enumerate(meant):
        if word not in language.wordlist:
            raise ParseError(f"has {said[position]!a} as word {position + 1}, which is no word of a fingerprint")
    if not language.check(" ".join(meant)):
        raise ParseError("has a word that was misheard: the last one does not fit those before it")
    return bytes(language.to_entropy(meant)).hex()


def digits(sha256: str) -> tuple[str, ...]:
    """The digits in groups of four."""
    return tuple(sha256[start : start + _GROUP] for start in range(0, len(sha256), _GROUP))


def lines(parts: Sequence[str]) -> list[str]:
    """``parts`` in lines of a few, as they are read out."""
    count = WORDS_PER_LINE
    return [" ".join(parts[start : start + count]) for start in range(0, len(parts), count)]
