r"""The spellings in which a secret may be repeated, as one regular expression: a secret is found by its value.

One table for Python and for the scripts on servers: ``tools/secret_forms.py`` writes it as a part of both.
Their code does by it what :func:`patterns` does here (a test compares the results letter by letter).

Everything is matched as bytes: text in UTF-8, one character a byte (ISO 8859-1), without NUL, so that UTF-16 reads like
ASCII. The expressions are extended ones (POSIX), in the subset that .NET and Python read alike.

Sources: JSON strings RFC 8259 section 7; percent-encoding RFC 3986 section 2.1, ``+`` for a blank the WHATWG URL
Standard; XML references XML 1.0 section 4.1; quoted-printable RFC 2045 section 6.7; base64 RFC 4648 sections 4 and 5;
quoting in bash, PowerShell and Go as their references say.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

WHOLE_WORD = 6
"""Characters below which a value is replaced only as a whole word: elsewhere it would hit ordinary text."""
LINE = 16
"""Characters from which on a line of a value of several lines is a secret of its own."""
ARMOR = "-----"
"""What a line of several begins with that is no secret: the first and the last of a PEM file (RFC 7468)."""
LONG = 512
"""Characters from which on a value is a key or a certificate: matched in its own letters and in base64 only."""
BASE64_LEAST = 7
"""Characters below which a base64 form is left out."""

# A backslash that escapes what follows it; each layer of JSON doubles it, an address has it percent-encoded.
_BACKSLASH = r"(\\(u005[cC])?|%(25)*5[cC])+"
_AND = r"(&|\\+u0026)(amp;)*"
# What may stand between two characters: a line that was wrapped.
GAP = "[\t\r\n ]*"
HEX_GAP = "(00|0x|\\\\x?|[\t\r\n ,:-])*"
DECIMAL_GAP = "[\t\r\n ,]+(0[\t\r\n ,]+)?"

EDGE = r"\b"
"""Between a letter, digit or ``_`` and what is none: at both ends of a value that is replaced as a whole word."""

# Marks: @H two hex digits, @O three octal ones, @D decimal, @U the shortest hex.
BYTES = (rf"(%(25)*|=|{_BACKSLASH}x)@H", rf"{_BACKSLASH}0*@O")
"""How one byte may be spelled; a character of several bytes is spelled by each of them."""
UNIT = rf"({_BACKSLASH}|%(25)*)[uU][{{]?0*@U[}}]?"
"""How a UTF-16 unit may be spelled; and a code point."""
REFERENCE = rf"({_AND}#(0*@D|[xX]0*@U);|_[xX]0*@U_)"
"""How a code point may be spelled in XML; and in the XML of PowerShell, which has ``_x0027_``."""
ESCAPE = f"({_BACKSLASH}|[`^])?"
"""What may stand before any spelling of a character that is no ASCII letter or digit: by shells, JSON, PowerShell."""
NAMED = {
    " ": ("[+]",),
    '"': ('""', f"{_AND}quot;"),
    "&": ("&(amp;)+",),
    "'": ("''", rf"'{_BACKSLASH}''", "'\"'\"'", f"{_AND}apos;"),
    "<": (f"{_AND}lt;",),
    ">": (f"{_AND}gt;",),
}
"""Further spellings of single characters."""
BASE64 = {
    "+": rf"([+-]|%(25)*2[bB]|{_BACKSLASH}u002[bB])",
    "/": rf"(({_BACKSLASH})?[/]|_|%(25)*2[fF]|{_BACKSLASH}u002[fF])",
}
"""The characters of base64 that have another spelling: in the alphabet for addresses, percent-encoded, and in JSON."""


def parts(value: str) -> list[str]:
    """What of ``value`` is searched for: itself; of several lines each of 16 characters or more, not PEM's frame."""
    lines = [line.strip(" \t\r") for line in value.split("\n")]
    if len([line for line in lines if line]) <= 1:
        return [line for line in lines if line]
    return [line for line in lines if len(line) >= LINE and not line.startswith(ARMOR)]


def patterns(value: str) -> list[str]:
    """The expressions that find ``value``, in the order in which they are tried; each match is replaced."""
    is_long = len(value) >= LONG
    return [pattern for part in parts(value) for pattern in _forms(part, is_long=is_long)]


def is_whole_word(value: str) -> bool:
    """Whether ``value`` is so short that it is replaced only where no letter, digit or ``_`` stands beside it."""
    return len(value) < WHOLE_WORD


def _forms(part: str, *, is_long: bool) -> Iterator[str]:
    units = [_spelled(character, is_long=is_long) for character in part]
    if is_whole_word(part):
        units[0] = _at_edge(units[0], before=True) if _is_plain(part[0]) else units[0]
        units[-1] = _at_edge(units[-1], before=False) if _is_plain(part[-1]) else units[-1]
    yield GAP.join(units)
    if is_whole_word(part):
        return
    held = part.encode("utf-8", "surrogateescape")
    yield from _base64(held)
    if not is_long:
        yield from _base64(part.encode("utf-16-le", "surrogatepass"))
        yield HEX_GAP.join(_hex(byte) for byte in held)
        yield DECIMAL_GAP.join(str(byte) for byte in held)


def _at_edge(unit: str, *, before: bool) -> str:
    """``unit``, a letter's or digit's ``(x|...)``, where no letter, digit or ``_`` stands beside the ``x``."""
    return f"({EDGE}{unit[1:]}" if before else unit.replace("|", f"{EDGE}|", 1)


def _base64(held: bytes) -> Iterator[str]:
    """The characters of base64 that ``held`` alone decides, behind 0, 1 and 2 other bytes."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + held).decode()
        first, end = -(-before * 8 // 6), (before + len(held)) * 8 // 6
        if end - first >= BASE64_LEAST:
            yield GAP.join(BASE64.get(character, character) for character in text[first:end])


def _spelled(character: str, *, is_long: bool) -> str:
    """Every spelling of one character."""
    held = character.encode("utf-8", "surrogateescape")
    own = "".join(_literal(byte) for byte in held)
    is_plain = _is_plain(character)
    if is_long and is_plain:
        return own
    ways = [own, *("".join(_filled(way, byte) for byte in held) for way in BYTES)]
    units = character.encode("utf-16-be", "surrogatepass")
    pairs = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    ways.append("".join(_filled(UNIT, unit) for unit in pairs))
    if len(pairs) > 1:
        ways.append(_filled(UNIT, ord(character)))
    ways.append(_filled(REFERENCE, ord(character)))
    if not character.isascii():
        ways += ["".join(_literal(byte) for byte in order if byte) for order in _utf16(character)]
    ways += NAMED.get(character, ())
    return f"{'' if is_plain else ESCAPE}({'|'.join(ways)})"


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _utf16(character: str) -> tuple[bytes, bytes]:
    return character.encode("utf-16-le", "surrogatepass"), character.encode("utf-16-be", "surrogatepass")


def _filled(way: str, number: int) -> str:
    """``way`` with the digits of ``number`` (a byte, a UTF-16 unit, a code point) in the places for them."""
    for mark, digits in (("@H", _hex(number)), ("@O", f"{number:03o}"), ("@D", str(number)), ("@U", _shortest(number))):
        way = way.replace(mark, digits)
    return way


def _hex(number: int) -> str:
    return _any_case(f"{number:02x}")


def _shortest(number: int) -> str:
    return _any_case(f"{number:x}")


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _literal(byte: int) -> str:
    """One byte that stands for itself: in brackets where it could mean something."""
    character = chr(byte)
    if byte >= 0x80 or character.isalnum() or character == "\n":
        return character
    return "\\" + character if character in "\\^[]" else f"[{character}]"
