"""Judge files that somebody already has: what they are, who signed them, and whether to believe it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from bundler.errors import NotBelieved, UsageError
from bundler.flow import judge
from bundler.formats import apt_release, compressed, sniff
from bundler.formats.malformed import Malformed
from bundler.model.anchor import Anchors
from bundler.model.artifact import PackageKind
from bundler.model.evidence import Evidence, PackageFacts
from bundler.model.value import value
from bundler.trust import authenticode, openpgp, pins

_PIECE = 1 << 20
_MAX_DOCUMENT = 256 << 20  # bytes; an index of a large distribution has a tenth of it unpacked
_CLEAR = b"-----BEGIN PGP SIGNED MESSAGE-----"
_KEY = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


@value
class Verdict:
    """What is to be thought of one file."""

    path: str
    kind: str
    """``msi``, ``deb``, ``apt-release``, …, by content and never by name."""
    sha256: str
    size: int
    """Bytes."""
    believed: bool
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


def authenticate(paths: Sequence[Path], *, anchors: Anchors, at: datetime) -> tuple[Verdict, ...]:
    """A verdict on every file, in the order given; one refused file does not stop the others.

    ``at`` is the time to judge for. An index (``Packages.gz``) carries no signature: it is believed when an
    ``InRelease`` among the files names it. Raises UsageError for a path that is no readable file.
    """
    bench = _Bench(anchors, at, dict(_named(paths, anchors, at)))
    return tuple(_verdict(path, bench) for path in paths)


def _named(paths: Iterable[Path], anchors: Anchors, at: datetime) -> Iterable[tuple[str, str]]:
    for path in paths:
        with suppress(NotBelieved, OSError):  # such a file gets its own verdict in its turn
            if _kind(path) == "apt-release":
                yield from ((index.sha256, index.path) for index in _indexes(path.read_bytes(), anchors, at))


def _indexes(document: bytes, anchors: Anchors, at: datetime) -> Iterable[apt_release.IndexFile]:
    signed = openpgp.verify_clearsigned(document, anchors=anchors, at=at, what="the release document")
    try:
        return apt_release.parse(signed.content).files.values()
    except Malformed as error:
        raise NotBelieved(f"it is signed, but is no Release file: {error}", reason=error.reason) from error


def _verdict(path: Path, bench: _Bench) -> Verdict:
    try:
        with path.open("rb") as file:
            sha256, size = _measured(file)
            kind = _kind(path)
            file.seek(0)
            return _judged(path, file, kind, sha256, size, bench)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def _judged(path: Path, file: BinaryIO, kind: str, sha256: str, size: int, bench: _Bench) -> Verdict:
    verdict = Verdict(path=path.as_posix(), kind=kind, sha256=sha256, size=size, believed=False, why="")
    try:
        found = _JUDGES.get(kind, _unknown)(file, bench)
    except NotBelieved as error:
        return replace(verdict, why=error.what, reason=error.reason, meaning=error.details, do=error.do)
    return replace(verdict, believed=True, why=found.why, evidence=found.evidence, facts=found.facts)


def _measured(file: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := file.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _kind(path: Path) -> str:
    """What the file is by its content: a file kind, or the kind of document that a repository is made of."""
    with path.open("rb") as file:
        head = file.read(sniff.HEAD)
        file.seek(-min(sniff.HEAD, file.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = file.read()
    for mark, kind in ((_CLEAR, "apt-release"), (_KEY, "openpgp-key"), (_CERTIFICATE, "certificate")):
        if mark in head[:4096]:
            return kind
    found = sniff.kind(head, tail)
    if found == "gzip" or (found == "text" and head.startswith(b"Package: ")):
        return "apt-index"
    return found


def _package(kind: PackageKind) -> Callable[[BinaryIO, _Bench], _Found]:
    def judged(file: BinaryIO, bench: _Bench) -> _Found:
        found = judge.package(file, kind, anchors=bench.anchors, at=bench.at)
        return _Found(_signed(found.evidence), found.evidence, found.facts)

    return judged


def _authenticode(kind: authenticode.Kind) -> Callable[[BinaryIO, _Bench], _Found]:
    def judged(file: BinaryIO, bench: _Bench) -> _Found:
        evidence = authenticode.judge(file, kind, anchors=bench.anchors, at=bench.at)
        return _Found(_signed(evidence), evidence)

    return judged


def _signed(evidence: Evidence) -> str:
    when = f" on {evidence.signed_at:%Y-%m-%d}" if evidence.signed_at else ""
    return f"signed by {evidence.signer}{when}; believed by {evidence.anchors} anchors"


def _release(file: BinaryIO, bench: _Bench) -> _Found:
    signed = openpgp.verify_clearsigned(
        file.read(_MAX_DOCUMENT), anchors=bench.anchors, at=bench.at, what="the release document"
    )
    when = f"{signed.signed_at:%Y-%m-%d}"
    return _Found(f"signed by {signed.user_id} ({signed.key.fingerprint}) on {when}")


def _index(file: BinaryIO, bench: _Bench) -> _Found:
    content = file.read(_MAX_DOCUMENT)
    for digest in (hashlib.sha256(content).hexdigest(), _unpacked_digest(content)):
        if digest in bench.named:
            return _Found(f"a believed InRelease names it as {bench.named[digest]}")
    raise NotBelieved(
        "no believed InRelease among the files names this index",
        reason="not-named",
        details=["An index carries no signature of its own: its InRelease vouches for it."],
        do="give the InRelease of the same repository and moment along with it",
    )


def _unpacked_digest(content: bytes) -> str:
    digest = hashlib.sha256()
    try:
        for piece in compressed.pieces(BytesIO(content), "gz", limit=_MAX_DOCUMENT):
            digest.update(piece)
    except Malformed:
        return ""
    return digest.hexdigest()


def _key(file: BinaryIO, bench: _Bench) -> _Found:
    known = pins.key(file.read(_PIECE), bench.anchors)
    return _Found(f"the pinned key {known.name} ({known.fingerprint}); {known.source}")


def _certificate(file: BinaryIO, bench: _Bench) -> _Found:
    known = pins.root(file.read(_PIECE), bench.anchors)
    return _Found(f"the pinned root {known.name}, for {' and '.join(known.purposes)}; {known.source}")


def _unknown(file: BinaryIO, _: _Bench) -> _Found:
    kind = sniff.kind(file.read(sniff.HEAD))
    if kind == "html":
        raise NotBelieved(
            "this is an HTML page: a proxy or portal answered instead of Microsoft",
            reason="html",
            do="open the address in a browser on this host, see who answers, and fetch the file again",
        )
    if kind == "empty":
        raise NotBelieved("the file is empty: a download that never began", reason="empty", do="fetch it again")
    raise NotBelieved(
        "this is nothing that carries a signature we judge",
        reason="unknown-kind",
        details=[f"its content looks like: {kind}"],
        do="give an MSI, a PE or PowerShell file, a deb, an rpm, or a repository's InRelease and Packages",
    )


_JUDGES: Mapping[str, Callable[[BinaryIO, _Bench], _Found]] = {
    "msi": _package("msi"),
    "deb": _package("deb"),
    "rpm": _package("rpm"),
    "pe": _authenticode("pe"),
    "ps1": _authenticode("ps1"),
    "apt-release": _release,
    "apt-index": _index,
    "openpgp-key": _key,
    "certificate": _certificate,
}
