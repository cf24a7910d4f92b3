"""Make the page that a security reviewer reads, from a manifest alone."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.formats import json_codec
from bundler.integrity import sums
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.seal import Approval, Seal, Signer
from bundler.model.tree import Entry
from bundler.products.arc_server import review as arc_server
from bundler.render import review as rendered
from bundler.render.review import Finding
from bundler.trust import anchors as trusted

PATH = rendered.PATH
"""Where the page lies in a bundle, and how its name ends beside the archives."""


def page(manifest: Manifest, *, digest: str = "") -> bytes:
    """``review.html`` for ``manifest``; without ``digest`` the page that lies in the bundle."""
    # Here, not above: whoever asks for no page need not wait for the library.
    from bundler.pack.sbom import purl

    vendor = arc_server.vendor(manifest)
    return rendered.page(
        rendered.review(
            manifest,
            digest=digest,
            lead=arc_server.lead(manifest),
            facts=arc_server.facts(manifest),
            findings=(*findings(manifest), *arc_server.findings(manifest)),
            purls={pin.path: purl(pin, vendor).to_string() for pin in manifest.pins},
        )
    )


def outside(document: bytes) -> bytes:
    """The page beside the archives, with the digest to approve, from the bytes of ``manifest.json``.

    Raises :class:`bundler.formats.json_codec.RecordError` for a document that is no manifest.
    """
    manifest = json_codec.from_json(Manifest, document)
    return page(manifest, digest=sums.bundle_digest_of(manifest, document))


def inside(manifest: Manifest) -> Entry:
    """The page as a file of the bundle that ``manifest`` describes, without the page."""
    return Entry(PATH, page(manifest))


def findings(manifest: Manifest) -> Iterator[Finding]:
    """What is unusual about any bundle, and what is as it should be."""
    if manifest.lab:
        text = "A lab made the packages and the keys that sign them. It proves nothing and is for no production server."
        yield Finding("stop", "LAB bundle: not for production", text)
    yield from _anchors(manifest)
    yield from _weakened(manifest)
    for pin in manifest.pins:
        yield from _pin(pin)
    yield from _vouched(manifest)
    for sentence in manifest.unusual:
        yield Finding("look", "The definition asks for something unusual", f"The bundle {sentence}.")


def _anchors(manifest: Manifest) -> Iterator[Finding]:
    digest = manifest.anchors_sha256
    if digest == trusted.digest(trusted.microsoft()):
        text = "Every chain below ends in the roots and keys of Microsoft that are built in. Their SHA-256:"
        yield Finding("ordinary", "The anchors are Microsoft's", text, digest)
        return
    text = (
        f"Every chain below ends in the anchors “{manifest.anchors}”, which are not the ones that this release has "
        "built in. Whoever holds their keys can make packages that are believed. Their SHA-256:"
    )
    yield Finding("look", "The anchors are not Microsoft's", text, digest)


def _weakened(manifest: Manifest) -> Iterator[Finding]:
    for switch in manifest.weakened:
        yield Finding(
            "stop", f"A check was weakened: {switch}", "It was switched off for this build, on its command line."
        )
    if not manifest.weakened:
        yield Finding("ordinary", "No check was weakened", "No --insecure-… switch was used.")


def _pin(pin: Pin) -> Iterator[Finding]:
    name = f"{pin.facts.name} {pin.facts.version}"
    if not pin.evidence:
        yield Finding("stop", f"Nothing vouches for {name}", f"The manifest gives no evidence for {pin.path}.")
    if pin.url.startswith("file:"):
        text = f"{pin.path} was not fetched: it was a file at hand, judged like any other."
        yield Finding("know", f"{name} came from a file", text)
    for evidence in pin.evidence:
        for note in evidence.notes:
            yield Finding("know", f"{name}: a note on its signature", note)


def _vouched(manifest: Manifest) -> Iterator[Finding]:
    yield _seal(manifest.seal)
    if manifest.scripts_signed_by is not None:
        yield _scripts(manifest.scripts_signed_by)
    yield _approval(manifest.approval)
    if manifest.not_after is None:
        text = "A copy that is found in a year installs what was current today."
        yield Finding("know", "The bundle has no last day", text)


def _seal(seal: Seal | None) -> Finding:
    if seal is None:
        text = (
            "Nobody signed it: whoever can change a file on the way can change the list of digests as well. "
            "The digest has to reach the far side by another way, and to be compared there."
        )
        return Finding("look", "The bundle is not sealed", text)
    text = f"By {seal.signer.name}. The SHA-256 of the certificate, to be compared with what you were told:"
    return Finding("ordinary", "The bundle is sealed", text, seal.signer.sha256)


def _scripts(signer: Signer) -> Finding:
    text = (
        f"By {signer.name}, until {signer.not_after:%Y-%m-%d}: for Windows servers that run signed scripts alone. "
        "The SHA-256 of the certificate:"
    )
    return Finding("ordinary", "The PowerShell scripts are signed", text, signer.sha256)


def _approval(approval: Approval | None) -> Finding:
    if approval is None:
        text = "The servers accept it without a reviewer's signature: a yes to this page is not enforced by anything."
        return Finding("look", "No approval is demanded", text)
    names = ", ".join(one.name for one in approval.approvers)
    return Finding("ordinary", f"{approval.required} approvals are demanded", f"Of: {names}.")
