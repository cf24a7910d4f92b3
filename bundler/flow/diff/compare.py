"""Compares two bundles, manifests or locks: a pure function of two descriptions.

No signature is verified; `verify` does that for each bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bundler.flow.diff import extract, textdiff
from bundler.flow.diff.description import Description
from bundler.flow.diff.explain import meaning
from bundler.flow.diff.load import describe
from bundler.flow.diff.model import ORDER, Fact, Key, Owner
from bundler.model.diff import TOPICS, Change, Diff, TextChange, What
from bundler.model.manifest import Manifest
from bundler.pack.members import Password


def diff(was: Path, now: Path, *, password: Password | None = None) -> Diff:
    """Compare the bundles, manifests or locks at two paths. Raises as :func:`~bundler.flow.diff.load.describe`."""
    return compare(describe(was, password=password), describe(now, password=password))


def compare(was: Description, now: Description) -> Diff:
    """How ``now`` differs from ``was``; the result names what only one of the two states and so is not compared."""
    before, after = _facts(was, now), _facts(now, was)
    changes = list(_changes(before, after))
    scripts = tuple(_scripts(was, now))
    if not changes and not scripts and was.side.kind == now.side.kind and was.side.digest != now.side.digest:
        digests = (was.side.digest,), (now.side.digest,)
        changes.append(
            Change(topic="records", what="changed", subject="", field="form", was=digests[0], now=digests[1])
        )
    return Diff(
        was=was.side,
        now=now.side,
        changes=tuple(sorted(changes, key=lambda change: (TOPICS.index(change.topic), change.subject, change.field))),
        scripts=scripts,
        not_compared=tuple(_not_compared(was, now)),
    )


def _facts(one: Description, other: Description) -> dict[Key, Fact]:
    """The facts of ``one`` that ``other`` could state too."""
    found: list[Fact] = []
    if type(one.stated) is not type(other.stated):
        found += extract.shared(one.stated)
    elif isinstance(one.stated, Manifest):
        found += extract.of_manifest(one.stated)
    else:
        found += extract.of_lock(one.stated)
    if one.signatures is not None and other.signatures is not None:
        found += extract.of_signatures(one.signatures, same=one.side.digest == other.side.digest)
    return {fact.key: fact for fact in found}


def _changes(before: Mapping[Key, Fact], after: Mapping[Key, Fact]) -> Iterator[Change]:
    were, are = {fact.owner for fact in before.values()}, {fact.owner for fact in after.values()}
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        reported = (was is None or _is_reported(was, are)) and (now is None or _is_reported(now, were))
        if reported and _differ(key, was, now):
            topic, subject, field = key
            yield Change(
                topic=topic,
                what="added" if was is None else "removed" if now is None else "changed",
                subject=subject,
                field=field,
                was=was.shown if was else (),
                now=now.shown if now else (),
                meaning=meaning(was, now),
            )


def _is_reported(fact: Fact, owners_there: set[Owner]) -> bool:
    """Whether to report a fact: details of an owner that was added or removed are not."""
    return fact.headline or not fact.owner or fact.owner in owners_there


def _differ(key: Key, was: Fact | None, now: Fact | None) -> bool:
    ordered = key[2] == ORDER
    if was is None or now is None:
        return not ordered
    if ordered and set(was.shown) != set(now.shown):
        return False  # an item was added or removed, which is reported and moves the others
    return bool(was.value != now.value)


def _scripts(was: Description, now: Description) -> Iterator[TextChange]:
    """The texts that differ, by path; a file that embeds a secret is never shown."""
    if was.texts is None or now.texts is None:
        return
    before, after = (
        {file.path: file.sha256 for file in one.stated.files} if isinstance(one.stated, Manifest) else {}
        for one in (was, now)
    )
    secrets = {one.stated.parameters.get("embedded_secret") for one in (was, now) if isinstance(one.stated, Manifest)}
    for path in sorted({*was.texts, *now.texts}):
        if before.get(path) != after.get(path):
            yield _text(path, was.texts, now.texts, secret=path in secrets)


def _text(path: str, was: Mapping[str, str | None], now: Mapping[str, str | None], *, secret: bool) -> TextChange:
    what: What = "added" if path not in was else "removed" if path not in now else "changed"
    if secret:
        return TextChange(path=path, what=what, withheld="secret")
    before, after = was.get(path, ""), now.get(path, "")
    if before is None or after is None:
        return TextChange(path=path, what=what, withheld="no-text")
    left, right = textdiff.split(before), textdiff.split(after)
    if max(len(left), len(right)) > textdiff.MAX_LINES:
        return TextChange(path=path, what=what, withheld="too-long")
    return TextChange(path=path, what=what, hunks=textdiff.hunks(left, right))


def _not_compared(was: Description, now: Description) -> Iterator[str]:
    kinds = {was.side.kind, now.side.kind}
    if kinds == {"lock"}:
        yield "A lock has no parameters, endpoints, scripts, files, seal or approval"
        return
    if "lock" in kinds:
        yield "A lock has only packages, anchors and its time: nothing else was compared"
        return
    if "manifest" in kinds:
        yield "A manifest contains no script text: scripts were compared only by hash, under files"
