"""The error of parsers for malformed packages and repository documents.

A parser raises :class:`ParseError` or a subclass for any malformed input, and nothing else. The rooms above turn it
into a :class:`~bundler.errors.VerificationError` with the same ``reason``.
"""

from __future__ import annotations

_PAGE_STARTS = (b"<!doctype", b"<html", b"<head", b"<body")


class ParseError(ValueError):
    """The bytes break a rule of their format.

    ``reason`` is one of ``malformed``, ``truncated``, ``trailing-data``, ``too-big``, ``html``, ``unsupported``,
    ``unsafe-path``, ``duplicate`` and ``weak-digest``.
    """

    def __init__(self, message: str, *, reason: str = "malformed") -> None:
        super().__init__(message)
        self.reason = reason


def looks_like_a_page(head: bytes) -> bool:
    """Whether a file's first bytes are those of an HTML page, as a proxy or a portal sends in place of a file."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower().startswith(_PAGE_STARTS)
