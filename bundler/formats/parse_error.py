"""How does a parser of packages and repositories say that its input is not what it should be?

Every parser of this room that reads untrusted bytes raises :class:`ParseError` or a subclass of it, and nothing else,
whatever the bytes are. Rooms above turn it into a verdict; ``reason`` is the verdict's stable word.
"""

from __future__ import annotations

_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<body")


class ParseError(ValueError):
    """Bytes break the rules of their format.

    ``reason`` is one of ``malformed``, ``truncated``, ``trailing-data``, ``too-big``, ``html``, ``unsupported``,
    ``unsafe-path``, ``duplicate`` and ``weak-digest``.
    """

    def __init__(self, message: str, *, reason: str = "malformed") -> None:
        super().__init__(message)
        self.reason = reason


def looks_like_a_page(head: bytes) -> bool:
    """Whether a file's first bytes are those of an HTML page: what a proxy or a portal answers in a file's place."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower().startswith(_PAGE_STARTS)
