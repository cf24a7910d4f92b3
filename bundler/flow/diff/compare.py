"""How does one bundle, manifest or lock differ from another? A pure function of two descriptions.

No signature is judged: `verify` does that, for either bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bundler.flow.diff import extract, textdiff
from bundler.flow.diff.explain import meaning
from bundler.flow.diff.load import Description, describe
from bundler.flow.diff.statement import ORDER, Fact, Key, Owner
from bundler.model.diff import TOPICS, Change, Diff, TextChange, What
from bundler.model.manifest import Manifest
from bundler.pack.members import Password


def diff(was: Path, now: Path, *, password: Password | None = None) -> Diff:
    """Compare what lies at two paths. Raises what :func:`~bundler.flow.diff.load.describe` raises."""
    return compare(describe(was, password=password), describe(now, password=password))


def compare(was: Description, now: Description) -> Diff:
    """How ``now`` differs from ``was``; what only one of the two can tell is not compared, and that is said."""
    before, after = _facts(was, now), _facts(now, was)
    changes = list(_changes(before, after))
    scripts = tuple(_scripts(was, now))
    if not changes and not scripts and was.side.kind == now.side.kind and was.side.digest != now.side.digest:
        changes.append(_form(was, now))
    return Diff(
        was=was.side,
        now=now.side,
        changes=tuple(sorted(changes, key=_weight)),
        scripts=scripts,
        not_compared=tuple(_not_compared(was, now)),
    )


def _facts(one: Description, other: Description) -> dict[Key, Fact]:
    """What ``one`` states, as far as ``other`` could state it too."""
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
        told = (was is None or _is_told(was, are)) and (now is None or _is_told(now, were))
        if told and _differ(key, was, now):
            yield _change(key, was, now)


def _is_told(fact: Fact, owners_there: set[Owner]) -> bool:
    """Details are told of what is on both sides."""
    return fact.headline or not fact.owner or fact.owner in owners_there


def _differ(key: Key, was: Fact | None, now: Fact | None) -> bool:
    ordered = key[2] == ORDER
    if was is None or now is None:
        return not ordered
    if ordered and set(was.shown) != set(now.shown):
        return False  # something came or went, which is told, and moves the others
    return bool(was.value != now.value)


def _change(key: Key, was: Fact | None, now: Fact | None) -> Change:
    topic, subject, field = key
    return Change(
        topic=topic,
        what="added" if was is None else "removed" if now is None else "changed",
        subject=subject,
        field=field,
        was=was.shown if was else (),
        now=now.shown if now else (),
        meaning=meaning(was, now),
    )


def _weight(change: Change) -> tuple[int, str, str]:
    """Where a change stands: nothing of this depends on which side is which."""
    return (TOPICS.index(change.topic), change.subject, change.field)


def _form(was: Description, now: Description) -> Change:
    return Change(
        topic="records", what="changed", subject="", field="form", was=(was.side.digest,), now=(now.side.digest,)
    )


def _scripts(was: Description, now: Description) -> Iterator[TextChange]:
    """The texts that differ, by path."""
    if was.texts is None or now.texts is None:
        return
    before, after = _digests(was), _digests(now)
    secrets = _secrets(was) | _secrets(now)
    for path in sorted({*was.texts, *now.texts}):
        if before.get(path) != after.get(path):
            yield _text(path, was.texts, now.texts, secret=path in secrets)


def _secrets(one: Description) -> set[str]:
    """Files that hold a secret because the definition wanted it so: they are never shown."""
    parameters = one.stated.parameters if isinstance(one.stated, Manifest) else {}
    return {parameters.get("embedded_secret", "")}


def _digests(one: Description) -> Mapping[str, str]:
    files = one.stated.files if isinstance(one.stated, Manifest) else ()
    return {file.path: file.sha256 for file in files}


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
        yield "A lock tells no parameters, endpoints, scripts, files, seal or approval"
        return
    if "lock" in kinds:
        yield "A lock tells packages, anchors and its time alone: nothing else was compared"
        return
    if "manifest" in kinds:
        yield "A manifest holds no texts: of scripts only the hashes were compared, under files"
