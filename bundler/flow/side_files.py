"""Reads the files that a definition names: private link records, certificates, approvers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from bundler.definition import load
from bundler.definition.rules import Finding
from bundler.errors import DefinitionError, Fault, SigningError
from bundler.formats import certificate, private_endpoint
from bundler.formats.parse_error import ParseError
from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server import certificates, private_link
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.script_parameters import Attachments, HeldApprover, HeldCertificate
from bundler.trust import signer_identity


def read(
    path: Path, text: bytes, definition: Definition, *, today: date, strict: bool
) -> tuple[Attachments, list[Fault]]:
    """Read every file that ``definition`` names, relative to the folder of ``path``.

    Args:
        path: The definition file.
        text: Its bytes, to find the line of a fault.
        definition: The validated definition.
        today: Date for rules about certificates.
        strict: Treat warnings as errors.

    Returns:
        The contents, and the warnings about them.

    Raises:
        DefinitionError: every fault of every file.

    """
    findings: list[Finding] = []
    records = _records(path.parent, definition, findings)
    held = _certificates(path.parent, definition, today, findings)
    asked = _approvers(path.parent, definition, findings)
    faults = _require_usable(path, text, findings, strict=strict)
    return Attachments(hosts_records=records, certificates=held, approvers=asked), faults


def approvers(path: Path, text: bytes, definition: Definition) -> tuple[HeldApprover, ...]:
    """Read the approvers' certificates alone. Raises as :func:`read`."""
    findings: list[Finding] = []
    held = _approvers(path.parent, definition, findings)
    _require_usable(path, text, findings, strict=False)
    return held


def _require_usable(path: Path, text: bytes, findings: Iterable[Finding], *, strict: bool) -> list[Fault]:
    written = load.parse(path, text)
    faults = [load.placed(finding, written) for finding in findings]
    if any(strict or fault.severity == "error" for fault in faults):
        raise DefinitionError(
            f"{path} names files that cannot be used", faults=faults, do="correct the files, or name other ones"
        )
    return faults


def _records(folder: Path, definition: Definition, findings: list[Finding]) -> tuple[HostRecord, ...]:
    name = definition.network.private_link_records
    if not name:
        return ()
    document = _content(folder, name, private_endpoint.LARGEST, private_link.PATH, findings)
    if document is None:
        return ()
    records, found = private_link.read(definition, document)
    findings += found
    return records


def _certificates(
    folder: Path, definition: Definition, today: date, findings: list[Finding]
) -> tuple[HeldCertificate, ...]:
    held: dict[str, HeldCertificate] = {}
    for position, wanted in enumerate(definition.trust.certificates):
        place = ("trust", "certificates", position)
        if wanted.builtin:
            one, found = certificates.builtin(place, wanted.builtin, today)
        else:
            document = _content(folder, wanted.file, certificate.LARGEST, place, findings)
            if document is None:
                continue
            one, found = certificates.from_file(place, wanted.file, document, today)
        findings += found
        if one is None:
            continue
        if one.described.path in held:
            findings.append(Finding(place, f"{one.described.name!r} is listed twice", "each certificate once"))
        held[one.described.path] = one
    return tuple(held[key] for key in sorted(held))


def _approvers(folder: Path, definition: Definition, findings: list[Finding]) -> tuple[HeldApprover, ...]:
    held: dict[bytes, HeldApprover] = {}
    """By public key: two certificates of one key are one approver."""
    for position, wanted in enumerate(definition.approval.approvers if definition.approval else ()):
        place = ("approval", "approvers", position, "certificate")
        document = _content(folder, wanted.certificate, certificate.LARGEST, place, findings)
        if document is None:
            continue
        try:
            found = certificate.read(document).der
            key = signer_identity.public_key(found)
        except ParseError as fault:
            findings.append(Finding(place, f"{wanted.certificate} {fault}", "one certificate in PEM or DER"))
            continue
        except SigningError as fault:
            findings.append(Finding(place, f"{wanted.certificate}: {fault.what}", fault.do))
            continue
        if key in held:
            findings.append(
                Finding(place, f"it has the same key as {held[key].name!r}", "a different key for each approver")
            )
        held[key] = HeldApprover(wanted.name, found)
    return tuple(held.values())


def _content(
    folder: Path, name: str, largest: int, place: Sequence[str | int], findings: list[Finding]
) -> bytes | None:
    """The file's bytes, at most ``largest`` + 1; None and a finding where it cannot be read."""
    try:
        with (folder / name).open("rb") as file:
            return file.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"{name} cannot be read: {reason}"
        findings.append(Finding(tuple(place), message, "a path relative to the definition's folder"))
        return None


def contents(held_certificates: Iterable[HeldCertificate]) -> dict[str, bytes]:
    """The certificates' files by their path in the bundle."""
    return {held.described.path: held.pem for held in held_certificates}
