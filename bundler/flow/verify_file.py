"""Verifies single files: their kind, who signed them, and whether that signer is trusted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from bundler.errors import UsageError, VerificationError
from bundler.flow import package_kinds
from bundler.formats import chunks, sniff
from bundler.model.anchor import Anchors
from bundler.model.evidence import Evidence, PackageFacts
from bundler.model.frozen import frozen
from bundler.trust.advice import advising
from bundler.trust.text_damage import naming_text_damage

_DOCUMENTS = {
    b"-----BEGIN PGP SIGNED MESSAGE-----": "apt-release",
    b"-----BEGIN PGP PUBLIC KEY BLOCK-----": "openpgp-key",
    b"-----BEGIN CERTIFICATE-----": "certificate",
}
_SCRIPTS = (".ps1", ".psm1", ".psd1")
_GIVE = "give an MSI, a PE or PowerShell file, a deb, an rpm, or a repository's InRelease and Packages"
_PREFACE = 4096  # bytes in which a document's first line must start: some have text before it


@frozen
class Verdict:
    """The verdict on one file."""

    path: str
    kind: str
    """``msi``, ``deb``, ``apt-release``, …, by content and never by name."""
    sha256: str
    size: int
    """Bytes."""
    verified: bool
    why: str
    """One sentence: by what it was verified, or why it was refused."""
    reason: str = ""
    """The refusal as a stable word; empty for a verified file."""
    meaning: tuple[str, ...] = ()
    """What such a refusal usually means."""
    do: str = ""
    facts: PackageFacts | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True)
class _Found:
    """Why a file is trusted."""

    why: str
    evidence: Evidence | None = None
    facts: PackageFacts | None = None


@dataclass(frozen=True)
class _Context:
    """What every verifier needs."""

    anchors: Anchors
    at: datetime
    indexes: Mapping[str, str]
    """Paths of the indexes that verified ``InRelease`` files among the given ones list, by SHA-256."""


def verify_files(paths: Sequence[Path], *, anchors: Anchors, at: datetime) -> tuple[Verdict, ...]:
    """Verify files; a refused one does not stop the others.

    An index (``Packages.gz``) carries no signature: it is verified by an ``InRelease`` among the files that lists it.

    Args:
        paths: The files.
        anchors: Trust anchors.
        at: Time to verify for.

    Returns:
        A verdict on each file, in the given order.

    Raises:
        UsageError: a path that is not a readable file.

    """
    for path in paths:
        # Reading a pipe or a device might never end. A missing file is reported when it is opened.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is not a regular file", do="give regular files")
    context = _Context(anchors, at, dict(_indexes(paths, anchors, at)))
    return tuple(_verdict(path, context) for path in paths)


def _indexes(paths: Iterable[Path], anchors: Anchors, at: datetime) -> Iterable[tuple[str, str]]:
    for path in paths:
        with suppress(VerificationError, OSError):  # it gets its own verdict
            if _kind(path) == "apt-release":
                from bundler.flow import metadata_files

                with path.open("rb") as release:
                    yield from metadata_files.indexes(release, anchors, at)


def _verdict(path: Path, context: _Context) -> Verdict:
    try:
        # Hashing releases the interpreter's lock, so that it runs on a second core beside the verification.
        with path.open("rb") as file, ThreadPoolExecutor(1) as beside:
            measured = beside.submit(_measured, path)
            verdict = _verified(path, file, _kind(path), context)
            sha256, size = measured.result()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}", do="give the path of a readable file"
        ) from error
    return replace(verdict, sha256=sha256, size=size)


def _verified(path: Path, file: BinaryIO, kind: str, context: _Context) -> Verdict:
    verdict = Verdict(path=path.as_posix(), kind=kind, sha256="", size=0, verified=False, why="")
    try:
        with advising(context.anchors), naming_text_damage(file):
            found = _found(file, kind, context, file_name=path.name.lower())
    except VerificationError as error:
        return replace(verdict, why=error.what, reason=error.reason, meaning=error.details, do=error.do)
    return replace(verdict, verified=True, why=found.why, evidence=found.evidence, facts=found.facts)


def _measured(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return chunks.sha256(file), file.tell()


def _kind(path: Path) -> str:
    """The kind of a file by its content: a package, script or program, or a kind of repository metadata."""
    with path.open("rb") as file:
        head = file.read(sniff.HEAD)
        file.seek(-min(sniff.HEAD, file.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = file.read()
    for mark, kind in _DOCUMENTS.items():
        if mark in head[:_PREFACE]:
            return "clear-signed" if kind == "apt-release" and not _is_release(head, tail) else kind
    found = sniff.kind(head, tail)
    if found == "gzip" or (found == "text" and head.startswith(b"Package: ")):
        return "apt-index"
    return found


def _is_release(head: bytes, tail: bytes) -> bool:
    """Whether a clear-signed text has a Release file's date, before its digests; of one that ends early it may have."""
    return b"\nDate:" in head or b"-----END PGP SIGNATURE-----" not in tail


def _found(file: BinaryIO, kind: str, context: _Context, *, file_name: str) -> _Found:
    """Verify a file by its kind. A kind's modules are imported when a file of it is verified."""
    match kind:
        case "msi" | "deb" | "rpm":
            package = package_kinds.verify_package(file, kind, anchors=context.anchors, at=context.at)
            return _Found(_signed(package.evidence[0]), package.evidence[0], package.facts)
        case "pe" | "ps1":
            from bundler.trust import authenticode

            evidence = authenticode.verify(file, kind, anchors=context.anchors, at=context.at)
            return _Found(_signed(evidence), evidence)
        case "apt-release" | "apt-index" | "openpgp-key" | "certificate":
            from bundler.flow.metadata_files import verify

            return _Found(verify(file, kind, anchors=context.anchors, at=context.at, known=context.indexes))
        case "text" if file_name.endswith(_SCRIPTS):
            from bundler.trust import authenticode

            evidence = authenticode.verify(file, "ps1", anchors=context.anchors, at=context.at)  # it has no block
            return _Found(_signed(evidence), evidence)
        case "clear-signed":
            raise VerificationError(
                "the file is a signed text, but not the Release file of a repository", reason="unknown-kind", do=_GIVE
            )
        case _:
            raise _unknown(sniff.kind(file.read(sniff.HEAD)))


def _signed(evidence: Evidence) -> str:
    when = f" on {evidence.signed_at:%Y-%m-%d}" if evidence.signed_at else ""
    return f"signed by {evidence.signer}{when}; trust anchors: {evidence.anchors}"


def _unknown(kind: str) -> VerificationError:
    if kind == "html":
        return VerificationError(
            "this is an HTML page, not the file of that name",
            reason="html",
            do="open the address in a browser on this host, find out what answers, and download the file again",
        )
    if kind == "empty":
        return VerificationError("the file is empty", reason="empty", do="download it again")
    return VerificationError(
        "this kind of file carries no signature that can be verified",
        reason="unknown-kind",
        details=[f"detected kind: {kind}"],
        do=_GIVE,
    )
