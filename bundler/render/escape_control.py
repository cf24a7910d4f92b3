"""How is text shown that somebody else wrote, so that it cannot pretend to be something else?"""

from __future__ import annotations

_WIDE_SPACE = "\u3000"
"""Between Japanese and Chinese words: as ordinary there as the blank is here."""


def escape_control(text: str) -> str:
    r"""``text`` with what cannot be seen in it as ``\u{…}``.

    Control characters steer a terminal (ECMA-48), format characters reorder or hide what is around them (Unicode
    TR #36, section 2.5), separators begin lines that are none.
    """
    return text if text.isprintable() else "".join(map(_letter, text))


def _letter(letter: str) -> str:
    return letter if letter.isprintable() or letter == _WIDE_SPACE else f"\\u{{{ord(letter):x}}}"


def escape_line(text: str) -> str:
    """As :func:`escape_control`, for a line of a program: a tab is a tab there."""
    return "\t".join(map(escape_control, text.split("\t")))
