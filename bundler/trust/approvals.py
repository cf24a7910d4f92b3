"""Verifies the approvals of a bundle, and that there are enough."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from bundler.formats.certificate import fingerprint
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle
from bundler.integrity.findings import seal_error
from bundler.model.seal import Approval, Signer
from bundler.trust import seal_signature
from bundler.trust.revocation import Lists


def verify(found: CheckedBundle, asked: Approval | None, lists: Lists, *, at: datetime) -> tuple[Signer, ...]:
    """Verify every approval in an intact bundle; whether they are enough is for :func:`require_enough`.

    Args:
        found: the bundle.
        asked: the approval policy of the person who verifies; None if they have none of their own.
        lists: revocation lists.
        at: time of verification, with zone.

    Returns:
        The approvers, in the order of their files.

    Raises:
        VerificationError: ``unknown-approval``, and the reasons of :func:`.seal_signature.require_signed_by`.
    """
    wanted = found.manifest.approval
    if asked is not None and _counted(wanted) != _counted(asked):
        raise seal_error(
            "the bundle requires other approvals than your definition",
            "unknown-approval",
            details=[f"bundle: {_shown(wanted)}", f"definition: {_shown(asked)}"],
        )
    there = sorted(path for path in found.signed if path.startswith(sums.APPROVALS))
    if wanted is None:
        if there:
            raise seal_error("it holds approvals, but its manifest requires none", "unknown-approval", details=there)
        return ()
    return tuple(_approver(found.signed, path, wanted, lists, at) for path in there)


def _counted(approval: Approval | None) -> tuple[int, frozenset[str]]:
    """What counts in an approval policy: neither the names nor the order of the approvers."""
    return (approval.required, frozenset(one.sha256 for one in approval.approvers)) if approval else (0, frozenset())


def _shown(approval: Approval | None) -> str:
    """An approval policy on one line."""
    if approval is None:
        return "none"
    return f"{approval.required} of {', '.join(f'{one.name!a} (sha256:{one.sha256})' for one in approval.approvers)}"


def require_enough(wanted: Approval | None, approved: Collection[Signer]) -> None:
    """Require as many approvals as ``wanted`` says. Raises VerificationError, ``missing-approval``."""
    if wanted and len(approved) < wanted.required:
        missing = [one.name for one in wanted.approvers if one not in approved]
        raise seal_error(
            f"{len(approved)} of {wanted.required} required approvals are present",
            "missing-approval",
            details=[f"not yet approved by: {name}" for name in missing],
            do="have the bundle reviewed and approved with `arc-bundler approve`",
        )


def _approver(signed: Mapping[str, bytes], path: str, wanted: Approval, lists: Lists, at: datetime) -> Signer:
    found = seal_signature.read(signed, path)
    certificate = found.certificates[0]
    sha256 = fingerprint(certificate)
    named = [one for one in wanted.approvers if one.sha256 == sha256]
    if not named or path != sums.approval(sha256) or len(found.certificates) != 1:
        raise seal_error(f"{path} is not signed by a listed approver", "unknown-approval")
    # An approval holds only its own certificate. A revocation list needs the issuer's: where one CA issued all
    # certificates, the seal holds it.
    above = seal_signature.read(signed, sums.SUMS + sums.CMS).certificates if lists else ()
    seal_signature.require_signed_by(
        found,
        seal_signature.content(signed, sums.SUMS),
        replace(named[0], name=certificate.subject.rfc4514_string()),
        role="approver",
        known=(certificate, *above),
        lists=lists,
        at=at,
        otherwise=f"the approval {path} was made for another bundle",
        described=f"the manifest describes the approver of {path} differently from the certificate",
    )
    return named[0]
