"""What does a manifest or a lock state, one thing at a time, so that two of them can be compared?

Every field of the values is a fact of its own or a part of one. A field that is not named here (because it is younger
than this module) becomes a fact under ``records``: nothing is left out silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from functools import singledispatch
from typing import Any, TypeVar

from bundler.formats import records
from bundler.model.contact import Contact
from bundler.model.diff import Topic
from bundler.model.evidence import ChainLink, Document, Evidence
from bundler.model.lock import Lock, Pin
from bundler.model.manifest import FileEntry, Manifest
from bundler.model.procedure import Deed, Procedure
from bundler.model.seal import Approval, Seal, Signer
from bundler.model.support import Support
from bundler.model.target import Target
from bundler.pack.manifest import digest
from bundler.seal import sums

_T = TypeVar("_T")

Owner = tuple[str, ...]
Key = tuple[Topic, str, str]
ORDER = "order"
"""Field of the fact that tells in which order things are listed."""


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


@dataclass(frozen=True)
class Identity:
    """Whom a signature or a timestamp comes from."""

    signer: str
    leaf: str
    root: str
    anchors: str = ""
    chain: tuple[ChainLink, ...] = ()
    stamp: bool = False
    """Whether it is a timestamp's: services use another certificate and subject every time."""


_MANIFEST: Mapping[str, Topic] = {
    "practice": "anchors",
    "anchors": "anchors",
    "anchors_sha256": "anchors",
    "name": "bundle",
    "version": "bundle",
    "product": "bundle",
    "serial": "bundle",
    "not_after": "bundle",
}
_PIN: Mapping[str, Topic] = {
    "name": "packages",
    "kind": "packages",
    "filename": "packages",
    "targets": "targets",
    "url": "sources",
    "redirects": "sources",
}


_PARTS = frozenset(
    "parameters pins files seal scripts_signed_by approval targets weakened unusual contacts procedures support".split()  # noqa: SIM905
)
"""Fields of a manifest that are facts of their own, item by item."""
_THERE = True
"""The value of a fact that says no more than that its subject is there: its details are facts beside it."""


def of_manifest(manifest: Manifest) -> Iterator[Fact]:
    """All that a manifest states."""
    yield from _plain(manifest, _MANIFEST, subject="", skip=_PARTS)
    yield from _each("weakened", "weakened", manifest.weakened)
    yield from _each("weakened", "unusual", manifest.unusual)
    yield from _each("targets", "targets", manifest.targets)
    if manifest.seal is not None:
        yield from _seal(manifest.seal)
    if manifest.scripts_signed_by is not None:
        yield Fact("seal", "scripts", "signer", manifest.scripts_signed_by, shown(manifest.scripts_signed_by))
    if manifest.approval is not None:
        yield from _approval(manifest.approval)
    for name, text in manifest.parameters.items():
        yield Fact("parameters", name, "", text, (text,))
    yield from _contacts(manifest.contacts)
    yield from _procedures(manifest.procedures)
    yield from _support(manifest.support)
    yield from _pins(manifest.pins)
    yield from _files(manifest.files)


def of_lock(lock: Lock) -> Iterator[Fact]:
    """All that a lock states."""
    yield from _plain(lock, _MANIFEST, subject="", skip={"pins"})
    yield from _pins(lock.pins)


def shared(stated: Manifest | Lock) -> Iterator[Fact]:
    """What a lock and a manifest both state: to compare a lock with a bundle that may have been built from it."""
    for name in ("name", "version", "anchors", "anchors_sha256"):
        text = getattr(stated, name)
        yield Fact(_MANIFEST[name], "", name, text, (text,))
    if isinstance(stated, Lock):
        sha256, taken = digest(records.to_json(stated)), stated.taken
    else:
        sha256, taken = stated.lock_sha256, stated.created
    yield Fact("records", "", "lock_sha256", sha256, (sha256,))
    yield Fact("records", "", "taken", taken, shown(taken))
    yield from _pins(stated.pins)


def of_signatures(signatures: Mapping[str, str], *, same: bool) -> Iterator[Fact]:
    """Which seals and approvals a bundle has.

    Over another bundle every signature is another one: that is told only where the bundles are the ``same`` but for it.
    """
    for path, sha256 in signatures.items():
        topic: Topic = "approval" if path.startswith(sums.APPROVALS) else "seal"
        yield Fact(topic, path, "signature", sha256 if same else _THERE, (f"SHA-256 {sha256}",))


def _contacts(contacts: tuple[Contact, ...]) -> Iterator[Fact]:
    """The addresses that the servers and the jump host speak to."""
    named = tuple(_named(contacts, lambda one: f"{one.host}:{one.port} {one.feature}, from the {one.origin}"))
    for key, one in named:
        owner = ("contact", key)
        need = "needed" if one.required else "optional"
        summary = f"{one.way}, {one.phase}, {need}: {one.why}"
        yield Fact("endpoints", key, "", _THERE, (summary,), owner, headline=True)
        yield from _plain(one, _all(one, "endpoints"), subject=key, owner=owner, skip={"host", "port", "feature"})
    yield _order("contacts", tuple(key for key, _ in named))


def _procedures(procedures: tuple[Procedure, ...]) -> Iterator[Fact]:
    """What the scripts do, a fact for each step."""
    named = tuple(_named(procedures, lambda one: one.script))
    for script, procedure in named:
        owner = ("procedure", script)
        yield from _plain(procedure, _all(procedure, "steps"), subject=script, owner=owner, skip={"script", "steps"})
        steps = tuple(_named(procedure.steps, lambda step: step.name))
        for name, step in steps:
            yield Fact("steps", script, name, step, shown(step.deeds), owner, headline=True)
        yield _order(f"{script} steps", tuple(name for name, _ in steps), owner)
    yield _order("procedures", tuple(script for script, _ in named))


def _support(support: tuple[Support, ...]) -> Iterator[Fact]:
    named = tuple(_named(support, lambda one: one.version))
    for version, one in named:
        until = one.until.isoformat() if one.until else "not known"
        yield Fact("packages", f"version {version}", "supported until", one, (until, *filter(None, [one.source])))
    yield _order("support", tuple(version for version, _ in named))


def _pins(pins: tuple[Pin, ...]) -> Iterator[Fact]:
    named = tuple(_named(pins, lambda pin: pin.place))
    for key, pin in named:
        yield from _pin(key, pin)
    yield _order("pins", tuple(key for key, _ in named))


def _pin(key: str, pin: Pin) -> Iterator[Fact]:
    owner = ("pin", key)
    facts = pin.facts
    summary = (f"{facts.name} {facts.version} {facts.architecture}, {pin.kind}", *_content(pin.size, pin.sha256))
    yield Fact("packages", key, "", _THERE, summary, owner, headline=True)
    handled = {"place", "evidence", "facts", "repository", "size", "sha256"}
    yield from _plain(pin, _PIN, subject=key, owner=owner, skip=handled)
    yield Fact(
        "packages", key, "bytes", (pin.sha256, pin.size), _content(pin.size, pin.sha256), owner, beside=facts.version
    )
    yield from _plain(facts, _all(facts, "packages"), subject=key, owner=owner, prefix="facts.")
    if pin.repository is not None:
        topics = _all(pin.repository, "sources")
        yield from _plain(pin.repository, topics, subject=key, owner=owner, prefix="repository.")
    named = tuple(_named(pin.evidence, lambda one: one.method))
    for method, evidence in named:
        yield from _evidence(key, method, evidence)
    yield _order(f"{key} evidence", tuple(method for method, _ in named), owner)


def _evidence(place: str, method: str, evidence: Evidence) -> Iterator[Fact]:
    owner = ("evidence", place, method)
    lines = (
        f"signer {evidence.signer}",
        f"fingerprint {evidence.fingerprint}",
        f"anchor {evidence.anchor} of {evidence.anchors}",
        *shown(evidence.chain),
    )
    identity = Identity(evidence.signer, evidence.fingerprint, evidence.anchor, evidence.anchors, evidence.chain)
    yield Fact("signers", place, method, identity, lines, owner, headline=True)
    if evidence.timestamped_by or evidence.timestamp_chain:
        chain = evidence.timestamp_chain
        ends = (chain[0].sha256, chain[-1].sha256) if chain else ("", "")
        stamped = Identity(evidence.timestamped_by, *ends, chain=chain, stamp=True)
        lines = (f"signer {evidence.timestamped_by}", *shown(chain))
        yield Fact("signers", place, f"{method}, timestamp", stamped, lines, owner)
    if evidence.notes:
        yield Fact("signers", place, f"{method}, notes", evidence.notes, evidence.notes, owner)
    named = tuple(_named(evidence.documents, lambda document: document.role))
    for role, document in named:
        yield Fact("evidence", place, f"{method}, document {role}", document, shown(document), owner)
    yield _order(f"{place} {method} documents", tuple(role for role, _ in named), owner)
    handled = {"signer", "fingerprint", "anchors", "anchor", "chain", "timestamped_by", "timestamp_chain", "notes"}
    yield from _plain(
        evidence,
        {"signed_at": "evidence"},
        subject=place,
        owner=owner,
        skip=handled | {"method", "documents"},
        prefix=f"{method}, ",
    )


def _seal(seal: Seal) -> Iterator[Fact]:
    yield Fact("seal", "", "signer", seal.signer, shown(seal.signer))
    yield from _plain(seal, {"openpgp": "seal"}, subject="", skip={"signer"})


def _approval(approval: Approval) -> Iterator[Fact]:
    yield from _plain(approval, {"required": "approval"}, subject="", skip={"approvers"})
    named = tuple(_named(approval.approvers, lambda approver: approver.name))
    for name, approver in named:
        yield Fact("approval", name, "approver", approver, shown(approver))
    yield _order("approvers", tuple(name for name, _ in named))


def _files(files: tuple[FileEntry, ...]) -> Iterator[Fact]:
    named = tuple(_named(files, lambda file: file.path))
    for path, file in named:
        owner = ("file", path)
        content = _content(file.size, file.sha256)
        yield Fact("files", path, "", _THERE, (f"mode {file.mode}", *content), owner, headline=True)
        yield Fact("files", path, "content", (file.sha256, file.size), content, owner)
        yield from _plain(file, _all(file, "files"), subject=path, owner=owner, skip={"path", "size", "sha256"})
    yield _order("files", tuple(path for path, _ in named))


def _all(stated: Any, topic: Topic) -> Mapping[str, Topic]:
    """Every field of ``stated`` under one topic."""
    return {field.name: topic for field in fields(stated)}


def _plain(
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


def _each(topic: Topic, what: str, items: tuple[object, ...]) -> Iterator[Fact]:
    """A fact for each of a list of things that are there or not."""
    for name, item in _named(items, str):
        yield Fact(topic, name, what, item)
    yield _order(what, items)


def _order(subject: str, items: tuple[object, ...], owner: Owner = ()) -> Fact:
    return Fact("records", subject, ORDER, items, tuple(map(str, items)), owner)


def _named(items: Iterable[_T], name: Callable[[_T], str]) -> Iterator[tuple[str, _T]]:
    """Each item with its name; a name that is there already gets a number behind it, so that no item hides another."""
    used: dict[str, int] = {}
    for item in items:
        plain = unused = name(item)
        while unused in used:
            used[plain] += 1
            unused = f"{plain} #{used[plain]}"
        used[unused] = 1
        yield unused, item


def _content(size: int, sha256: str) -> tuple[str, ...]:
    return (f"{size} bytes", f"SHA-256 {sha256}")


@singledispatch
def shown(found: object) -> tuple[str, ...]:
    """``found`` in words, a line each."""
    return (str(found if isinstance(found, (str, int, Target)) else records.to_tree(found)),)


@shown.register
def _(found: bool) -> tuple[str, ...]:
    return ("yes" if found else "no",)


@shown.register
def _(found: tuple) -> tuple[str, ...]:  # type: ignore[type-arg]
    return tuple(line for item in found for line in shown(item))


@shown.register
def _(found: datetime) -> tuple[str, ...]:
    return (_time(found),)


@shown.register
def _(found: ChainLink) -> tuple[str, ...]:
    valid = f"{_time(found.not_before)} to {_time(found.not_after)}"
    return (f"certificate {found.subject}, issued by {found.issuer}, {valid}, SHA-256 {found.sha256}",)


@shown.register
def _(found: Document) -> tuple[str, ...]:
    return (f"from {found.url}", *_content(found.size, found.sha256))


@shown.register
def _(found: Deed) -> tuple[str, ...]:
    condition = f" (only with {found.only_with})" if found.only_with else ""
    return ("".join(piece for piece, _ in found.pieces()) + condition,)


@shown.register
def _(found: Signer) -> tuple[str, ...]:
    valid = f"valid {_time(found.not_before)} to {_time(found.not_after)}"
    return (found.name, f"certificate SHA-256 {found.sha256}", valid, found.algorithm)


def _time(moment: datetime) -> str:
    """Microseconds where there are any: a difference that nobody sees would be none."""
    if moment.utcoffset() is None:
        return moment.isoformat()
    try:
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except OverflowError:  # the first and the last day that there are
        return moment.isoformat()
