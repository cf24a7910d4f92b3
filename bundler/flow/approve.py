"""Add a reviewer's word to a bundle: a detached signature over its sums, and so over every byte of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bundler.errors import PolicyError, UsageError, VerificationError, WriteError
from bundler.formats import cms
from bundler.formats.certificate import fingerprint
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle, check
from bundler.model.frozen import frozen
from bundler.model.progress import Progress
from bundler.model.seal import Signer
from bundler.model.tree import Mode
from bundler.pack import append, container
from bundler.pack.members import Password
from bundler.pack.staging import write_file
from bundler.signing.cms_writer import sign_detached
from bundler.signing.seal import require_ready
from bundler.signing.signing_key import SigningKey
from bundler.trust import approvals
from bundler.trust.verify_seal import TrustPolicy, verify_signatures


@frozen
class Approved:
    """A bundle that has one more approval, and what it still needs."""

    name: str
    version: str
    digest: str
    approved_by: tuple[Signer, ...]
    """Everybody who has approved it by now."""
    required: int
    written: str
    """The bundle, or the file with the approval alone."""


@dataclass(frozen=True)
class Review:
    """A bundle that is being approved, and what it is approved with."""

    bundle: Path
    trusted: TrustPolicy | None
    """Whose seal is believed; None asks for none."""
    at: datetime
    password: Password | None
    progress: Progress


def approve(review: Review, key: SigningKey, *, digest: str, detached_to: Path | None = None) -> Approved:
    """Sign the bundle as one of the approvers that its manifest names.

    ``digest`` is the bundle digest that the reviewer read. The approval goes into the bundle, or into the file
    ``detached_to`` alone. Raises VerificationError for a bundle that is damaged, sealed by others, or another one;
    PolicyError where this approver was not asked; SigningError.
    """
    require_ready(key, review.at)
    if detached_to:
        _require_free(detached_to)
    found = _checked(review)
    _require_same(found, digest)
    _require_named(found, key)
    # The approver's certificate alone: it is known by its fingerprint, and its issuers have no say.
    approval = sign_detached(found.signed[sums.SUMS], _Alone(key))
    return _put(review, found, [approval], detached_to)


def attach(review: Review, files: Iterable[Path]) -> Approved:
    """Put approvals that were made elsewhere into the bundle. Raises as :func:`approve`; UsageError for ``files``."""
    return _put(review, _checked(review), [_approval(file) for file in files], None)


def _checked(review: Review) -> CheckedBundle:
    with container.open_bundle(review.bundle, password=review.password) as opened:
        found = check(opened.walk())
    if review.trusted:
        verify_signatures(found, review.trusted, at=review.at)
    if found.manifest.approval is None:
        raise PolicyError(
            "this bundle asks for no approval",
            do="name its approvers in the definition (`approval:`), and build it again",
        )
    return found


def _require_same(found: CheckedBundle, digest: str) -> None:
    if found.digest != digest:
        raise VerificationError(
            f"this is another bundle than the one you read: its digest is {found.digest}",
            reason="other-bundle",
            details=[f"you gave: {digest}"],
            do="review this one (`arc-bundler inspect --html`), or take the one that you reviewed",
        )


def _require_named(found: CheckedBundle, key: SigningKey) -> None:
    wanted = found.manifest.approval
    own = fingerprint(key.certificates[0])
    if wanted and own not in [one.sha256 for one in wanted.approvers]:
        raise PolicyError(
            "the bundle names other approvers than you",
            details=[f"you: sha256:{own}", *(f"{one.name}: sha256:{one.sha256}" for one in wanted.approvers)],
            do="approve with the key that the definition names",
        )


def _require_free(file: Path) -> None:
    """Refuse to write over what is no approval: the approver's own key or certificate, named by accident."""
    if file.is_file():
        try:
            cms.read(_read(file))
        except ValueError as error:
            raise WriteError(
                f"{file} is already there, and is no approval", do="name another file with `--detached FILE`"
            ) from error


class _Alone:
    """A key with its own certificate and none above it."""

    def __init__(self, key: SigningKey) -> None:
        self.certificates = key.certificates[:1]
        self.algorithm = key.algorithm
        self.sign = key.sign


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(cms.LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"the approval {file} cannot be read: {error.strerror or error}",
            do="give the path of a file that you may read",
        ) from error


def _approval(file: Path) -> bytes:
    content = _read(file)
    try:
        cms.read(content)
    except ValueError as error:
        raise VerificationError(
            f"{file} is no approval: {error}",
            reason="bad-seal",
            do="give the file that `approve --detached FILE` wrote; if it is that, copy it again",
        ) from error
    return content


def _put(review: Review, found: CheckedBundle, given: Iterable[bytes], detached_to: Path | None) -> Approved:
    """Believe the approvals together with those that are there, and put them where they belong."""
    fresh = {_place(approval): approval for approval in given}
    whole = replace(found, signed={**found.signed, **fresh})
    trusted = review.trusted or TrustPolicy(frozenset())
    approved = approvals.verify(whole, trusted.approval, trusted.revocation_lists, at=review.at)
    _write(review, found, fresh, detached_to)
    return Approved(
        name=found.manifest.name,
        version=found.manifest.version,
        digest=found.digest,
        approved_by=approved,
        required=found.manifest.approval.required if found.manifest.approval else 0,
        written=(detached_to or review.bundle).as_posix(),
    )


def _write(review: Review, found: CheckedBundle, fresh: Mapping[str, bytes], detached_to: Path | None) -> None:
    if detached_to:
        for approval in fresh.values():
            write_file(detached_to, approval)
        return
    append.add(
        review.bundle,
        fresh,
        modes=_modes(found),
        time=found.manifest.created,
        password=review.password,
        progress=review.progress,
    )


def _place(approval: bytes) -> str:
    return sums.approval(fingerprint(cms.read(approval).certificates[0]))


def _modes(found: CheckedBundle) -> dict[str, Mode]:
    return {entry.path: 0o755 if entry.mode == "0755" else 0o644 for entry in found.manifest.files}
