"""Makes the page that a security reviewer reads, from a manifest alone."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.flow import runtimes
from bundler.formats import json_codec
from bundler.integrity import sums
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.review import ReviewFinding
from bundler.model.script_runtime import UNKNOWN, UNRELEASED
from bundler.model.seal import Seal
from bundler.model.tree import Entry
from bundler.products import registry
from bundler.products.product import ReviewFacts
from bundler.render import review as rendered
from bundler.trust import anchors as trusted

PATH = rendered.PATH
"""Path of the page in a bundle, and the end of its name beside the archives."""


def page(manifest: Manifest, *, digest: str = "") -> bytes:
    """``review.html`` for ``manifest``; without ``digest`` the page in the bundle.

    A product that is not built in adds to it where this command has loaded it.
    """
    # Here, not above: a command without a page does not load the library.
    from bundler.pack.sbom import purl

    about = _about(manifest)
    return rendered.page(
        rendered.review(
            manifest,
            digest=digest,
            lead=about.lead,
            facts=about.facts,
            findings=(*findings(manifest), *about.findings),
            purls={pin.path: purl(pin, about.vendor).to_string() for pin in manifest.pins},
            runtimes=runtimes.known(manifest.runtimes),
        )
    )


def _about(manifest: Manifest) -> ReviewFacts:
    """What the product adds; where it is not loaded, that it does not."""
    product = registry.loaded(manifest.product)
    if product is not None:
        return product.review(manifest)
    text = (
        f"The bundle's product is {manifest.product!r}, made by {manifest.tool}. This page was made without that "
        "product: what only it knows of its bundles is missing."
    )
    finding = ReviewFinding("look", "The product was not loaded", text)
    targets = ", ".join(map(str, manifest.targets))
    return ReviewFacts(vendor="", lead=f"Brings the product {manifest.product} to {targets}.", findings=(finding,))


def outside(document: bytes) -> bytes:
    """The page beside the archives, with the digest to approve, from the bytes of ``manifest.json``.

    Raises :class:`bundler.formats.json_codec.RecordError` for a document that is no manifest.
    """
    manifest = json_codec.from_json(Manifest, document)
    return page(manifest, digest=sums.bundle_digest_of(manifest, document))


def inside(manifest: Manifest) -> Entry:
    """The page as a file of the bundle that ``manifest`` describes, without the page."""
    return Entry(PATH, page(manifest))


def findings(manifest: Manifest) -> Iterator[ReviewFinding]:
    """What is unusual about a bundle of any product, and what was checked and is not."""
    if manifest.lab:
        text = "A lab made the packages and the keys that sign them. Do not install it on a production server."
        yield ReviewFinding("stop", "LAB bundle: not for production", text)
    yield from _anchors(manifest)
    for switch in manifest.weakened:
        yield ReviewFinding("stop", f"A check was weakened: {switch}", "The build's command line switched it off.")
    if not manifest.weakened:
        yield ReviewFinding("ordinary", "No check was weakened", "No --insecure-… switch was used.")
    for pin in manifest.pins:
        yield from _pin(pin)
    yield from _runtimes(manifest)
    yield from _signatures(manifest)
    for sentence in manifest.unusual:
        yield ReviewFinding("look", "The definition asks for something unusual", f"The bundle {sentence}.")
    for sentence in manifest.warnings:
        yield ReviewFinding("look", "The definition was accepted with a warning", f"{sentence}.")


def _anchors(manifest: Manifest) -> Iterator[ReviewFinding]:
    digest = manifest.anchors_sha256
    if digest == trusted.digest(trusted.microsoft()):
        text = "Every chain below ends in Microsoft's roots and keys, as built into this release. Their SHA-256:"
        yield ReviewFinding("ordinary", "The anchors are Microsoft's", text, digest)
        return
    text = (
        f"Every chain below ends in the anchors “{manifest.anchors}”, not in those that are built into this release. "
        "The owner of their keys can make packages that verify. Their SHA-256:"
    )
    yield ReviewFinding("look", "The anchors are not Microsoft's", text, digest)


def _pin(pin: Pin) -> Iterator[ReviewFinding]:
    name = f"{pin.facts.name} {pin.facts.version}"
    if not pin.evidence:
        yield ReviewFinding("stop", f"{name} is not verified", f"The manifest gives no evidence for {pin.path}.")
    if pin.url.startswith("file:"):
        text = f"{pin.path} was not fetched: it is a local file, verified like any other package."
        yield ReviewFinding("know", f"{name} came from a file", text)
    if any(evidence.method == "admin-pin" for evidence in pin.evidence):
        text = f"{pin.path} carries no signature: the definition accepts it by its SHA-256 (accept_unsigned)."
        yield ReviewFinding("look", f"{name} is not signed", text, pin.sha256)
    for evidence in pin.evidence:
        for note in evidence.notes:
            yield ReviewFinding("know", f"{name}: a note on its signature", note)


def _runtimes(manifest: Manifest) -> Iterator[ReviewFinding]:
    known = runtimes.known(manifest.runtimes)
    names = {
        release: [one.script for one in known if one.release == release] for release in (one.release for one in known)
    }
    for release, scripts in names.items():
        named = f"Of {', '.join(scripts)}."
        if not release:
            text = f"{named} Read these scripts whole, or ask who built the bundle which release made them."
            yield ReviewFinding("look", f"A runtime is {UNKNOWN}", text)
        elif release == UNRELEASED:
            text = f"{named} An arc-bundler between two releases made them. Use a release for production."
            yield ReviewFinding("know", "The scripts' runtimes are unreleased", text)
        else:
            text = f"{named} A reviewer who knows that release reads only the headers."
            yield ReviewFinding("ordinary", f"The scripts have the runtime of {release}", text)


def _signatures(manifest: Manifest) -> Iterator[ReviewFinding]:
    yield _seal(manifest.seal)
    signer, approval = manifest.scripts_signed_by, manifest.approval
    if signer is not None:
        text = (
            f"By {signer.name}, until {signer.not_after:%Y-%m-%d}: for Windows servers that run signed scripts only. "
            "The SHA-256 of the certificate:"
        )
        yield ReviewFinding("ordinary", "The PowerShell scripts are signed", text, signer.sha256)
    if approval is None:
        text = "Servers accept the bundle without a reviewer's signature: approving this page has no technical effect."
        yield ReviewFinding("look", "No approval is required", text)
    else:
        names = ", ".join(one.name for one in approval.approvers)
        yield ReviewFinding("ordinary", f"{approval.required} approvals are required", f"Of: {names}.")
    if manifest.not_after is None:
        text = "A copy of this bundle installs this version even years later."
        yield ReviewFinding("know", "The bundle does not expire", text)


def _seal(seal: Seal | None) -> ReviewFinding:
    if seal is None:
        text = (
            "Anyone who can change a file in transit can also change the list of digests. "
            "Send the digest through a separate channel, and compare it before you install."
        )
        return ReviewFinding("look", "The bundle is not signed", text)
    text = f"By {seal.signer.name}. Compare the certificate's SHA-256 with the fingerprint that the signer gave you:"
    return ReviewFinding("ordinary", "The bundle is signed", text, seal.signer.sha256)
