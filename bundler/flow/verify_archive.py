"""Verifies a zip that is a package: each member by itself, since a zip carries no signature of its own.

1. The members' names are safe, and every reader of the zip sees the same members (:mod:`bundler.pack.from_zip`).
2. Each member is copied to a temporary file, and its content says what it is.
3. What can carry a signature (PE, MSI, PowerShell, deb, rpm) must verify by the anchors.
4. Anything else is refused, unless its name ends as the product allows for plain data.
5. The facts of the archive are those of the one member that the product names.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import IO, BinaryIO, cast

from bundler.errors import VerificationError, about
from bundler.formats import sniff
from bundler.integrity.names import name_faults
from bundler.model.artifact import ArchiveRules
from bundler.model.evidence import Evidence, PackageFacts
from bundler.pack import from_zip

VerifyMember = Callable[[BinaryIO, str, str], tuple[PackageFacts | None, Evidence]]
"""Verifies one member, given its path and its kind (one of :data:`SIGNED_KINDS`); facts where the kind has some."""

SIGNED_KINDS = frozenset({"pe", "msi", "ps1", "deb", "rpm"})


def verify(
    file: BinaryIO, rules: ArchiveRules, verify_member: VerifyMember
) -> tuple[PackageFacts, tuple[Evidence, ...]]:
    """Verify every member of the zip ``file``.

    Args:
        file: The archive, seekable.
        rules: What the product states about it.
        verify_member: Raises VerificationError for a member that does not verify.

    Returns:
        The facts of the member that ``rules`` names, and one evidence for each signer, that member's first.

    Raises:
        VerificationError: the archive is damaged; ``unsafe-name``; ``unsigned-member`` for a member that nothing
            verifies; ``missing-member`` where the named one is not in it; or what a member's verification raises.
    """
    size = file.seek(0, os.SEEK_END)
    facts: PackageFacts | None = None
    found: list[Evidence] = []
    signed, data, paths = 0, 0, []
    for member in from_zip.walk(file, size):
        if member.folder:
            continue
        paths.append(member.path)
        _require_safe(paths)
        with tempfile.TemporaryFile() as copy, about(member.path):
            kind = _copied(copy, member.chunks())
            if kind not in SIGNED_KINDS:
                _require_data(member.path, rules)
                data += 1
                continue
            own, evidence = verify_member(cast("BinaryIO", copy), member.path, kind)
        signed += 1
        found = [evidence, *found] if member.path == rules.main else [*found, evidence]
        facts = own if member.path == rules.main else facts
    if facts is None:
        raise VerificationError(
            f"the archive has no signed member {rules.main!r} with a version", reason="missing-member"
        )
    return facts, _by_signer(found, f"members verified one by one: {signed}; plain data without signature: {data}")


def _require_safe(paths: list[str]) -> None:
    faults = name_faults(paths)
    if faults:
        raise VerificationError(f"the archive has an unsafe name: {faults[0]}", reason="unsafe-name")


def _copied(copy: IO[bytes], chunks: Iterable[bytes]) -> str:
    """Copy a member; returns its kind by its content."""
    for chunk in chunks:
        copy.write(chunk)
    size = copy.tell()
    copy.seek(0)
    head = copy.read(sniff.HEAD)
    copy.seek(max(0, size - sniff.HEAD))
    kind = sniff.kind(head, copy.read())
    copy.seek(0)
    return kind


def _require_data(path: str, rules: ArchiveRules) -> None:
    if not path.lower().endswith(rules.data_endings):
        raise VerificationError(
            "it carries no signature that can be verified, and the product does not admit it as plain data",
            reason="unsigned-member",
            do="do not use the archive; ask its publisher for one with signed programs",
        )


def _by_signer(found: Iterable[Evidence], note: str) -> tuple[Evidence, ...]:
    """One evidence for each signer, the first member's first; the note is on it."""
    unique = {(one.method, one.fingerprint, one.anchor): one for one in reversed(list(found))}
    first, *rest = reversed(unique.values())
    return (replace(first, notes=(*first.notes, note)), *rest)
