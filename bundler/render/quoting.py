r"""Quotes values for scripts, so that any value arrives unchanged.

Each function writes one value as one literal of its language, in printable ASCII only. So a script's
meaning does not depend on the locale, code page, byte order mark or line ends that its reader assumes:

* bash: *Bash Reference Manual*, "Single Quotes" and "ANSI-C Quoting" (``$'…'`` with ``\xHH``, a byte each);
* PowerShell: *about_Quoting_Rules* (in a verbatim string only the quote itself is special). PowerShell takes U+2018 to
  U+201B for quotes as well, and Windows PowerShell 5.1 reads a file without a byte order mark in the ANSI code page:
  both are why anything beyond ASCII is written as ``[char]0x…``, one per UTF-16 unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PRINTABLE = re.compile(r"[ -~]*")
_INDENT = " " * 8
_POWERSHELL_PIECES = re.compile(r"[ -~]+|[^ -~]", re.DOTALL)


SCRIPT_WIDTH = 140
"""Characters that a line of a script's header may have."""


class QuotingError(ValueError):
    """A value that no script can contain: it has a NUL or a lone surrogate."""


class Quoted(str):
    """Text that was quoted here: the only text that a template may output."""

    __slots__ = ()


def _checked(value: object) -> str:
    if not isinstance(value, str):
        raise QuotingError(f"only text can be quoted, not {type(value).__name__}")
    if "\0" in value:
        raise QuotingError("a NUL cannot be passed to a program")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise QuotingError("a lone surrogate is not text") from None
    # A Quoted value is a str subclass; quoting it twice would hide a mistake in the template.
    if isinstance(value, Quoted):
        raise QuotingError("the value is quoted already")
    return value


def bash(value: str) -> Quoted:
    """``value`` as one bash word. Raises :class:`QuotingError`."""
    text = _checked(value)
    if _PRINTABLE.fullmatch(text):
        return Quoted("'" + text.replace("'", "'\\''") + "'")
    plain = set(range(ord(" "), ord("~") + 1)) - set(b"'\\")
    return Quoted("$'" + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in text.encode()) + "'")


def bash_value(value: str, width: int = SCRIPT_WIDTH) -> Quoted:
    r"""``value`` as one bash word that may go on in the next lines, each of them at most ``width`` characters long.

    It stands behind a name of up to 40 characters and ``=``: a longer one begins in the next line. A backslash at a
    line's end joins the pieces (*Bash Reference Manual*, "Escape Character"). Raises :class:`QuotingError`.
    """
    whole = bash(value)
    if len(whole) <= width - 40:
        return whole
    return Quoted("\\\n" + "\\\n".join(_bash_pieces(value, width - 1)))


def bash_row(values: Iterable[str], width: int = SCRIPT_WIDTH) -> Quoted:
    """``values`` as words of an array, in lines of at most ``width`` characters; empty where there are none.

    Lines after the first are indented further, so that a reader sees where a row begins.
    """
    lines: list[str] = []
    for value in values:
        word = bash(value)
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        elif len(word) <= width - 8:
            lines.append(f"{'        ' if lines else '    '}{word}")
        else:
            lines.append("\\\n".join(_bash_pieces(value, width - 1)))
    return Quoted("\n".join(lines))


def _bash_pieces(value: str, width: int) -> list[str]:
    """``value`` in pieces, each with a literal of at most ``width`` characters."""
    pieces, room = [""], width
    for character in value:
        # The longer of the two forms that a literal can have.
        cost = 1 if _PRINTABLE.fullmatch(character) and character not in "'\\" else 4 * len(character.encode())
        if cost > room - 3:
            pieces.append("")
            room = width
        pieces[-1] += character
        room -= cost
    return [bash(piece) for piece in pieces]


def powershell(value: str) -> Quoted:
    """``value`` as one PowerShell expression, to stand anywhere, as an argument too. Raises :class:`QuotingError`."""
    text = _checked(value)
    if _PRINTABLE.fullmatch(text):
        return Quoted(_verbatim(text))
    # The empty string at the start makes every + a concatenation.
    return Quoted("('' + " + " + ".join(map(_powershell_piece, _POWERSHELL_PIECES.findall(text))) + ")")


def _verbatim(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _powershell_piece(piece: str) -> str:
    if _PRINTABLE.fullmatch(piece):
        return _verbatim(piece)
    units = piece.encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return " + ".join(f"[char]0x{code:04x}" for code in codes)


def powershell_list(values: Iterable[str]) -> Quoted:
    """``values`` as a PowerShell array."""
    return Quoted("@(" + ", ".join(map(powershell, values)) + ")")


def powershell_folded(value: str, width: int) -> Quoted:
    """``value`` as :func:`powershell` writes it, continued on further lines where it is longer than ``width`` columns.

    The value holds no line break: the parts are joined with ``+`` at the lines' ends. Raises :class:`QuotingError`.
    """
    whole = powershell(value)
    if len(whole) <= width:
        return whole
    rows = [""]
    for piece in _powershell_units(value, width - 4):
        joined = f"{rows[-1]} + {piece}" if rows[-1] else piece
        if len(joined) > width - 4 and rows[-1]:
            rows.append(piece)
        else:
            rows[-1] = joined
    return Quoted("('' + " + f" +\n{_INDENT}".join(rows) + ")")


def _powershell_units(text: str, width: int) -> Iterator[str]:
    """``text`` in literals of at most ``width`` columns; one beyond ASCII is one character's."""
    for piece in _POWERSHELL_PIECES.findall(text):
        run = piece
        while _PRINTABLE.fullmatch(run) and len(_verbatim(run)) > width:
            # Half of it may be quotes, which are written twice.
            size = next(size for size in range(width, 0, -1) if len(_verbatim(run[:size])) <= width)
            yield _verbatim(run[:size])
            run = run[size:]
        yield _powershell_piece(run)


def powershell_list_folded(values: Iterable[str], width: int) -> Quoted:
    """``values`` as :func:`powershell_list` writes them, each on a line of its own where they need more columns."""
    items = list(values)
    whole = powershell_list(items)
    if len(whole) <= width:
        return whole
    return Quoted(f"@(\n{_INDENT}" + f",\n{_INDENT}".join(powershell_folded(item, width) for item in items) + ")")


def powershell_flag(value: bool) -> Quoted:
    """``value`` as PowerShell's own constant."""
    return Quoted("$true" if value else "$false")


def text(value: str) -> Quoted:
    r"""``value`` for a plain text file: one line, every control character shown as ``\xHH``."""
    return Quoted("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in _checked(value)))
