"""Compares an archive with the archives that a provenance names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from bundler.errors import VerificationError
from bundler.flow.spool import temporary_folder_errors
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle
from bundler.pack import append, container

_REPEATABLE = frozenset(["zip", "tar.gz"])
"""Formats with bytes that follow from the files alone; a 7z is compressed, and perhaps encrypted."""

ArchiveMatch = Literal["none", "as-built", "approvals-added", "not-compared"]
"""How a bundle relates to the archives that its provenance names: it is a folder, it is one of them, it is one of them
to which nothing but approvals was added, or it is a 7z with approvals, and what it was before cannot be computed."""


def match(bundle: Path, found: CheckedBundle, archives: Collection[str], named: str) -> ArchiveMatch:
    """Require that an archive is one of those that were built.

    Args:
        bundle: A folder or an archive.
        found: Its verified content.
        archives: SHA-256 of each archive that the provenance names, in hex.
        named: The provenance file, for messages.

    Raises:
        VerificationError: ``other-archive``.
        WriteError: no space for temporary files.

    """
    if bundle.is_dir():
        return "none"
    sha256 = container.sha256(bundle)
    if sha256 in archives:
        return "as-built"
    approvals = frozenset(path for path in found.signed if path.startswith(sums.APPROVALS))
    if approvals:
        return _approved(bundle, sha256, found, archives, approvals, named)
    raise _refused(named, sha256)


def _approved(
    bundle: Path, sha256: str, found: CheckedBundle, archives: Collection[str], approvals: Collection[str], named: str
) -> ArchiveMatch:
    with container.open_bundle(bundle) as opened:
        repeatable = opened.format in _REPEATABLE
    if not repeatable:
        return "not-compared"
    modes = append.modes_of(found.manifest)
    with temporary_folder_errors():
        before = append.sha256_without(bundle, sha256, approvals, modes=modes, time=found.manifest.created)
    if before not in archives:
        raise _refused(named, before or "")
    return "approvals-added"


def _refused(named: str, sha256: str) -> VerificationError:
    return VerificationError(
        f"this archive is not one that {named}, next to it, names",
        reason="other-archive",
        details=[f"SHA-256 of the archive: {sha256}"] if sha256 else [],
        do="copy the archive again from where it was built, "
        "or unpack it into an empty folder and verify that folder with the same command",
    )
