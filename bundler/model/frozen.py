"""The decorator for values: frozen, keyword-only, slotted, and strict when read from a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from typing_extensions import dataclass_transform

_T = TypeVar("_T")

DOCUMENT_RULES = {"extra": "forbid", "strict": True, "use_attribute_docstrings": False}
"""Read by :mod:`bundler.formats.json_codec`: unknown keys and silent conversions are faults. One object for all values,
so that a schema can have the attributes' docstrings. Finding those in the sources is slow, and off otherwise."""


class _InSomeZone:
    """Refuses a time without a zone where a document is read: it cannot be compared with others."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return handler(source) | {"tz_constraint": "aware"}


Moment = Annotated[datetime, _InSomeZone()]
"""A time with a zone."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def frozen(cls: type[_T]) -> type[_T]:
    """Make ``cls`` a frozen, keyword-only dataclass that :mod:`bundler.formats.json_codec` can read and write."""
    cls.__pydantic_config__ = DOCUMENT_RULES  # type: ignore[attr-defined]
    return dataclass(frozen=True, kw_only=True, slots=True)(cls)
