"""Escapes invisible characters in text from others, so that it cannot pretend to be something else."""

from __future__ import annotations

WIDE_SPACE = "\u3000"
"""Separates Japanese and Chinese words, as the blank does elsewhere."""


def escape_control(text: str) -> str:
    r"""``text`` with its invisible characters as ``\u{…}``.

    Control characters steer a terminal (ECMA-48), format characters reorder or hide what is around them (Unicode
    TR #36, section 2.5), separators start a line that is not one.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == WIDE_SPACE else f"\\u{{{ord(c):x}}}" for c in text)


def escape_line(text: str) -> str:
    """As :func:`escape_control`, for a line of a program: a tab is a tab there."""
    return "\t".join(map(escape_control, text.split("\t")))
