"""Is a bundle what its maker made: every file, and nothing else?

One reader of the files, in whatever order they come. Then three accounts must agree: the files, ``manifest.json``, and
``SHA256SUMS``, whose own SHA-256 is the bundle's digest, the number that the maker said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bundler.formats import json_codec
from bundler.formats.schema_age import schema_age
from bundler.integrity import consistency, names, sums
from bundler.integrity.findings import Finding, from_findings
from bundler.integrity.hashing_reader import EVIDENCE, MAX_DOCUMENT, HashingReader, Member, Sink
from bundler.model.manifest import MANIFEST_FORMER_KEYS, MANIFEST_SCHEMA, Manifest

_MISSING = Finding("missing-manifest", f"{sums.MANIFEST} is missing: this is no bundle")


@dataclass(frozen=True)
class CheckedBundle:
    """A bundle whose every byte is accounted for. Whether its packages are believed is another question."""

    manifest: Manifest
    digest: str
    """SHA-256 in hex of ``SHA256SUMS``."""
    documents: Mapping[str, bytes]
    """The files below ``evidence/``, by path."""
    signed: Mapping[str, bytes]
    """What seals are over, and the seals: the sums, the manifest, and every signature, by path; none judged yet."""


def check(members: Iterable[Member], *, sink_for: Sink = lambda _: None) -> CheckedBundle:
    """Check the files of one bundle, given one after the other.

    What ``sink_for`` gave to write to is at its end afterwards, and not to be believed before this function returns.
    Raises :class:`~bundler.errors.VerificationError` once, with all findings (the first 20 in ``details``).
    """
    reader = HashingReader(sink_for)
    seen = tuple(reader.read(member) for member in members)
    findings = [Finding("unsafe-name", fault) for fault in names.name_faults(one.path for one in seen)]
    manifest = _manifest(reader.documents.get(sums.MANIFEST))
    if isinstance(manifest, Finding):
        findings.append(manifest)
    else:
        findings += [*consistency.of_folder(manifest, seen), *consistency.of_manifest(manifest, seen)]
    findings += consistency.of_sums(reader.documents.get(sums.SUMS), seen)
    if findings or isinstance(manifest, Finding):
        raise from_findings(findings)
    evidence = {path: held for path, held in reader.documents.items() if path.startswith(EVIDENCE)}
    signed = {path: held for path, held in reader.documents.items() if not path.startswith(EVIDENCE)}
    return CheckedBundle(manifest, hashlib.sha256(signed[sums.SUMS]).hexdigest(), evidence, signed)


def manifest_document(members: Iterable[Member]) -> bytes:
    """The bytes of the manifest among ``members``, nothing behind which is read.

    Raises :class:`~bundler.errors.VerificationError` where there is none, or it is too large.
    """
    reader = HashingReader(lambda _: None)
    for member in members:
        if member.path == sums.MANIFEST:
            reader.read(member)
            return reader.documents[sums.MANIFEST]
    raise from_findings([_MISSING])


def read_manifest(document: bytes) -> Manifest:
    """Read the manifest alone, checking nothing but its shape. Raises :class:`~bundler.errors.VerificationError`."""
    found = _manifest(document)
    if isinstance(found, Finding):
        raise from_findings([found])
    return found


def _manifest(document: bytes | None) -> Manifest | Finding:
    if document is None:
        return _MISSING
    if len(document) > MAX_DOCUMENT:
        return Finding("document-too-large", f"{sums.MANIFEST} is larger than any such document")
    try:
        manifest = json_codec.from_json(Manifest, document)
    except json_codec.RecordError as error:
        return _unreadable(document, f"{sums.MANIFEST}: {error}")
    if manifest.schema != MANIFEST_SCHEMA:
        return _unreadable(
            document, f"{sums.MANIFEST} has the schema {manifest.schema!a}; this release reads {MANIFEST_SCHEMA}"
        )
    return manifest


def _unreadable(document: bytes, why: str) -> Finding:
    age = schema_age(document, MANIFEST_SCHEMA, MANIFEST_FORMER_KEYS)
    return Finding("malformed-manifest" if age == "current" else f"{age}-manifest", why)
