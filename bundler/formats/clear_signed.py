"""Splits a clear-signed document into its signed message and its signature.

Source: RFC 9580 section 7. The signature covers the text alone: not what stands around the block, not the ``Hash``
headers, not white space at the ends of lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.formats.parse_error import ParseError

BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----"

_BEGIN_LINE = re.compile(rb"^-----BEGIN PGP SIGNED MESSAGE-----\r?\n", re.MULTILINE)
_SIGNATURE_LINE = re.compile(rb"^-----BEGIN PGP SIGNATURE-----\r?$", re.MULTILINE)
_END_LINE = re.compile(rb"^-----END PGP SIGNATURE-----\r?(?:\n|\Z)", re.MULTILINE)
_DIGEST = rb"(?:MD5|SHA1|RIPEMD160|SHA224|SHA256|SHA384|SHA512|SHA3-256|SHA3-512)"
_HEADERS = re.compile(rb"(?:Hash: %b(?:, ?%b){0,8}\r?\n){0,16}\r?\n" % (_DIGEST, _DIGEST))
# Only from a run's start: otherwise a run of n that ends no line costs n * n / 2 steps.
_LINE_END_SPACE = re.compile(rb"(?<![ \t])[ \t]+(?=\r?\n)")
_MAX_SPACE = 512
"""Bytes of white space at the ends of all lines: no signature covers them."""
_AROUND = 4
"""Bytes of line ends that may stand around the block."""


@dataclass(frozen=True)
class Parts:
    """The parts of a document."""

    message: bytes
    """From the first line to the one before the signature."""
    signature: bytes
    """The armored signature."""
    is_alone: bool
    """Whether nothing stands around the block."""


def split(document: bytes) -> Parts:
    """Find the first clear-signed block of ``document``.

    Raises:
        ParseError: ``unsigned`` if there is none, ``truncated`` if its end is missing, ``html``, ``trailing-data`` for
            unsigned text within.
    """
    begin = _BEGIN_LINE.search(document)
    if begin is None:
        if document.lstrip()[:1] == b"<":
            raise ParseError("it is an HTML page", reason="html")
        cut = BEGIN.startswith(document.strip()) and document.strip()
        raise ParseError("it has no clear-signed block", reason="truncated" if cut else "unsigned")
    middle = _SIGNATURE_LINE.search(document, begin.end())
    end = middle and _END_LINE.search(document, middle.end())
    if middle is None or end is None:
        raise ParseError("it ends before its signature does", reason="truncated")
    headers = _HEADERS.match(document, begin.end())
    if headers is None or headers.end() > middle.start():
        # Section 7.1: no other header is allowed there, because it is not signed but looks as if it were.
        raise ParseError("unsigned text was added before its signed text", reason="trailing-data")
    _check_space(document, headers.end(), middle.start())
    around = document[: begin.start()] + document[end.end() :]
    return Parts(
        message=document[begin.start() : middle.start()],
        signature=document[middle.start() : end.end()],
        is_alone=len(around) <= _AROUND and not around.strip(),
    )


def _check_space(document: bytes, start: int, end: int) -> None:
    found = 0
    for space in _LINE_END_SPACE.finditer(document, start, end):
        found += len(space[0])
        if found > _MAX_SPACE:
            raise ParseError("unsigned white space was added at the ends of lines", reason="trailing-data")
