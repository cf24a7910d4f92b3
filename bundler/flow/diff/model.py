"""The facts that a manifest or a lock states, and how a value's fields become facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from bundler.flow.diff.format import shown
from bundler.model.diff import Topic

_T = TypeVar("_T")

Owner = tuple[str, ...]
Key = tuple[Topic, str, str]
ORDER = "order"
"""Field of the fact that tells in which order things are listed."""
THERE = True
"""The value of a fact that only states that its subject exists; details are further facts."""


@dataclass(frozen=True)
class Fact:
    """One statement; ``topic``, ``subject`` and ``field`` together identify what it is about."""

    topic: Topic
    subject: str
    field: str
    value: Any
    """What is compared."""
    shown: tuple[str, ...] = ()
    """Text shown in the report."""
    owner: Owner = ()
    """The package, file or address that it belongs to; if that was added or removed, details are not reported."""
    headline: bool = False
    """Shown even if its owner was added or removed."""
    beside: str = ""
    """Not compared, but used to explain a change: the version of a package's bytes."""

    @property
    def key(self) -> Key:
        """Identifies what the fact is about."""
        return (self.topic, self.subject, self.field)


def all_under(stated: Any, topic: Topic) -> Mapping[str, Topic]:
    """Every field of ``stated``, with the same topic."""
    return {field.name: topic for field in fields(stated)}


def fields_of(
    stated: Any,
    topics: Mapping[str, Topic],
    *,
    subject: str,
    owner: Owner = (),
    skip: Iterable[str] = (),
    prefix: str = "",
) -> Iterator[Fact]:
    """A fact for each field of ``stated`` that is neither None, nor empty text or an empty tuple."""
    for field in fields(stated):
        found = getattr(stated, field.name)
        if field.name not in skip and found is not None and found not in ("", ()):
            topic = topics.get(field.name, "records")
            yield Fact(topic, subject, prefix + field.name, found, shown(found), owner)


def order_of(subject: str, items: tuple[object, ...], owner: Owner = ()) -> Fact:
    """The order in which the ``items`` of ``subject`` are listed."""
    return Fact("records", subject, ORDER, items, tuple(map(str, items)), owner)


def each(
    subject: str,
    items: Iterable[_T],
    name: Callable[[_T], str],
    facts: Callable[[str, _T], Iterable[Fact]],
    *,
    owner: Owner = (),
) -> Iterator[Fact]:
    """The ``facts`` of each item of ``subject`` under its unique name, then a fact for the order of the items."""
    named = tuple(numbered(items, name))
    for key, item in named:
        yield from facts(key, item)
    yield order_of(subject, tuple(key for key, _ in named), owner)


def numbered(items: Iterable[_T], name: Callable[[_T], str]) -> Iterator[tuple[str, _T]]:
    """Each item with a unique name: a repeated name gets a number, so that no item hides another."""
    used: dict[str, int] = {}
    for item in items:
        plain = unused = name(item)
        while unused in used:
            used[plain] += 1
            unused = f"{plain} #{used[plain]}"
        used[unused] = 1
        yield unused, item
