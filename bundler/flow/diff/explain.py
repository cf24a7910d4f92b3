"""Classifies what a change means for the reviewer who must approve it.

The classes of a signer's change follow from what is pinned (docs/decisions): root and subject, not the leaf.
A publisher renews its leaf about every year, so a new leaf under the same root and subject is an ordinary update.
"""

from __future__ import annotations

import re
from typing import Any

from bundler.flow.diff.extract_packages import Identity
from bundler.flow.diff.model import Fact
from bundler.model.diff import Meaning
from bundler.model.seal import Signer

_PROGRESS = frozenset(["version", "facts.version", "serial", "created", "repository.date", "asked"])
_DEMANDS = frozenset(["signer", "required", "not_after", "signature"])
"""Facts that are a demand while they are present: a seal, approvals, an expiry."""


def meaning(was: Fact | None, now: Fact | None) -> Meaning:
    """The meaning of a changed fact; ``was`` is None for an added fact, ``now`` for a removed one."""
    if was is None or now is None:
        return _added_or_removed(was, now)
    if isinstance(was.value, Identity) and isinstance(now.value, Identity):
        return _signer(was.value, now.value)
    if isinstance(was.value, Signer) and isinstance(now.value, Signer):
        return "other-certificate" if was.value.name == now.value.name else "other-sealer"
    return _property(was, now)


def _property(was: Fact, now: Fact) -> Meaning:
    """The meaning of a changed property that both sides have."""
    if was.field == "bytes":
        return "other-bytes" if was.beside == now.beside else ""
    if was.topic == "anchors":
        return "other-anchors"
    if was.topic == "approval" and was.field == "required":
        return "weaker" if now.value < was.value else "stronger"
    if was.field not in _PROGRESS:
        return ""
    # Whether a number, time or version is newer or older; empty where the two have no order.
    left, right = _rank(was.value), _rank(now.value)
    try:
        return "newer" if left < right else "older" if right < left else ""
    except TypeError:  # a time with a zone, and one without
        return ""


def _added_or_removed(was: Fact | None, now: Fact | None) -> Meaning:
    fact = was or now
    if fact is None:
        return ""
    if fact.topic == "signers":
        return ("lost-signer" if now is None else "new-signer") if fact.headline else ""
    if fact.topic == "weakened" or fact.field == "lab":
        return "stronger" if now is None else "weaker"
    if fact.field in _DEMANDS:
        return "weaker" if now is None else "stronger"
    return ""


def _signer(was: Identity, now: Identity) -> Meaning:
    """How the signer of a signature or timestamp changed."""
    if (was.anchors, was.root) != (now.anchors, now.root):
        return "other-root" if was.chain or now.chain else "other-key"
    if was.stamp:
        return ""
    if was.signer != now.signer:
        return "other-publisher"
    return "new-path" if was.leaf == now.leaf else "new-leaf"


def _rank(found: object) -> Any:
    """Sort key of ``found``: a version by its numbers, of any length."""
    if not isinstance(found, str):
        return found
    numbers = (part.lstrip("0") for part in re.findall(r"[0-9]+", found))
    return [(len(number), number) for number in numbers]
