"""Reads and writes DER strictly, one level at a time: one form of each length, no tag of several bytes (X.690, 10)."""

from __future__ import annotations

from dataclasses import dataclass

_LONG_FORM = 0x80
_MANY_BYTES = 0x1F


@dataclass(frozen=True)
class Element:
    """A value with its tag."""

    tag: int
    """The identifier octet, with class and form."""
    contents: bytes
    whole: bytes
    """With tag and length."""


def elements(contents: bytes) -> tuple[Element, ...]:
    """The values that follow each other in ``contents``. Raises ValueError where that is not DER."""
    found, at = [], 0
    while at < len(contents):
        found.append(_element(contents, at))
        at += len(found[-1].whole)
    return tuple(found)


def first(der: bytes) -> Element:
    """The value at the start of ``der``, whatever follows it. Raises ValueError where that is not DER."""
    if not der:
        raise ValueError("there is no value")
    return _element(der, 0)


def one(der: bytes) -> Element:
    """The only value in ``der``. Raises ValueError for none, several, or what is not DER."""
    (found,) = elements(der)
    return found


def _element(der: bytes, at: int) -> Element:
    start, length = _length(der, at)
    if start + length > len(der):
        raise ValueError("a value ends after its container")
    return Element(der[at], der[start : start + length], der[at : start + length])


def _length(der: bytes, at: int) -> tuple[int, int]:
    """Where the contents of the value at ``at`` start, and their length."""
    if der[at] & _MANY_BYTES == _MANY_BYTES or at + 1 >= len(der):
        raise ValueError("a tag has several bytes or no length")
    first = der[at + 1]
    if first < _LONG_FORM:
        return at + 2, first
    count = first - _LONG_FORM
    digits = der[at + 2 : at + 2 + count]
    length = int.from_bytes(digits, "big")
    if not 0 < count == len(digits) <= 4 or not digits[0] or length < _LONG_FORM:
        raise ValueError("a length is not in its shortest form")
    return at + 2 + count, length


def value(tag: int, contents: bytes) -> bytes:
    """The DER of a value with the identifier octet ``tag``."""
    length = len(contents)
    if length < _LONG_FORM:
        return bytes([tag, length]) + contents
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(digits)]) + digits + contents
