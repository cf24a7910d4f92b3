"""Converts values to JSON and back, strictly, and reports every fault with its path.

The bytes are canonical: keys in the order of the value's declaration, two spaces, one newline at the end, times in UTC
with a ``Z``. So the same value gives the same bytes everywhere.
"""

from __future__ import annotations

import copy
import json
import threading
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from bundler.formats import strict_json
from bundler.formats.strict_json import JsonError
from bundler.model.frozen import DOCUMENT_RULES

_T = TypeVar("_T")


@dataclass(frozen=True)
class RecordFault:
    """One fault of a document: its path, its kind, and a sentence."""

    path: tuple[str | int, ...]
    kind: str
    message: str
    found: object
    allowed: str = ""


class RecordError(ValueError):
    """A document does not have the shape of its value; ``faults`` names every place."""

    def __init__(self, faults: tuple[RecordFault, ...]) -> None:
        first = faults[0]
        where = ".".join(map(str, first.path)) or "the document"
        super().__init__(f"{where}: {first.message}")
        self.faults = faults


_describing = threading.Lock()
_schemas: dict[type[Any], dict[str, Any]] = {}
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def from_json(kind: type[_T], document: bytes) -> _T:
    """Read ``document`` as a value of ``kind``.

    Raises:
        RecordError: with all faults if the shape is wrong; with one if the bytes are not JSON, or JSON that
            :mod:`~bundler.formats.strict_json` refuses: too many values, a key that occurs twice, …
    """
    try:
        strict_json.read(document)
    except JsonError as error:
        raise RecordError((RecordFault(error.path, error.kind, error.message, None),)) from None
    try:
        return cast("_T", _adapter(kind).validate_json(document))
    except ValidationError as error:
        faults = tuple(
            RecordFault(
                path=tuple(found["loc"]),
                kind=found["type"],
                message=found["msg"],
                found=found.get("input"),
                allowed=str(found.get("ctx", {}).get("expected", "")),
            )
            for found in error.errors(include_url=False)
        )
        raise RecordError(faults) from None


def from_tree(kind: type[_T], tree: object) -> _T:
    """Read plain data (dicts, lists, scalars) as a value of ``kind``; faults as in :func:`from_json`."""
    return from_json(kind, json.dumps(tree).encode())


def to_tree(value: object) -> Any:
    """Write ``value`` as plain data for JSON."""
    return _adapter(type(value)).dump_python(value, mode="json")


def to_json(value: object) -> bytes:
    """Write ``value`` as canonical JSON."""
    return (json.dumps(to_tree(value), ensure_ascii=False, indent=2) + "\n").encode()


def schema(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``kind``; the attributes' docstrings are its descriptions."""
    if kind not in _schemas:
        with _describing:
            DOCUMENT_RULES["use_attribute_docstrings"] = True
            try:
                _schemas[kind] = TypeAdapter(kind).json_schema()
            finally:
                DOCUMENT_RULES["use_attribute_docstrings"] = False
    return copy.deepcopy(_schemas[kind])
