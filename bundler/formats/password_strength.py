"""Estimates how many guesses a password withstands: a rough lower bound, by what people choose and programs try first.

A run of letters counts as one word, not as letters; a number as one of few; repetitions and sequences as one character.
Sources: NIST SP 800-63B section 5.1.1.2 (what to compare a chosen password with); Diceware for the bits of a word.
"""

from __future__ import annotations

import math
import re
from itertools import groupby, pairwise

ENOUGH = 50.0
"""Bits from which a password is not called weak: four random words, or nine random characters. A 7z's key takes 2^19
rounds of SHA-256 a guess, which adds 19."""

_WORD = math.log2(7776)
"""Bits of a word that was drawn from a list of 7776."""
_CHOSEN = math.log2(2000)
"""Bits of a word that a person chose."""
_COMMON = 5.0
_COMMON_WORDS = frozenset(
    [
        "password", "passwort", "passw0rd", "pass", "admin", "administrator", "root", "user", "welcome", "login",
        "secret", "geheim", "changeme", "default", "test", "temp", "letmein", "qwerty", "qwertz", "azerty", "asdf",
        "asdfgh", "yxcvb", "zxcvb", "monkey", "dragon", "iloveyou", "master", "hello", "summer", "winter", "spring",
        "autumn", "sommer", "herbst", "azure", "arc", "server", "windows", "linux", "microsoft", "contoso", "company",
        "bundle", "backup", "tokyo", "japan", "taipei", "taiwan",
    ]
)  # fmt: skip
_PIECES = re.compile(r"[^\W\d_]+|\d+|.", re.DOTALL)
_LEET = str.maketrans("01345@$!7", "oieasasit")
_NO_WORD = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}", re.IGNORECASE)
_LONGEST_WORD = 12


def bits(password: str) -> float:
    """About how many bits of guessing ``password`` withstands; never less for more of it."""
    plain = password.casefold().translate(_LEET)
    if plain.strip("0123456789!?.-_ ") in _COMMON_WORDS or _is_one_sequence(password):
        return _COMMON + min(len(password), 8)
    pieces = _PIECES.findall(password)
    words = sum(1 for piece in pieces if piece.isalpha() and len(piece) > 2)
    found = 0.0
    seen: set[str] = set()
    for piece in pieces:
        found += 1.0 if piece.casefold() in seen else _piece_bits(piece, _WORD if words > 2 else _CHOSEN)
        seen.add(piece.casefold())
    return found


def is_weak(password: str) -> bool:
    """Whether fewer than :data:`ENOUGH` bits protect what ``password`` encrypts."""
    return bits(password) < ENOUGH


def _piece_bits(piece: str, word: float) -> float:
    if piece.isdecimal():
        return min(_character_bits(piece), 7.0) if re.fullmatch(r"(19|20)\d\d", piece) else _character_bits(piece)
    if not piece.isalpha() or len(piece) < 3:
        return _character_bits(piece)
    if piece.casefold() in _COMMON_WORDS:
        return _COMMON
    is_random = len(piece) > _LONGEST_WORD or _NO_WORD.search(piece) or _mixed_inside(piece) or not piece.isascii()
    return _character_bits(piece) if is_random else word + (1.0 if piece != piece.lower() else 0.0)


def _mixed_inside(piece: str) -> bool:
    """Whether capitals are elsewhere than at the start: ``aKfQ``; not ``Summer`` or ``SUMMER``."""
    return piece not in (piece.lower(), piece.upper(), piece.capitalize())


def _character_bits(piece: str) -> float:
    """By the kinds of characters; the same one again, or the next one of a sequence, adds nothing."""
    pools = ((str.islower, 26), (str.isupper, 26), (str.isdecimal, 10))
    size = sum(amount for kind, amount in pools if any(kind(character) for character in piece))
    size += 0 if piece.isalnum() else 33
    size += 0 if piece.isascii() else 2000
    runs = [character for character, _ in groupby(piece)]
    steps = [ord(later) - ord(earlier) for earlier, later in pairwise(runs)]
    kept = 1 + sum(1 for at, step in enumerate(steps) if at == 0 or step != steps[at - 1] or abs(step) > 1)
    return kept * math.log2(max(size, 2))


def _is_one_sequence(password: str) -> bool:
    rows = ("1234567890", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "abcdefghijklmnopqrstuvwxyz")
    text = password.casefold()
    return len(set(text)) <= 2 or any(text in row or text in row[::-1] for row in rows)
