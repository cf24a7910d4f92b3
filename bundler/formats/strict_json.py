"""Reads JSON strictly: what two readers could understand differently is refused, with its place.

RFC 8259 leaves open what a reader makes of a key that occurs twice (section 4), of a number that no float can hold
(section 6) and of half a surrogate pair (section 8.2): Python takes the last of two keys, .NET and jq may not. A signed
document must say one thing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

MAX_TOKENS: Final = 200_000
"""Brackets, braces and commas of one document. Every value and every fault costs a parser up to a kilobyte of memory
for one byte of input; the manifest of the largest bundle that is accepted (20 000 files) has half as many."""
MAX_DEPTH: Final = 64
"""Levels; a manifest has eight."""
_MAX_DIGITS: Final = 20
"""Of an integer: a size in bytes has 19 at most."""

_SURROGATE = re.compile("[\ud800-\udfff]")

Path = tuple[str | int, ...]


class JsonError(ValueError):
    """The bytes are not JSON, or could be read in two ways; ``path`` is the place, ``kind`` a word for it."""

    def __init__(self, kind: str, message: str, path: Path = ()) -> None:
        where = f"{'.'.join(map(str, path))}: " if path else ""
        super().__init__(f"{where}{message}")
        self.kind = kind
        self.message = message
        self.path = path


class _Odd:
    """Stands in the tree for what is refused, until its path is known."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = message


def is_too_large(document: bytes) -> bool:
    """Whether ``document`` has more than :data:`MAX_TOKENS` tokens, counted without parsing it."""
    return sum(map(document.count, (b"{", b"[", b","))) > MAX_TOKENS


def read(document: bytes) -> Any:
    """Read ``document`` (UTF-8) as plain data: dicts, lists, strings, integers, floats, booleans and None.

    Raises:
        JsonError: it is not UTF-8 or not JSON; it has more than :data:`MAX_TOKENS` tokens or :data:`MAX_DEPTH` levels,
            a key twice, NaN, an infinity or a number that would be one, an integer of more than 20 digits, or half a
            surrogate pair.
    """
    if is_too_large(document):
        raise JsonError("too_many", f"it has more than {MAX_TOKENS} values")
    try:
        text = document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError("encoding", f"byte {error.start} is not UTF-8") from None
    return read_text(text)


def read_text(text: str) -> Any:
    """As :func:`read`, for text that was decoded already, of limited size."""
    try:
        tree = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except RecursionError:
        _refuse_depth(())
    except ValueError as error:
        cut = "it is cut short: " if _is_cut_short(text, error) else ""
        raise JsonError("json_invalid", f"it is not JSON: {cut}{error}") from None
    _check(tree)
    return tree


def _is_cut_short(text: str, error: ValueError) -> bool:
    """Whether ``text`` begins as a document, and is wrong only where it ends."""
    if not (isinstance(error, json.JSONDecodeError) and text.lstrip()[:1] in ("{", "[")):
        return False
    rest = text[error.pos :].rstrip()
    begun = any(word.startswith(rest) for word in ("true", "false", "null", "-0", ".", "e+", "e-", "E+", "E-"))
    escape = error.msg.startswith("Invalid \\u") and len(rest) <= len("u0000")
    return error.msg.startswith("Unterminated string") or begun or escape


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return _Odd("duplicate_key", f"the key {twice!a} occurs twice")


def _constant(name: str) -> _Odd:
    return _Odd("number", f"{name} is not a number of JSON")


def _float(digits: str) -> float | _Odd:
    value = float(digits)
    return value if math.isfinite(value) else _Odd("number", f"{digits[:40]} is larger than any number that is read")


def _integer(digits: str) -> int | _Odd:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        return _Odd("number", f"an integer has {len(digits)} digits")
    return int(digits)


def _check(tree: Any) -> None:
    """Refuse what stands in the tree for something odd, text that is not Unicode, and depth; without recursion."""
    waiting: list[tuple[Path, Any]] = [((), tree)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _Odd):
            raise JsonError(value.kind, value.message, path)
        if isinstance(value, str):
            _check_text(value, path)
        elif isinstance(value, (dict, list)):
            if len(path) >= MAX_DEPTH:
                _refuse_depth(path)
            waiting.extend(_children(value, path))


def _children(value: dict[str, Any] | list[Any], path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            _check_text(key, path)
            yield (*path, key), child
    else:
        yield from (((*path, index), child) for index, child in enumerate(value))


def _check_text(text: str, path: Path) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise JsonError("encoding", "half of a surrogate pair is not a character", path)


def _refuse_depth(path: Path) -> NoReturn:
    raise JsonError("too_deep", f"it is nested more than {MAX_DEPTH} levels deep (the recursion limit)", path[:4])
