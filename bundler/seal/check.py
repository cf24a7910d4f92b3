"""Is a bundle what its maker made: every file, and nothing else?

One reading of the files, in whatever order they come: everything is hashed, and the documents are held for what
follows. Then three accounts must agree: the files, ``manifest.json``, and ``SHA256SUMS``, whose own SHA-256 is the
bundle's digest, the number that the maker said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Protocol

from bundler.errors import NotBelieved
from bundler.formats import records
from bundler.model.manifest import MANIFEST_SCHEMA, FileEntry, Manifest
from bundler.seal import names, sums

EVIDENCE = "evidence/"
MAX_DOCUMENT = 64 << 20
"""Bytes of one document of evidence: a repository's index has a few million."""
MAX_DOCUMENTS = 256 << 20
"""Bytes of all documents, which are held in memory."""
_SHOWN = 20


class Member(Protocol):
    """One file of a bundle that is being read."""

    @property
    def path(self) -> str:
        """From the bundle's root, with ``/``."""

    @property
    def top(self) -> str | None:
        """The folder that the bundle is in; None where that may be called anything."""

    @property
    def size(self) -> int:
        """Bytes, as the container declares."""

    @property
    def mode(self) -> int | None:
        """Permission bits; None where the container keeps none that mean anything."""

    def pieces(self) -> Iterator[bytes]:
        """The content, once."""


@dataclass(frozen=True)
class Checked:
    """A bundle whose every byte is accounted for. Whether its packages are believed is another question."""

    manifest: Manifest
    digest: str
    """SHA-256 in hex of ``SHA256SUMS``."""
    documents: Mapping[str, bytes]
    """The files below ``evidence/``, by path."""
    signed: Mapping[str, bytes]
    """What seals are over, and the seals: the sums, the manifest, and every signature, by path; none judged yet."""


@dataclass(frozen=True)
class _Seen:
    path: str
    top: str | None
    size: int
    mode: int | None
    sha256: str


@dataclass(frozen=True)
class _Problem:
    reason: str
    what: str


# Which of several problems gives the error its reason: the one that says most about what happened.
_WEIGHT = (
    "unsafe-name",
    "missing-manifest",
    "malformed-manifest",
    "wrong-folder",
    "extra-file",
    "missing-file",
    "size-mismatch",
    "digest-mismatch",
    "mode-mismatch",
    "sums-mismatch",
)


def check(members: Iterable[Member], *, keep: Callable[[str], IO[bytes] | None] | None = None) -> Checked:
    """Check the files of one bundle, given one after the other.

    ``keep`` is asked for every file outside ``evidence/`` whether its content is wanted, and gives the file to write
    it to; it is at its end afterwards, and not to be believed before this function returns.
    Raises :class:`NotBelieved` once, with all problems (the first 20 in ``details``).
    """
    reading = _Reading(keep or (lambda _: None))
    seen = tuple(reading.take(member) for member in members)
    problems: list[_Problem] = [_Problem("unsafe-name", fault) for fault in names.refuse(one.path for one in seen)]
    manifest = _manifest(reading.documents, problems)
    if manifest is not None:
        problems += [*_folder_problems(manifest, seen), *_file_problems(manifest, seen)]
    problems += _sums_problems(reading.documents, seen)
    if problems or manifest is None:
        raise _verdict(problems)
    evidence = {path: held for path, held in reading.documents.items() if path.startswith(EVIDENCE)}
    signed = {path: held for path, held in reading.documents.items() if not path.startswith(EVIDENCE)}
    return Checked(manifest, hashlib.sha256(signed[sums.SUMS]).hexdigest(), evidence, signed)


def read_manifest(members: Iterable[Member]) -> Manifest:
    """Read the manifest alone, checking nothing but its shape. Raises :class:`NotBelieved`."""
    reading = _Reading(lambda _: None)
    for member in members:
        if member.path == sums.MANIFEST:
            reading.take(member)
            break
    problems: list[_Problem] = []
    manifest = _manifest(reading.documents, problems)
    if manifest is None:
        raise _verdict(problems)
    return manifest


class _Reading:
    """Hashes what passes, and holds the documents."""

    def __init__(self, keep: Callable[[str], IO[bytes] | None]) -> None:
        self._keep = keep
        self._held = 0
        self.documents: dict[str, bytes] = {}

    def take(self, member: Member) -> _Seen:
        digest = hashlib.sha256()
        size = 0
        for piece in self._kept(member):
            digest.update(piece)
            size += len(piece)
        return _Seen(member.path, member.top, size, member.mode, digest.hexdigest())

    def _kept(self, member: Member) -> Iterator[bytes]:
        """The pieces of ``member``, each passed on to where it is held."""
        if member.path.startswith(EVIDENCE) or not sums.is_listed(member.path):
            yield from self._hold(member)
            return
        sink = self._keep(member.path)
        for piece in member.pieces():
            if sink is not None:
                sink.write(piece)
            yield piece

    def _hold(self, member: Member) -> Iterator[bytes]:
        parts = []
        size = 0
        for piece in member.pieces():
            size += len(piece)
            self._held += len(piece)
            if size > MAX_DOCUMENT or self._held > MAX_DOCUMENTS:
                raise _verdict([_Problem("document-too-large", f"{member.path!a} is larger than any such document")])
            parts.append(piece)
            yield piece
        self.documents[member.path] = b"".join(parts)


def _manifest(documents: Mapping[str, bytes], problems: list[_Problem]) -> Manifest | None:
    if sums.MANIFEST not in documents:
        problems.append(_Problem("missing-manifest", f"{sums.MANIFEST} is missing: this is no bundle"))
        return None
    try:
        manifest = records.from_json(Manifest, documents[sums.MANIFEST])
    except records.RecordError as error:
        problems.append(_Problem("malformed-manifest", f"{sums.MANIFEST}: {error}"))
        return None
    if manifest.schema != MANIFEST_SCHEMA:
        what = f"{sums.MANIFEST} has the schema {manifest.schema!a}; this program reads {MANIFEST_SCHEMA}"
        problems.append(_Problem("malformed-manifest", what))
        return None
    return manifest


def _folder_problems(manifest: Manifest, seen: Iterable[_Seen]) -> Iterator[_Problem]:
    name = f"{manifest.name}-{manifest.version}"
    for top in sorted({one.top for one in seen if one.top is not None}):
        if top != name and not top.startswith(f"{name}-"):
            yield _Problem("wrong-folder", f"the folder is called {top!a}, its manifest says {name!a}")


def _file_problems(manifest: Manifest, seen: Iterable[_Seen]) -> Iterator[_Problem]:
    listed: dict[str, FileEntry] = {}
    for entry in manifest.files:
        if entry.path in listed or not sums.is_listed(entry.path):
            yield _Problem("malformed-manifest", f"{sums.MANIFEST} lists {entry.path!a} that it must not, or twice")
        listed[entry.path] = entry
    present = {one.path: one for one in seen if not _stands_alone(one.path, manifest)}
    for path in sorted({*listed, *present}):
        if path not in listed:
            yield _Problem("extra-file", f"{path!a} is not in the manifest")
        elif path not in present:
            yield _Problem("missing-file", f"{path!a} is missing")
        else:
            yield from _differences(listed[path], present[path])
    for pin in manifest.pins:
        described = listed.get(pin.path)
        if described is None or (described.sha256, described.size) != (pin.sha256, pin.size):
            yield _Problem("malformed-manifest", f"{sums.MANIFEST} pins {pin.path!a}, and lists it otherwise or not")


def _stands_alone(path: str, manifest: Manifest) -> bool:
    """Whether the manifest does not list ``path``: its own sums and itself, and the seals that it says it has."""
    if path.startswith(sums.APPROVALS):
        return manifest.approval is not None and sums.is_seal(path)
    if path.startswith((sums.SUMS + sums.OPENPGP, sums.MANIFEST + sums.OPENPGP)):
        return manifest.seal is not None and bool(manifest.seal.openpgp) and sums.is_seal(path)
    return not sums.is_listed(path) and (manifest.seal is not None or not sums.is_seal(path))


def _differences(entry: FileEntry, one: _Seen) -> Iterator[_Problem]:
    if one.size != entry.size:
        yield _Problem("size-mismatch", f"{one.path!a} has {one.size} bytes, wanted {entry.size}")
    elif one.sha256 != entry.sha256:
        yield _Problem("digest-mismatch", f"{one.path!a} has SHA-256 {one.sha256}, wanted {entry.sha256}")
    if one.mode is not None and f"{one.mode:04o}" != entry.mode:
        yield _Problem("mode-mismatch", f"{one.path!a} has mode {one.mode:04o}, wanted {entry.mode}")


def _sums_problems(documents: Mapping[str, bytes], seen: Iterable[_Seen]) -> Iterator[_Problem]:
    document = documents.get(sums.SUMS)
    if document is None:
        yield _Problem("missing-file", f"{sums.SUMS} is missing")
        return
    try:
        listed = dict(sums.parse(document))
    except ValueError as error:
        yield _Problem("sums-mismatch", f"{sums.SUMS}: {error}")
        return
    present = {one.path: one.sha256 for one in seen if one.path != sums.SUMS and not sums.is_seal(one.path)}
    for path in sorted({*listed, *present}):
        if listed.get(path) != present.get(path):
            yield _Problem("sums-mismatch", f"{sums.SUMS} and the file {path!a} differ")


def _verdict(problems: list[_Problem]) -> NotBelieved:
    ranked = sorted(problems, key=lambda problem: _WEIGHT.index(problem.reason) if problem.reason in _WEIGHT else -1)
    more = len(ranked) - _SHOWN
    return NotBelieved(
        "the bundle is not what its maker made",
        reason=ranked[0].reason,
        details=[problem.what for problem in ranked[:_SHOWN]] + ([f"… and {more} more"] if more > 0 else []),
        do="do not use it; copy it again from where it was built, and compare the digest with what the build said",
    )
