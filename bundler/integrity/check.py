"""Is a bundle what its maker made: every file, and nothing else?

One reading of the files, in whatever order they come. Then three accounts must agree: the files, ``manifest.json``, and
``SHA256SUMS``, whose own SHA-256 is the bundle's digest, the number that the maker said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bundler.formats import json_codec
from bundler.integrity import consistency, names, sums
from bundler.integrity.findings import Problem, refusal
from bundler.integrity.hashing_reader import EVIDENCE, MAX_DOCUMENT, Keep, Member, Reading
from bundler.model.manifest import MANIFEST_SCHEMA, Manifest

_MISSING = Problem("missing-manifest", f"{sums.MANIFEST} is missing: this is no bundle")


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


def check(members: Iterable[Member], *, keep: Keep = lambda _: None) -> Checked:
    """Check the files of one bundle, given one after the other.

    What ``keep`` gave to write to is at its end afterwards, and not to be believed before this function returns.
    Raises :class:`~bundler.errors.VerificationError` once, with all problems (the first 20 in ``details``).
    """
    reading = Reading(keep)
    seen = tuple(reading.take(member) for member in members)
    problems = [Problem("unsafe-name", fault) for fault in names.refuse(one.path for one in seen)]
    manifest = _manifest(reading.documents.get(sums.MANIFEST))
    if isinstance(manifest, Problem):
        problems.append(manifest)
    else:
        problems += [*consistency.of_folder(manifest, seen), *consistency.of_manifest(manifest, seen)]
    problems += consistency.of_sums(reading.documents.get(sums.SUMS), seen)
    if problems or isinstance(manifest, Problem):
        raise refusal(problems)
    evidence = {path: held for path, held in reading.documents.items() if path.startswith(EVIDENCE)}
    signed = {path: held for path, held in reading.documents.items() if not path.startswith(EVIDENCE)}
    return Checked(manifest, hashlib.sha256(signed[sums.SUMS]).hexdigest(), evidence, signed)


def manifest_document(members: Iterable[Member]) -> bytes:
    """The bytes of the manifest among ``members``, nothing behind which is read.

    Raises :class:`~bundler.errors.VerificationError` where there is none, or it is too large.
    """
    reading = Reading(lambda _: None)
    for member in members:
        if member.path == sums.MANIFEST:
            reading.take(member)
            return reading.documents[sums.MANIFEST]
    raise refusal([_MISSING])


def read_manifest(document: bytes) -> Manifest:
    """Read the manifest alone, checking nothing but its shape. Raises :class:`~bundler.errors.VerificationError`."""
    found = _manifest(document)
    if isinstance(found, Problem):
        raise refusal([found])
    return found


def _manifest(document: bytes | None) -> Manifest | Problem:
    if document is None:
        return _MISSING
    if len(document) > MAX_DOCUMENT:
        return Problem("document-too-large", f"{sums.MANIFEST} is larger than any such document")
    try:
        manifest = json_codec.from_json(Manifest, document)
    except json_codec.RecordError as error:
        return Problem("malformed-manifest", f"{sums.MANIFEST}: {error}")
    if manifest.schema != MANIFEST_SCHEMA:
        what = f"{sums.MANIFEST} has the schema {manifest.schema!a}; this program reads {MANIFEST_SCHEMA}"
        return Problem("malformed-manifest", what)
    return manifest
