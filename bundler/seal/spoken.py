"""How is a fingerprint read over a telephone?

As words, each of which is known by its first four letters, with a checksum that finds a word that was misheard
(BIP 39, "Generating the mnemonic": 32 bytes are 24 words, the last of which holds 8 bits of checksum), or as digits
in fours. It says what the fingerprint says and keeps nothing secret.
"""

from __future__ import annotations

from collections.abc import Sequence

from mnemonic import Mnemonic

_GROUP = 4
_A_BREATH = 8


def words(sha256: str) -> tuple[str, ...]:
    """24 English words for 64 hex digits."""
    return tuple(Mnemonic("english").to_mnemonic(bytes.fromhex(sha256)).split())


def digits(sha256: str) -> tuple[str, ...]:
    """The digits in groups of four."""
    return tuple(sha256[start : start + _GROUP] for start in range(0, len(sha256), _GROUP))


def lines(pieces: Sequence[str]) -> list[str]:
    """``pieces`` in lines of a few, as they are read out."""
    count = _A_BREATH
    return [" ".join(pieces[start : start + count]) for start in range(0, len(pieces), count)]
