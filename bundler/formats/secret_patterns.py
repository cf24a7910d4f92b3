"""Patterns of secrets that can be told apart from other text, of any product or vendor."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The shapes that Entra ID gives client secrets, of JSON web tokens (RFC 7519), of PEM private keys (RFC 7468), and of
# a shared access signature in an address.
_SHAPES = {
    "a client secret": r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])",
    "a token": r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a shared access signature": r"[?&]sig=[\w%+/=-]{16,}",
}
_ANY = re.compile("|".join(f"(?P<s{number}>{shape})" for number, shape in enumerate(_SHAPES.values())), re.ASCII)
_NAMES = tuple(_SHAPES)


def is_one_line(text: str) -> bool:
    """Whether ``text`` is what a script reads as a secret: one line, not empty, with no blanks around it."""
    return bool(text) and text.isprintable() and text == text.strip()


def found(text: str) -> Iterator[str]:
    """What in ``text`` looks like a secret, by kind and never by its letters."""
    for match in _ANY.finditer(text):
        yield _NAMES[int((match.lastgroup or "s0")[1:])]
