"""Validates a definition against its schema, with recovery: the parts that are right can still be checked by the rules.

The schema follows from the definition's type. Here are the messages for its author, the suggested spelling, the
search for secrets, and the removal of broken parts.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bundler.definition.naming import suggest
from bundler.errors import Fault
from bundler.formats import json_codec, secret_patterns
from bundler.formats.definition_text import DefinitionText, Path
from bundler.formats.json_codec import RecordFault

_T = TypeVar("_T")

POLICIES = ("asked", "embedded")
"""Words that a key named like a secret may have: they say where the secret is, and are none."""

SECRETS_GO = (
    "a definition never holds a secret: the script on the server asks for it, "
    "or reads it from a file, a variable or standard input"
)

_SECRET_KEY = re.compile(
    r"secret|passw|passphrase|pwd|token|credential|api[-_ ]?key|private[-_ ]?key|sas[-_ ]?key", re.IGNORECASE
)


@dataclass(frozen=True)
class Recovered(Generic[_T]):
    """A definition that could be read after its broken parts were taken out."""

    value: _T
    broken: frozenset[Path] = frozenset()
    """What was taken out or replaced: rules about these do not apply."""
    removed: Mapping[Path, tuple[int, ...]] = field(default_factory=dict)
    """By list: the positions of the items that were taken out of it."""

    def original(self, path: Path) -> Path:
        """``path`` in the recovered definition, as it is in the file."""
        return _original(path, self.removed)

    def moved(self, spelled: Mapping[Path, str]) -> dict[Path, str]:
        """``spelled``, by paths in the file, by the paths of the recovered definition; without what was taken out."""
        found = {}
        for path, text in spelled.items():
            gone = self.removed.get(path[:-1], ())
            last = path[-1]
            if last not in gone:
                now = last - sum(position < last for position in gone) if isinstance(last, int) else last
                found[(*path[:-1], now)] = text
        return found


def read(kind: type[_T], written: DefinitionText) -> tuple[_T | None, list[tuple[Path, Fault]]]:
    """``written`` as a value of ``kind``, or None with every fault of its shape and where it is."""
    try:
        return json_codec.from_tree(kind, written.tree), []
    except json_codec.RecordError as error:
        describe = _Messages(json_codec.schema(kind), written)
        # A list counts as too short when its items are wrong: only the items are reported.
        told = [fault for fault in error.faults if fault.kind != "too_short" or not fault.found]
        return None, [describe.fault(fault) for fault in told]


def secrets(written: DefinitionText) -> dict[Path, Fault]:
    """Every key that is named like a secret, and every value that looks like one."""
    return {
        path: Fault(path=".".join(map(str, path)), message=message, allowed=SECRETS_GO, line=written.line(path))
        for path, message in _secrets(written.tree, ())
    }


def _secrets(tree: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(tree, dict):
        for key, child in tree.items():
            if _SECRET_KEY.search(key) and child not in POLICIES:
                yield (*path, key), f"the key {key!r} is named like a secret"
            yield from _secrets(child, (*path, key))
    elif isinstance(tree, list):
        for index, child in enumerate(tree):
            yield from _secrets(child, (*path, index))
    elif isinstance(tree, str) and any(secret_patterns.found(tree)):
        yield path, "the value looks like a secret"


def recover(
    kind: type[_T], written: DefinitionText, sample: Mapping[str, Any], excluded: frozenset[Path]
) -> Recovered[_T] | None:
    """Take out what is broken or ``excluded``, so that the rest can be checked; None where nothing is left to check.

    A broken item leaves its list; a broken key takes its value from ``sample`` (a valid definition) or goes.
    """
    if not isinstance(written.tree, dict):
        return None
    tree = copy.deepcopy(written.tree)
    removed: dict[Path, tuple[int, ...]] = {}
    broken = _take_all_out(tree, {_removable(path) for path in excluded}, sample, removed)
    for _ in range(6):  # a stand-in may lay open a fault behind it, but not many times
        value, wrong = _try(kind, tree)
        if value is not None:
            return Recovered(value, frozenset(broken), removed)
        broken |= _take_all_out(tree, wrong, sample, removed)
    return None


def _take_all_out(
    tree: dict[str, Any], wrong: set[Path], sample: Mapping[str, Any], removed: dict[Path, tuple[int, ...]]
) -> set[Path]:
    """Take out ``wrong`` from the back, so that no item moves that is still to go; give the paths as in the file."""
    before = {path: _original(path, removed) for path in wrong}
    for path in sorted(wrong, key=lambda path: tuple(map(_order, path)), reverse=True):
        _take_out(tree, path, sample, removed)
    return set(before.values())


def _original(path: Path, removed: Mapping[Path, tuple[int, ...]]) -> Path:
    """Where ``path`` was before the items at ``removed`` (by list, in ascending order) were taken out."""
    found: Path = ()
    for part in path:
        found = (*found, _position(part, removed.get(found, ())) if isinstance(part, int) else part)
    return found


def _position(now: int, removed: tuple[int, ...]) -> int:
    for position in removed:
        now += position <= now
    return now


def _try(kind: type[_T], tree: object) -> tuple[_T | None, set[Path]]:
    try:
        return json_codec.from_tree(kind, tree), set()
    except json_codec.RecordError as error:
        return None, {_removable(fault.path) for fault in error.faults}


def _order(part: str | int) -> tuple[bool, int, str]:
    return (True, part, "") if isinstance(part, int) else (False, 0, part)


def _removable(path: Path) -> Path:
    """The first list item on the way, else the whole path; pydantic's mark for a wrong key is no part of it."""
    parts = tuple(part for part in path if part != "[key]")
    for index, part in enumerate(parts):
        if isinstance(part, int):
            return parts[: index + 1]
    return parts


def _take_out(
    tree: dict[str, Any], path: Path, sample: Mapping[str, Any], removed: dict[Path, tuple[int, ...]]
) -> None:
    parent: Any = tree
    for part in path[:-1]:
        parent = parent[part] if _has(parent, part) else None
    last = path[-1] if path else None
    if isinstance(parent, list) and isinstance(last, int) and last < len(parent):
        del parent[last]
        gone = removed.get(path[:-1], ())
        removed[path[:-1]] = tuple(sorted((*gone, _position(last, gone))))
    elif isinstance(parent, dict):
        _replace(tree, parent, path, sample)


def _replace(tree: dict[str, Any], parent: dict[str, Any], path: Path, sample: Mapping[str, Any]) -> None:
    stand_in: Any = sample
    for part in path:
        stand_in = stand_in[part] if isinstance(stand_in, Mapping) and part in stand_in else None
    if stand_in is not None:
        parent[str(path[-1])] = copy.deepcopy(stand_in)
    elif path[-1] in parent:
        del parent[str(path[-1])]
    elif len(path) > 1:  # a missing key of something optional: the whole goes
        tree.pop(str(path[0]), None)
        if path[0] in sample:
            tree[str(path[0])] = copy.deepcopy(sample[str(path[0])])


def _has(parent: Any, part: str | int) -> bool:
    if isinstance(parent, list):
        return isinstance(part, int) and part < len(parent)
    return isinstance(parent, dict) and part in parent


@dataclass(frozen=True)
class _Messages:
    """Formats the faults of one definition as messages for its author."""

    schema: Mapping[str, Any]
    written: DefinitionText

    def fault(self, fault: RecordFault) -> tuple[Path, Fault]:
        path = tuple(part for part in fault.path if part != "[key]")
        message, allowed = self._message(fault, path)
        return path, Fault(
            path=".".join(map(str, path)), message=message, allowed=allowed, line=self.written.line(path)
        )

    def _message(self, fault: RecordFault, path: Path) -> tuple[str, str]:
        shape = self._shape(path)
        if fault.kind in {"extra_forbidden", "unexpected_keyword_argument"}:
            keys = list(self._shape(path[:-1]).get("properties", {}))
            return f"there is no key {str(path[-1])!r} here{suggest(str(path[-1]), keys)}", ", ".join(keys)
        if fault.kind in {"missing", "missing_keyword_only_argument"}:
            return "is missing", _allowed(shape)
        if fault.found is None:
            return "is empty: give it a value or leave the key out", _allowed(shape)
        return self._wrong(fault, path, shape), _allowed(shape)

    def _wrong(self, fault: RecordFault, path: Path, shape: Mapping[str, Any]) -> str:
        if _choices(shape):
            return f"{fault.found!r} is not supported{suggest(str(fault.found), _choices(shape))}"
        if shape.get("type") == "string":
            return self._text(fault.found, path)
        if fault.kind == "too_short":
            return "is an empty list"
        if fault.kind in {"greater_than_equal", "less_than_equal"}:
            return f"{fault.found} is out of range"
        return f"is {_kind(fault.found)}, not {_allowed(shape)}"

    def _text(self, found: object, path: Path) -> str:
        if not isinstance(found, (bool, int, float)):
            return f"is {_kind(found)}, not text"
        raw = self.written.written.get(path, str(found))
        loss = f", and would become {found}" if str(found) != raw else ""
        return f'{raw} without quotes is {_kind(found)}{loss}: write "{raw}"'

    def _shape(self, path: Path) -> Mapping[str, Any]:
        """The part of the schema for ``path``; empty where there is none."""
        shape = self._resolved(self.schema)
        for part in path:
            if isinstance(part, int):
                shape = self._resolved(shape.get("items", {}))
            else:
                extra = shape.get("additionalProperties")
                shape = self._resolved(shape.get("properties", {}).get(part, extra if isinstance(extra, dict) else {}))
        return shape

    def _resolved(self, shape: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in shape or "anyOf" in shape:
            if "$ref" in shape:
                shape = self.schema["$defs"][shape["$ref"].rsplit("/", 1)[-1]]
            else:
                shape = next(one for one in shape["anyOf"] if one.get("type") != "null")
        return shape


_KINDS = {"object": "a mapping (key: value)", "array": "a list", "string": "text", "boolean": "true or false"}


def _choices(shape: Mapping[str, Any]) -> list[str]:
    return [str(word) for word in shape.get("enum", [shape["const"]] if "const" in shape else [])]


def _allowed(shape: Mapping[str, Any]) -> str:
    if _choices(shape):
        return ", ".join(_choices(shape))
    if shape.get("type") == "integer":
        return f"a whole number from {shape.get('minimum', '…')} to {shape.get('maximum', '…')}"
    if shape.get("type") == "object" and "properties" in shape:
        return "a mapping with " + ", ".join(shape["properties"])
    return _KINDS.get(str(shape.get("type")), "")


def _kind(found: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return kinds.get(type(found), "nothing")
