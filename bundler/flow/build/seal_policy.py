"""Who vouches for the bundle that is being built: its sealer, its approvers, and from when until when?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from bundler.errors import LockError, SigningError
from bundler.flow.project import Project
from bundler.integrity import sums
from bundler.model.lock import Lock
from bundler.model.seal import Approval, Recognised, SealPolicy
from bundler.model.tree import Entry, Tree
from bundler.pack.manifest import document
from bundler.products.arc_server.script_parameters import HeldApprover
from bundler.signing.seal import describe, require_ready, seals
from bundler.signing.signing_key import Sealer
from bundler.trust import signer_identity

_AHEAD = timedelta(hours=1)
"""By so much the clock of whoever took the lock may be ahead."""


def vouching(project: Project, lock: Lock, sealer: Sealer | None) -> SealPolicy:
    """What the scripts of a bundle from ``lock`` believe its seal by."""
    days = project.definition.seal.valid_days
    approval = project.definition.approval
    return SealPolicy(
        sealer=signer_identity.recognised(sealer.key.certificates) if sealer else None,
        openpgp=sealer.openpgp.fingerprint if sealer and sealer.openpgp else "",
        required=approval.required if approval else 0,
        approvers=recognised(project.attachments.approvers),
        serial=serial(lock),
        not_after=lock.created + timedelta(days=days) if days else None,
    )


def recognised(approvers: Iterable[HeldApprover]) -> tuple[Recognised, ...]:
    """The approvers that a definition names, with the forms of their approvals."""
    return tuple(signer_identity.from_der(one.der, name=one.name) for one in approvers)


def approval(wanted: SealPolicy) -> Approval | None:
    """The approvals that the manifest demands."""
    if not wanted.required:
        return None
    return Approval(required=wanted.required, approvers=tuple(one.signer for one in wanted.approvers))


def serial(lock: Lock) -> int:
    """A number that grows with every lock, and that a person can read: the time that it was taken."""
    return int(f"{lock.created:%Y%m%d%H%M%S}")


def require_sealer(project: Project, sealer: Sealer | None, at: datetime) -> None:
    """Refuse a build whose seal would not be what the definition asks for. Raises :class:`SigningError`."""
    pins = project.definition.seal.signers
    if sealer is None:
        if pins or project.definition.approval:
            wish = "a seal by one of seal.signers" if pins else "approvals, which count only with a seal"
            raise SigningError(
                f"the definition asks for {wish}, and no key was given",
                do="give the key: `--seal-key FILE`, `--seal-pkcs11 URI` or `--seal-command COMMAND` (docs/sealing.md)",
            )
        return
    require_ready(sealer.key, at)
    given = describe(sealer).signer
    own = signer_identity.public_key(sealer.key.certificates[0].public_bytes(Encoding.DER))
    for approver in project.attachments.approvers:
        if signer_identity.public_key(approver.der) == own:
            raise SigningError(
                f"the key that seals is that of the approver {approver.name}, whose word would add nothing to it",
                do="seal with another key; or name another approver in the definition",
            )
    if pins and f"sha256:{given.sha256}" not in pins:
        raise SigningError(
            f"{given.name} is not among the definition's seal.signers",
            details=[f"given: sha256:{given.sha256}", *(f"wanted: {pin}" for pin in pins)],
            do="seal with a key that the definition names; or name this one there, and lock again",
        )


def require_in_time(project: Project, lock: Lock, at: datetime) -> None:
    """Refuse a lock whose bundle no server would take, or after which none would take another. Raises LockError."""
    if lock.created > at + _AHEAD:
        raise LockError(
            f"the lock was taken on {lock.created:%Y-%m-%d %H:%M} UTC, which is not yet",
            details=["Servers would take its bundle for newer than all that follow it."],
            do="set this machine's clock; or take the lock anew with `arc-bundler lock`",
        )
    days = project.definition.seal.valid_days
    if days and lock.created + timedelta(days=days) <= at:
        raise LockError(
            f"the lock was taken on {lock.created:%Y-%m-%d}, and seal.valid_days lets servers take it for {days} days",
            do="take the lock anew with `arc-bundler lock`",
        )


def sealed(tree: Tree, sealer: Sealer | None) -> Tree:
    """``tree`` with the sealer's signatures over its sums and its manifest. Raises :class:`SigningError`."""
    if sealer is None:
        return tree
    made = seals({path: document(tree, path) for path in (sums.SUMS, sums.MANIFEST)}, sealer)
    return with_entries(tree, (Entry(path, content) for path, content in made.items()))


def with_entries(tree: Tree, more: Iterable[Entry]) -> Tree:
    """``tree`` with further files, in a tree's order."""
    return replace(tree, entries=tuple(sorted((*tree.entries, *more), key=lambda entry: entry.path.encode())))
