"""Recognises the kind of a file by its first and last bytes."""

from __future__ import annotations

from typing import Final, Literal

from bundler.formats.compound_file import MAGIC as COMPOUND_FILE
from bundler.formats.powershell_signature import BEGIN

FileKind = Literal[
    "msi", "pe", "ps1", "deb", "rpm", "html", "zip", "7z", "gzip", "cab", "pem", "text", "empty", "unknown"
]

HEAD: Final = 64 * 1024
"""Number of bytes to give to :func:`kind`."""

_MAGIC: Final[tuple[tuple[bytes, FileKind], ...]] = (
    (COMPOUND_FILE, "msi"),
    (b"MZ", "pe"),
    (b"!<arch>\n", "deb"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"MSCF", "cab"),
    (b"-----BEGIN ", "pem"),
)
_HTML: Final = ("<!doctype html", "<html", "<head", "<body", "<script", "<meta http-equiv")
_MARKUP_SEARCHED: Final = 2048


def kind(head: bytes, tail: bytes = b"") -> FileKind:
    """Recognise a file by its content, never by its name.

    Args:
        head: its first :data:`HEAD` bytes, or all of them.
        tail: its last bytes, if it is longer.

    Returns:
        The kind: ``ps1`` is text with a signature block in ``head`` or ``tail``, ``text`` is any other text.
    """
    if not head:
        return "empty"
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    text = _text(head)
    if text is None:
        return "unknown"
    if _is_markup(text):
        return "html"
    marks = [BEGIN.encode(encoding) for encoding in ("utf-8", "utf-16-le")]
    return "ps1" if any(mark in part for mark in marks for part in (head, tail)) else "text"


def _is_markup(text: str) -> bool:
    """Whether it starts with markup and has an HTML tag soon: comments and an XML prologue may come first."""
    start = text.lstrip("\ufeff \t\r\n")[:_MARKUP_SEARCHED].lower()
    return start.startswith("<") and not start.startswith("<#") and any(tag in start for tag in _HTML)


def _text(head: bytes) -> str | None:
    """The head as text; None if it is not text. A character that is cut off at the end does not matter."""
    encoding = "utf-16-le" if head.startswith(b"\xff\xfe") else "utf-8"
    text = head.decode(encoding, "replace")
    if "\0" in text or "\ufffd" in text[:-4]:
        return None
    return text
