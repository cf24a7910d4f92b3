"""Judge files that somebody already has: what they are, who signed them, and whether to believe it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from bundler.errors import UsageError, VerificationError
from bundler.flow import verify_package
from bundler.formats import chunks, sniff
from bundler.model.anchor import Anchors
from bundler.model.artifact import PackageKind
from bundler.model.evidence import Evidence, PackageFacts
from bundler.model.frozen import frozen

_DOCUMENTS = {
    b"-----BEGIN PGP SIGNED MESSAGE-----": "apt-release",
    b"-----BEGIN PGP PUBLIC KEY BLOCK-----": "openpgp-key",
    b"-----BEGIN CERTIFICATE-----": "certificate",
}
_PREFACE = 4096  # bytes before which a document's first line stands: some have text in front


@frozen
class Verdict:
    """What is to be thought of one file."""

    path: str
    kind: str
    """``msi``, ``deb``, ``apt-release``, …, by content and never by name."""
    sha256: str
    size: int
    """Bytes."""
    verified: bool
    why: str
    """One sentence: what vouches for it, or the one reason that it is refused for."""
    reason: str = ""
    """The refusal as a stable word; empty for a believed file."""
    meaning: tuple[str, ...] = ()
    """What such a refusal usually means."""
    do: str = ""
    facts: PackageFacts | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True)
class _Found:
    """Why a file is believed."""

    why: str
    evidence: Evidence | None = None
    facts: PackageFacts | None = None


@dataclass(frozen=True)
class _Bench:
    """What every judge is given."""

    anchors: Anchors
    at: datetime
    named: Mapping[str, str]
    """SHA-256 of every index that a believed ``InRelease`` among the files names, to the path it gives it."""


def verify_files(paths: Sequence[Path], *, anchors: Anchors, at: datetime) -> tuple[Verdict, ...]:
    """A verdict on every file, in the order given; one refused file does not stop the others.

    ``at`` is the time to judge for. An index (``Packages.gz``) carries no signature: it is believed when an
    ``InRelease`` among the files names it. Raises UsageError for a path that is no readable file.
    """
    _require_files(paths)
    bench = _Bench(anchors, at, dict(_named(paths, anchors, at)))
    return tuple(_verdict(path, bench) for path in paths)


def _require_files(paths: Iterable[Path]) -> None:
    """Refuse pipes and devices, which would be waited for without end; what is missing is told when it is opened."""
    for path in paths:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file", do="give files that lie on a disk")


def _named(paths: Iterable[Path], anchors: Anchors, at: datetime) -> Iterable[tuple[str, str]]:
    for path in paths:
        with suppress(VerificationError, OSError):  # such a file gets its own verdict in its turn
            if _kind(path) == "apt-release":
                from bundler.flow import metadata_files

                with path.open("rb") as release:
                    yield from metadata_files.named(release, anchors, at)


def _verdict(path: Path, bench: _Bench) -> Verdict:
    try:
        # Hashing lets go of the interpreter's lock: on a second core it costs the judge nothing.
        with path.open("rb") as file, ThreadPoolExecutor(1) as beside:
            measured = beside.submit(_measured, path)
            verdict = _judged(path, file, _kind(path), bench)
            sha256, size = measured.result()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    return replace(verdict, sha256=sha256, size=size)


def _judged(path: Path, file: BinaryIO, kind: str, bench: _Bench) -> Verdict:
    verdict = Verdict(path=path.as_posix(), kind=kind, sha256="", size=0, verified=False, why="")
    try:
        found = _JUDGES.get(kind, _unknown)(file, bench)
    except VerificationError as error:
        return replace(verdict, why=error.what, reason=error.reason, meaning=error.details, do=error.do)
    return replace(verdict, verified=True, why=found.why, evidence=found.evidence, facts=found.facts)


def _measured(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return chunks.sha256(file), file.tell()


def _kind(path: Path) -> str:
    """What the file is by its content: a file kind, or the kind of document that a repository is made of."""
    with path.open("rb") as file:
        head = file.read(sniff.HEAD)
        file.seek(-min(sniff.HEAD, file.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = file.read()
    for mark, kind in _DOCUMENTS.items():
        if mark in head[:_PREFACE]:
            return kind
    found = sniff.kind(head, tail)
    if found == "gzip" or (found == "text" and head.startswith(b"Package: ")):
        return "apt-index"
    return found


def _package(kind: PackageKind) -> Callable[[BinaryIO, _Bench], _Found]:
    def judged(file: BinaryIO, bench: _Bench) -> _Found:
        found = verify_package.verify_package(file, kind, anchors=bench.anchors, at=bench.at)
        return _Found(_signed(found.evidence), found.evidence, found.facts)

    return judged


def _script_or_program(kind: Literal["pe", "ps1"]) -> Callable[[BinaryIO, _Bench], _Found]:
    def judged(file: BinaryIO, bench: _Bench) -> _Found:
        from bundler.trust import authenticode

        evidence = authenticode.verify(file, kind, anchors=bench.anchors, at=bench.at)
        return _Found(_signed(evidence), evidence)

    return judged


def _document(kind: Literal["apt-release", "apt-index", "openpgp-key", "certificate"]) -> Callable[..., _Found]:
    def judged(file: BinaryIO, bench: _Bench) -> _Found:
        from bundler.flow import metadata_files

        return _Found(metadata_files.judge(file, kind, anchors=bench.anchors, at=bench.at, known=bench.named))

    return judged


def _signed(evidence: Evidence) -> str:
    when = f" on {evidence.signed_at:%Y-%m-%d}" if evidence.signed_at else ""
    return f"signed by {evidence.signer}{when}; believed by {evidence.anchors} anchors"


def _unknown(file: BinaryIO, _: _Bench) -> _Found:
    kind = sniff.kind(file.read(sniff.HEAD))
    if kind == "html":
        raise VerificationError(
            "this is an HTML page: a proxy or portal answered instead of Microsoft",
            reason="html",
            do="open the address in a browser on this host, see who answers, and fetch the file again",
        )
    if kind == "empty":
        raise VerificationError("the file is empty: a download that never began", reason="empty", do="fetch it again")
    raise VerificationError(
        "this is nothing that carries a signature we judge",
        reason="unknown-kind",
        details=[f"its content looks like: {kind}"],
        do="give an MSI, a PE or PowerShell file, a deb, an rpm, or a repository's InRelease and Packages",
    )


_JUDGES: Mapping[str, Callable[[BinaryIO, _Bench], _Found]] = {
    "msi": _package("msi"),
    "deb": _package("deb"),
    "rpm": _package("rpm"),
    "pe": _script_or_program("pe"),
    "ps1": _script_or_program("ps1"),
    "apt-release": _document("apt-release"),
    "apt-index": _document("apt-index"),
    "openpgp-key": _document("openpgp-key"),
    "certificate": _document("certificate"),
}
