"""Adds a reviewer's approval to a bundle: a detached signature over SHA256SUMS, and so over every byte of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bundler.errors import PolicyError, VerificationError
from bundler.flow import approval_file
from bundler.formats.certificate import fingerprint
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle, check
from bundler.model.frozen import frozen
from bundler.model.progress import Progress
from bundler.model.seal import Signer
from bundler.pack import container
from bundler.pack.members import Password
from bundler.signing.cms_writer import sign_detached
from bundler.signing.seal import require_ready
from bundler.signing.signing_key import SigningKey
from bundler.trust import approvals
from bundler.trust.verify_seal import TrustPolicy, verify_signatures


@frozen
class Approved:
    """A bundle with one more approval."""

    name: str
    version: str
    digest: str
    approved_by: tuple[Signer, ...]
    """Every approver so far."""
    required: int
    written: str
    """The bundle, or the file with the approval alone."""


@dataclass(frozen=True)
class Review:
    """The bundle to approve, and how to verify it."""

    bundle: Path
    trusted: TrustPolicy | None
    """Accepted sealers; None skips the seal (``--insecure-no-seal``)."""
    at: datetime
    password: Password | None
    progress: Progress


class _LeafOnly:
    """A key with its own certificate alone: an approver is known by its fingerprint, and its issuers add no trust."""

    def __init__(self, key: SigningKey) -> None:
        self.certificates = key.certificates[:1]
        self.algorithm = key.algorithm
        self.sign = key.sign


def approve(review: Review, key: SigningKey, *, digest: str, detached_to: Path | None = None) -> Approved:
    """Sign the bundle as one of the approvers that its manifest names.

    Args:
        review: The bundle.
        key: The approver's.
        digest: The bundle digest that the reviewer read.
        detached_to: Write the approval to this file instead of the bundle.

    Raises:
        VerificationError: the bundle is damaged, sealed by another signer, or has another digest.
        PolicyError: the bundle demands no approval, or does not name this approver.
        SigningError: the key cannot sign.
        WriteError: ``detached_to`` exists and is no approval.

    """
    require_ready(key, review.at)
    if detached_to:
        approval_file.require_free(detached_to)
    found = _checked(review)
    if found.digest != digest:
        # Never the right digest: it would be copied instead of reviewed.
        raise VerificationError(
            "this bundle is not the one you reviewed: it has another digest than the one you gave",
            reason="other-bundle",
            details=[f"you gave: {digest}"],
            do="review this bundle (`arc-bundler inspect --html`), or approve the one that you reviewed",
        )
    demanded, own = found.manifest.approval, fingerprint(key.certificates[0])
    if demanded and own not in [one.sha256 for one in demanded.approvers]:
        raise PolicyError(
            "you are not one of the bundle's approvers",
            details=[f"you: sha256:{own}", *(f"{one.name}: sha256:{one.sha256}" for one in demanded.approvers)],
            do="approve with the key that the definition names",
        )
    return _add(review, found, [sign_detached(found.signed[sums.SUMS], _LeafOnly(key))], detached_to)


def attach(review: Review, files: Iterable[Path]) -> Approved:
    """Add approvals that were signed elsewhere. Raises as :func:`approve`, and UsageError for unreadable ``files``."""
    return _add(review, _checked(review), [approval_file.read(file) for file in files], None)


def _checked(review: Review) -> CheckedBundle:
    """The bundle with verified hashes and seal; it must demand approvals."""
    with container.open_bundle(review.bundle, password=review.password) as opened:
        found = check(opened.walk())
    if review.trusted:
        verify_signatures(found, review.trusted, at=review.at)
    if found.manifest.approval is None:
        raise PolicyError(
            "this bundle demands no approval",
            do="name its approvers in the definition (`approval:`), and build it again",
        )
    return found


def _add(review: Review, found: CheckedBundle, given: Iterable[bytes], detached_to: Path | None) -> Approved:
    """Verify the new approvals together with the present ones, then write them."""
    fresh = {approval_file.path_of(approval): approval for approval in given}
    whole = replace(found, signed={**found.signed, **fresh})
    trusted = review.trusted or TrustPolicy(frozenset())
    approved = approvals.verify(whole, trusted.approval, trusted.revocation_lists, at=review.at)
    approval_file.write(
        review.bundle, found, fresh, detached_to=detached_to, password=review.password, progress=review.progress
    )
    return Approved(
        name=found.manifest.name,
        version=found.manifest.version,
        digest=found.digest,
        approved_by=approved,
        required=found.manifest.approval.required if found.manifest.approval else 0,
        written=(detached_to or review.bundle).as_posix(),
    )
