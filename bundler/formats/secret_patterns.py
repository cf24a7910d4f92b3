"""Patterns of secrets that can be recognised in text without knowing their value."""

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
    """Whether scripts can read ``text`` as a secret: one line, not empty, no blanks around it."""
    return bool(text) and text.isprintable() and text == text.strip()


def found(text: str) -> Iterator[str]:
    """The kinds of secrets that ``text`` seems to hold, never their characters."""
    for match in _ANY.finditer(text):
        yield _NAMES[int((match.lastgroup or "s0")[1:])]
