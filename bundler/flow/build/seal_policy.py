"""States who must sign a bundle and for how long it is valid, and refuses a build that cannot meet that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from bundler.errors import LockError, SigningError
from bundler.flow import lock_file
from bundler.flow.project import Project
from bundler.flow.side_files import HeldApprover
from bundler.integrity import sums
from bundler.model.lock import Lock
from bundler.model.seal import Approval, Recognised, SealPolicy, SignatureForms
from bundler.model.tree import Entry, Tree
from bundler.pack.manifest import document
from bundler.signing.seal import describe, require_ready, seals
from bundler.signing.signing_key import Sealer
from bundler.trust import signer_identity

_AHEAD = timedelta(hours=1)
"""Allowed clock skew of the host that created the lock."""


def policy(project: Project, lock: Lock, sealer: Sealer | None) -> SealPolicy:
    """What the scripts of a bundle from ``lock`` accept as its seal and approvals."""
    days = project.definition.seal.valid_days
    approval = project.definition.approval
    return SealPolicy(
        sealer=signer_identity.recognised(sealer.key.certificates) if sealer else None,
        openpgp=sealer.openpgp.fingerprint if sealer and sealer.openpgp else "",
        required=approval.required if approval else 0,
        approvers=recognised(project.approvers),
        serial=serial(lock),
        not_after=lock.created + timedelta(days=days) if days else None,
    )


def bundle_end(project: Project, lock_path: Path) -> datetime | None:
    """Until when servers take the bundle of the lock at ``lock_path``; None for no end."""
    days = project.definition.seal.valid_days
    lock = lock_file.read(lock_path) if days else None
    return lock.created + timedelta(days=days) if lock and days else None


def recognised(approvers: Iterable[HeldApprover]) -> tuple[Recognised, ...]:
    """The approvers that a definition names, with the forms of their approvals."""
    return tuple(signer_identity.from_der(one.der, name=one.name) for one in approvers)


def approval(policy: SealPolicy) -> Approval | None:
    """The approvals that the manifest demands; None for none."""
    if not policy.required:
        return None
    return Approval(required=policy.required, approvers=tuple(one.signer for one in policy.approvers))


def signature_forms(wanted: SealPolicy) -> tuple[SignatureForms, ...]:
    """The forms of the signatures of all who may sign, as the manifest keeps them; each signer once."""
    signers = (*([wanted.sealer] if wanted.sealer else []), *wanted.approvers)
    forms = {one.signer.sha256: one.forms for one in signers}
    return tuple(SignatureForms(sha256=sha256, forms=given) for sha256, given in forms.items())


def serial(lock: Lock) -> int:
    """A number that grows with every lock and is readable: the time at which it was created."""
    return int(f"{lock.created:%Y%m%d%H%M%S}")


def require_sealer(project: Project, sealer: Sealer | None, at: datetime) -> None:
    """Raise SigningError unless ``sealer`` may seal what the definition requests, at the time ``at``."""
    pins = project.definition.seal.signers
    if sealer is None:
        if pins or project.definition.approval:
            demand = "a seal by one of seal.signers" if pins else "approvals, which require a seal"
            raise SigningError(
                f"the definition requires {demand}, and no key was given",
                do="give the key: `--seal-key FILE`, `--seal-pkcs11 URI` or `--seal-command COMMAND` (docs/sealing.md)",
            )
        return
    require_ready(sealer.key, at)
    given = describe(sealer).signer
    own = signer_identity.public_key(sealer.key.certificates[0].public_bytes(Encoding.DER))
    for approver in project.approvers:
        if signer_identity.public_key(approver.der) == own:
            raise SigningError(
                f"the signing key belongs to approver {approver.name}; approvers must use a different key",
                do="seal with another key, or name another approver in the definition",
            )
    if pins and f"sha256:{given.sha256}" not in pins:
        raise SigningError(
            f"{given.name} is not among the definition's seal.signers",
            details=[f"given: sha256:{given.sha256}", *(f"allowed: {pin}" for pin in pins)],
            do="seal with a key that the definition names, or add this one there and lock again",
        )


def require_in_time(project: Project, lock: Lock, at: datetime) -> None:
    """Raise LockError for a lock from the future, or one with a bundle that has expired at ``at``."""
    if lock.created > at + _AHEAD:
        raise LockError(
            f"the lock's timestamp {lock.created:%Y-%m-%d %H:%M} UTC is in the future",
            details=["Servers would reject every later bundle as older than this one."],
            do="set this machine's clock, or create the lock again with `arc-bundler lock`",
        )
    days = project.definition.seal.valid_days
    if days and lock.created + timedelta(days=days) <= at:
        raise LockError(
            f"the lock was created on {lock.created:%Y-%m-%d} and expired after {days} days (seal.valid_days)",
            do="create the lock again with `arc-bundler lock`",
        )


def sealed(tree: Tree, sealer: Sealer | None) -> Tree:
    """``tree`` with the sealer's signatures over SHA256SUMS and manifest. Raises :class:`SigningError`."""
    if sealer is None:
        return tree
    made = seals({path: document(tree, path) for path in (sums.SUMS, sums.MANIFEST)}, sealer)
    entries = (*tree.entries, *(Entry(path, content) for path, content in made.items()))
    return replace(tree, entries=tuple(sorted(entries, key=lambda entry: entry.path.encode())))
