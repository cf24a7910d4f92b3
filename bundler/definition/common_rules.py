"""Rules about the fields that every definition has: name, version, outputs, seal and approval."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition import naming
from bundler.definition.common import Definition
from bundler.definition.rules import Case, Finding, rule

_PIN = re.compile(r"sha256:[0-9a-f]{64}")
_PIN_FORM = "sha256: and the 64 lower-case hex digits of the certificate's SHA-256 fingerprint, in quotes"


@rule("name")
def _name(case: Case[Definition]) -> Iterator[Finding]:
    wrong = naming.name_fault(case.definition.name)
    if wrong:
        yield Finding(("name",), wrong, naming.ALLOWED, naming.NAMING_SOURCE)


@rule("version")
def _version(case: Case[Definition]) -> Iterator[Finding]:
    wrong = naming.pattern_fault(case.definition.version)
    if wrong:
        allowed = f"{naming.PATTERN_ALLOWED}; {naming.ALLOWED}"
        yield Finding(("version",), wrong, allowed, naming.NAMING_SOURCE)


@rule("outputs.*")
def _outputs(case: Case[Definition]) -> Iterator[Finding]:
    outputs = case.definition.outputs
    for position, output in enumerate(outputs):
        path = ("outputs", position)
        if output.encrypted and output.format != "7z":
            yield Finding((*path, "encrypted"), f"{output.format} is not encrypted here", "format: 7z")
        same = [(one.format, one.archives) for one in outputs[:position]]
        if (output.format, output.archives) in same:
            yield Finding(path, "this output is listed twice: both would have one name", "each output once")


@rule("seal.signers.*")
def _signers(case: Case[Definition]) -> Iterator[Finding]:
    for position, pin in enumerate(case.definition.seal.signers):
        path = ("seal", "signers", position)
        if not _PIN.fullmatch(pin):
            yield Finding(path, f"{pin!r} is not a valid fingerprint", _PIN_FORM)
        if pin in case.definition.seal.signers[:position]:
            yield Finding(path, "this fingerprint is listed twice", "each once")


@rule("approval.approvers", "approval.required")
def _enough(case: Case[Definition]) -> Iterator[Finding]:
    approval = case.definition.approval
    if approval and approval.required > len(approval.approvers):
        message = f"approvals required: {approval.required}, approvers listed: {len(approval.approvers)}"
        yield Finding(("approval", "required"), message, f"1 to {len(approval.approvers)}")


@rule("approval.approvers.*")
def _once(case: Case[Definition]) -> Iterator[Finding]:
    approvers = case.definition.approval.approvers if case.definition.approval else ()
    for position, approver in enumerate(approvers):
        if not (approver.name.isprintable() and approver.name == approver.name.strip()):
            yield Finding(
                ("approval", "approvers", position, "name"),
                "has invisible characters or spaces around it",
                "visible letters",
            )
        for field in ("name", "certificate"):
            if getattr(approver, field) in [getattr(one, field) for one in approvers[:position]]:
                message = f"{getattr(approver, field)!r} is listed twice: one approver cannot approve twice"
                yield Finding(("approval", "approvers", position, field), message, "each approver once")
