"""Who has approved a bundle, and are they enough?"""

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
    """Who has approved a bundle whose hashes were checked; enough of them or not.

    ``asked`` are the approvals that whoever verifies asks for, None where they ask for none themselves. Raises
    VerificationError: ``unknown-approval``, and the reasons of :func:`.signature.require_signed_by`.
    """
    wanted = found.manifest.approval
    if asked is not None and _counted(wanted) != _counted(asked):
        raise seal_error(
            "the bundle asks for other approvals than those that you ask for",
            "unknown-approval",
            details=[f"the bundle: {_asked(wanted)}", f"you: {_asked(asked)}"],
        )
    there = sorted(path for path in found.signed if path.startswith(sums.APPROVALS))
    if wanted is None:
        if there:
            raise seal_error("it holds approvals, and its manifest asks for none", "unknown-approval", details=there)
        return ()
    return tuple(_approver(found.signed, path, wanted, lists, at) for path in there)


def _counted(approval: Approval | None) -> tuple[int, frozenset[str]]:
    """What decides of an approval; how people are called, and in which order, does not."""
    return (approval.required, frozenset(one.sha256 for one in approval.approvers)) if approval else (0, frozenset())


def _asked(approval: Approval | None) -> str:
    """Whose approvals are asked for, on one line."""
    if approval is None:
        return "none"
    return f"{approval.required} of {', '.join(f'{one.name!a} (sha256:{one.sha256})' for one in approval.approvers)}"


def require_enough(wanted: Approval | None, approved: Collection[Signer]) -> None:
    """Refuse fewer approvals than are ``wanted``. Raises VerificationError, ``missing-approval``."""
    if wanted and len(approved) < wanted.required:
        missing = [one.name for one in wanted.approvers if one not in approved]
        raise seal_error(
            f"{len(approved)} of the {wanted.required} approvals that it needs are there",
            "missing-approval",
            details=[f"not yet approved by: {name}" for name in missing],
            do="have it reviewed, and approved with `arc-bundler approve`",
        )


def _approver(signed: Mapping[str, bytes], path: str, wanted: Approval, lists: Lists, at: datetime) -> Signer:
    found = seal_signature.read(signed, path)
    certificate = found.certificates[0]
    sha256 = fingerprint(certificate)
    named = [one for one in wanted.approvers if one.sha256 == sha256]
    if not named or path != sums.approval(sha256) or len(found.certificates) != 1:
        raise seal_error(f"{path} is by nobody whom the manifest names as approver", "unknown-approval")
    # An approval holds its own certificate alone; where one authority serves all, the sealer's issuers are known.
    above = seal_signature.read(signed, sums.SUMS + sums.CMS).certificates if lists else ()
    seal_signature.require_signed_by(
        found,
        seal_signature.content(signed, sums.SUMS),
        replace(named[0], name=certificate.subject.rfc4514_string()),
        role="approver",
        known=(certificate, *above),
        lists=lists,
        at=at,
        otherwise=f"the approval {path} is of something else",
        described=f"the manifest describes the approver of {path} otherwise than the certificate",
    )
    return named[0]
