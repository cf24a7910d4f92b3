"""Extracts the facts that pins state: packages, their sources, and their signers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from bundler.flow.diff.format import shown, size_and_digest
from bundler.flow.diff.model import THERE, Fact, Owner, all_under, each, fields_of
from bundler.model.diff import Topic
from bundler.model.evidence import ChainLink, Document, Evidence
from bundler.model.lock import Pin


@dataclass(frozen=True)
class Identity:
    """The signer of a signature or a timestamp."""

    signer: str
    leaf: str
    root: str
    anchors: str = ""
    chain: tuple[ChainLink, ...] = ()
    stamp: bool = False
    """True for a timestamp: services use another certificate and subject every time."""


_PIN: Mapping[str, Topic] = {
    "name": "packages",
    "kind": "packages",
    "filename": "packages",
    "targets": "targets",
    "url": "sources",
    "redirects": "sources",
    "asked": "sources",
}


_HANDLED = frozenset(
    [
        "method",
        "signer",
        "fingerprint",
        "anchors",
        "anchor",
        "chain",
        "timestamped_by",
        "timestamp_chain",
        "notes",
        "documents",
    ]
)
"""Fields of evidence that are facts of their own, or parts of one."""


def of_pins(pins: tuple[Pin, ...]) -> Iterator[Fact]:
    """The facts of ``pins``."""
    return each("pins", pins, lambda pin: pin.place, _pin)


def _pin(key: str, pin: Pin) -> Iterator[Fact]:
    owner = ("pin", key)
    facts = pin.facts
    summary = (f"{facts.name} {facts.version} {facts.architecture}, {pin.kind}", *size_and_digest(pin.size, pin.sha256))
    yield Fact("packages", key, "", THERE, summary, owner, headline=True)
    handled = {"place", "evidence", "facts", "repository", "size", "sha256"}
    yield from fields_of(pin, _PIN, subject=key, owner=owner, skip=handled)
    yield Fact(
        "packages",
        key,
        "bytes",
        (pin.sha256, pin.size),
        size_and_digest(pin.size, pin.sha256),
        owner,
        beside=facts.version,
    )
    yield from fields_of(facts, all_under(facts, "packages"), subject=key, owner=owner, prefix="facts.")
    if pin.repository is not None:
        topics = all_under(pin.repository, "sources")
        yield from fields_of(pin.repository, topics, subject=key, owner=owner, prefix="repository.")
    yield from each(f"{key} evidence", pin.evidence, lambda one: one.method, partial(_evidence, key), owner=owner)


def _evidence(place: str, method: str, evidence: Evidence) -> Iterator[Fact]:
    owner = ("evidence", place, method)
    yield _signer(place, method, evidence, owner)
    if evidence.timestamped_by or evidence.timestamp_chain:
        chain = evidence.timestamp_chain
        ends = (chain[0].sha256, chain[-1].sha256) if chain else ("", "")
        stamped = Identity(evidence.timestamped_by, *ends, chain=chain, stamp=True)
        lines = (f"signer {evidence.timestamped_by}", *shown(chain))
        yield Fact("signers", place, f"{method}, timestamp", stamped, lines, owner)
    if evidence.notes:
        yield Fact("signers", place, f"{method}, notes", evidence.notes, evidence.notes, owner)

    def document_fact(role: str, document: Document) -> Iterator[Fact]:
        yield Fact("evidence", place, f"{method}, document {role}", document, shown(document), owner)

    documents = f"{place} {method} documents"
    yield from each(documents, evidence.documents, lambda document: document.role, document_fact, owner=owner)
    topics: Mapping[str, Topic] = {"signed_at": "evidence"}
    yield from fields_of(evidence, topics, subject=place, owner=owner, skip=_HANDLED, prefix=f"{method}, ")


def _signer(place: str, method: str, evidence: Evidence, owner: Owner) -> Fact:
    lines = (
        f"signer {evidence.signer}",
        f"fingerprint {evidence.fingerprint}",
        f"anchor {evidence.anchor} of {evidence.anchors}",
        *shown(evidence.chain),
    )
    identity = Identity(evidence.signer, evidence.fingerprint, evidence.anchor, evidence.anchors, evidence.chain)
    return Fact("signers", place, method, identity, lines, owner, headline=True)
