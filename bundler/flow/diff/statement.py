"""What is one statement of a manifest or a lock, and how are a value's fields made into such?"""

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
"""The value of a fact that says no more than that its subject is there: its details are facts beside it."""


@dataclass(frozen=True)
class Fact:
    """One statement. Two facts speak of the same thing when ``topic``, ``subject`` and ``field`` are the same."""

    topic: Topic
    subject: str
    field: str
    value: Any
    """What is compared."""
    shown: tuple[str, ...] = ()
    """What is told."""
    owner: Owner = ()
    """The package, file or address that it belongs to. Where that itself came or went, its details are not told."""
    headline: bool = False
    """Told even so."""
    beside: str = ""
    """Not compared, but what a change means may depend on it: the version that a package's bytes have."""

    @property
    def key(self) -> Key:
        """What the fact speaks of."""
        return (self.topic, self.subject, self.field)


def all_under(stated: Any, topic: Topic) -> Mapping[str, Topic]:
    """Every field of ``stated`` under one topic."""
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
    """A fact for each field of ``stated`` that says something; empty text, no time and no items say nothing."""
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
    told: Callable[[str, _T], Iterable[Fact]],
    *,
    owner: Owner = (),
) -> Iterator[Fact]:
    """What is ``told`` of each of the ``items`` of ``subject`` under its name; then the order in which they stand."""
    named = tuple(numbered(items, name))
    for key, item in named:
        yield from told(key, item)
    yield order_of(subject, tuple(key for key, _ in named), owner)


def numbered(items: Iterable[_T], name: Callable[[_T], str]) -> Iterator[tuple[str, _T]]:
    """Each item with its name; a name that is there already gets a number behind it, so that no item hides another."""
    used: dict[str, int] = {}
    for item in items:
        plain = unused = name(item)
        while unused in used:
            used[plain] += 1
            unused = f"{plain} #{used[plain]}"
        used[unused] = 1
        yield unused, item
