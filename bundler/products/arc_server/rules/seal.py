"""Can the seal and the approvals that a definition asks for be given?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.products.arc_server.rules.rule import Case, Finding, rule

_PIN = re.compile(r"sha256:[0-9a-f]{64}")
_PIN_FORM = "sha256: and the 64 lower-case hex digits of the certificate's SHA-256 fingerprint, in quotes"


@rule("seal.signers.*")
def _signers(case: Case) -> Iterator[Finding]:
    for position, pin in enumerate(case.definition.seal.signers):
        path = ("seal", "signers", position)
        if not _PIN.fullmatch(pin):
            yield Finding(path, f"{pin!r} is no fingerprint", _PIN_FORM)
        if pin in case.definition.seal.signers[:position]:
            yield Finding(path, "this fingerprint is there already", "each once")


@rule("approval.approvers", "approval.required")
def _enough(case: Case) -> Iterator[Finding]:
    approval = case.definition.approval
    if approval and approval.required > len(approval.approvers):
        message = f"{approval.required} approvals can never come from {len(approval.approvers)} approvers"
        yield Finding(("approval", "required"), message, f"1 to {len(approval.approvers)}")


@rule("approval.approvers.*")
def _once(case: Case) -> Iterator[Finding]:
    approvers = case.definition.approval.approvers if case.definition.approval else ()
    for position, approver in enumerate(approvers):
        if not (approver.name.isprintable() and approver.name == approver.name.strip()):
            yield Finding(("approval", "approvers", position, "name"), "cannot be read as it is", "visible letters")
        for field in ("name", "certificate"):
            if getattr(approver, field) in [getattr(one, field) for one in approvers[:position]]:
                message = f"{getattr(approver, field)!r} is there already: nobody approves twice"
                yield Finding(("approval", "approvers", position, field), message, "each approver once")
