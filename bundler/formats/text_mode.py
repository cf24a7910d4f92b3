r"""Tells whether a tool treated a binary file as text on its way: FTP in ASCII mode, git, an editor, a shell.

In binary data each byte is about as frequent as any other. So among many line feeds some follow a carriage return and
most do not: a file that has only one of the two kinds was converted. Other conversions show in the same way. This
explains why a file was refused; it never accepts one.

FTP's ASCII mode: RFC 959, section 3.1.1.1. ``\r\r\n$`` ends the DOS stub that linkers write into every PE file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_CHUNK: Final = 1 << 20
_AT_ONCE: Final = 8
"""Line ends of one kind, where the other kind should be the more frequent by far."""
_ENOUGH: Final = 32
"""Line feeds, or carriage returns, where as many of the other should be."""
_MANY: Final = 2048
"""Line feeds of which eight would follow a carriage return by chance."""
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}".encode()
_HIGH: Final = bytes(range(0x80, 0x100))
_MAGIC: Final = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"\xed\xab\xee\xdb",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
)
"""How an MSI, an rpm, and packed files start: with bytes above 127, which text does not have."""
_PLAIN_MAGIC: Final = (b"MZ", b"PK\x03\x04", b"MSCF", b"!<arch>")
_STUB: Final = b"DOS mode."
_STUB_ENDS: Final = {b"\r\r\r\n$": "LF became CR LF", b"\r\n$": "CR LF became LF", b"\n$": "CR LF became LF"}
_HEAD: Final = 1024


@dataclass
class _Counts:
    """Frequencies in a whole file."""

    carriage_returns: int = 0
    line_feeds: int = 0
    pairs: int = 0
    """A carriage return with a line feed behind it."""
    high: int = 0
    """Bytes above 127."""
    replaced: int = 0


def damage(file: BinaryIO) -> str:
    """What was done to a binary file as to text, in a few words; empty where nothing shows it.

    Args:
        file: seekable; it is read to its end.
    """
    file.seek(0)
    head = file.read(_HEAD)
    found = _counted(file)
    if _was_recoded(head, found):
        return "what is not UTF-8 text was replaced"
    if found.high == 0 and any(head.startswith(bytes(byte & 0x7F for byte in magic)) for magic in _MAGIC):
        return "bytes were cut to seven bits"
    if not head.startswith((*_MAGIC, *_PLAIN_MAGIC)) or not found.high:
        return ""  # it is another kind of file, or text that starts like one
    by_chance = not head.startswith(b"MZ")  # the tables of a program are not like noise
    return _in_line_ends(found, by_chance=by_chance) or _in_marks(head)


def _was_recoded(head: bytes, found: _Counts) -> bool:
    """Whether bytes became U+FFFD, as in a tool that reads UTF-8 and writes it again."""
    starts = [magic.decode("utf-8", "replace").encode() for magic in _MAGIC]
    return found.replaced >= 1 and any(head.startswith(start) for start in starts)


def _in_line_ends(found: _Counts, *, by_chance: bool) -> str:
    alone = found.line_feeds - found.pairs
    if not alone and found.pairs >= _AT_ONCE:
        return "LF became CR LF"
    if not found.carriage_returns and found.line_feeds >= _ENOUGH:
        return "the carriage returns are gone"
    if not found.line_feeds and found.carriage_returns >= _ENOUGH:
        return "the line feeds are gone"
    return "CR LF became LF" if by_chance and not found.pairs and alone >= _MANY else ""


def _in_marks(head: bytes) -> str:
    """What the places show that have a line end in every file of their kind."""
    if head.startswith(b"!<arch>\r\n"):
        return "LF became CR LF"
    _, stub, rest = head.partition(_STUB)
    if not stub or not head.startswith(b"MZ"):
        return ""
    return next((what for end, what in _STUB_ENDS.items() if rest.startswith(end)), "")


def _counted(file: BinaryIO) -> _Counts:
    counts, last = _Counts(), b""
    for chunk in _chunks(file):
        counts.carriage_returns += chunk.count(b"\r")
        counts.line_feeds += chunk.count(b"\n")
        counts.pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        counts.high += len(chunk) - len(chunk.translate(None, _HIGH))
        counts.replaced += chunk.count(_REPLACEMENT)
        last = chunk[-1:]
    return counts


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
