"""Evidence as a chain to draw, from the pinned root or key down to the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bundler.model.evidence import ChainLink, Evidence, Method
from bundler.model.lock import Pin

NodeKind = Literal["anchor", "certificate", "key", "document", "file", "time"]

_METHODS: dict[Method, str] = {
    "authenticode": "Signature in the file (Authenticode)",
    "debsigs": "Signature in the package (debsigs, OpenPGP)",
    "rpm-signature": "Signature in the package (rpm, OpenPGP)",
    "apt-repository": "Signed repository (apt)",
    "yum-repository": "Signed repository (yum)",
    "admin-pin": "No signature: accepted by the definition",
}
# Files that are nothing but a signature over the document beside them.
_SIGNATURES = (".asc", ".gpg")


@dataclass(frozen=True)
class Node:
    """One link of a drawn chain."""

    kind: NodeKind
    how: str
    """What the link before does to this one."""
    what: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvidenceChain:
    """One independent verification of a file."""

    title: str
    verdict: str
    nodes: tuple[Node, ...]
    """From the pinned root or key to the file."""
    time_nodes: tuple[Node, ...] = ()
    """From the timestamp's root to the moment of signing; empty without a timestamp."""
    notes: tuple[str, ...] = ()


def evidence_chains(pin: Pin) -> tuple[EvidenceChain, ...]:
    """The verifications of ``pin``, in the manifest's order."""
    return tuple(_reason(pin, evidence) for evidence in pin.evidence)


def moment(at: datetime) -> str:
    """A time as a reviewer reads it; UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _reason(pin: Pin, evidence: Evidence) -> EvidenceChain:
    if evidence.method == "admin-pin":
        return EvidenceChain(
            title=_METHODS[evidence.method],
            verdict="NOT SIGNED: the definition accepts these bytes by their SHA-256",
            nodes=(Node("file", "accepted by its SHA-256", pin.filename, (f"SHA-256 {pin.sha256}",)),),
            notes=evidence.notes,
        )
    pinned = "a certificate" if evidence.chain else "an OpenPGP key"
    return EvidenceChain(
        title=_METHODS[evidence.method],
        verdict=f"Verified: it ends in {pinned} that the anchors “{evidence.anchors}” pin",
        nodes=(*_signers(evidence), *_signed(pin, evidence)),
        time_nodes=tuple(_time(evidence)),
        notes=evidence.notes,
    )


def _signers(evidence: Evidence) -> Iterator[Node]:
    """The certificates or keys from the root on; one is drawn as pinned only if it is the one that evidence names."""
    for position, link in enumerate(reversed(evidence.chain)):
        if link.sha256 == evidence.anchor:
            yield _link("anchor", f"Root certificate, pinned by the anchors “{evidence.anchors}”", link)
        else:
            yield _link("certificate", "issued" if position else "Root certificate", link)
    if not evidence.chain:
        how = f"OpenPGP key, pinned by the anchors “{evidence.anchors}”"
        yield Node("anchor", how, evidence.signer, (f"fingerprint {evidence.anchor}",))
        if evidence.fingerprint != evidence.anchor:
            yield Node("key", "has the signing key", evidence.signer, (f"fingerprint {evidence.fingerprint}",))


def _link(kind: NodeKind, how: str, link: ChainLink) -> Node:
    valid = f"valid {link.not_before:%Y-%m-%d} to {link.not_after:%Y-%m-%d}"
    return Node(kind, how, link.subject, (f"SHA-256 {link.sha256}", valid))


def _signed(pin: Pin, evidence: Evidence) -> Iterator[Node]:
    """The signed document, those that follow from it, and the file; without documents the file itself is signed."""
    signed = f"signed, {moment(evidence.signed_at)}" if evidence.signed_at else "signed"
    signatures = [one for one in evidence.documents if one.role.endswith(_SIGNATURES)]
    for position, one in enumerate(one for one in evidence.documents if one not in signatures):
        beside = tuple(f"signature {each.role}, SHA-256 {each.sha256}" for each in signatures if not position)
        how = "lists its SHA-256" if position else signed
        yield Node("document", how, one.role, (one.url, f"SHA-256 {one.sha256}", *beside))
    how = "lists its SHA-256" if evidence.documents else signed
    yield Node("file", how, pin.filename, (f"SHA-256 {pin.sha256}",))


def _time(evidence: Evidence) -> Iterator[Node]:
    if not evidence.timestamp_chain or evidence.signed_at is None:
        return
    root, *issued = reversed(evidence.timestamp_chain)
    yield _link("anchor", "Root certificate of the timestamp", root)
    yield from (_link("certificate", "issued", link) for link in issued)
    yield Node("time", "states the time of signing", moment(evidence.signed_at))
