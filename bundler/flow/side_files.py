"""Reads the files that a definition names: private link records, certificates, approvers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bundler.definition import load, rules
from bundler.definition.common import Definition
from bundler.definition.rules import Finding
from bundler.errors import DefinitionError, Fault, SigningError
from bundler.formats import certificate
from bundler.formats.parse_error import ParseError
from bundler.products.product import AnyProduct
from bundler.trust import signer_identity


@dataclass(frozen=True)
class HeldApprover:
    """An approver that a definition names, and their certificate."""

    name: str
    der: bytes


@dataclass(frozen=True)
class SideFiles:
    """What the files beside a definition hold."""

    attachments: Any
    """As its product read them."""
    approvers: tuple[HeldApprover, ...]


def read(
    path: Path, text: bytes, definition: Definition, product: AnyProduct, *, today: date, strict: bool
) -> tuple[SideFiles, list[Fault]]:
    """Read every file that ``definition`` names, relative to the folder of ``path``.

    Args:
        path: The definition file.
        text: Its bytes, to find the line of a fault.
        definition: The validated definition.
        product: Its product, which reads its own files.
        today: Date for rules about certificates.
        strict: Treat warnings as errors.

    Returns:
        The contents, and the warnings about them.

    Raises:
        DefinitionError: every fault of every file.

    """
    findings: list[Finding] = []
    documents: dict[rules.Path, bytes] = {}
    for wanted in product.side_files(definition):
        document = _content(path.parent, wanted.name, wanted.largest, wanted.path, findings)
        if document is not None:
            documents[wanted.path] = document
    attachments, found = product.attach(definition, documents, today)
    findings += found
    held = _approvers(path.parent, definition, findings)
    faults = _require_usable(path, text, findings, strict=strict)
    return SideFiles(attachments, held), faults


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
