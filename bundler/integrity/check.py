"""Checks that a bundle is intact: every file that was packed, unchanged, and nothing else.

1. Each file is read once, in any order, and hashed.
2. The names must be safe on every system, and the manifest readable.
3. Three lists must agree: the files, ``manifest.json`` and ``SHA256SUMS``. The SHA-256 of ``SHA256SUMS`` is the bundle
   digest, which ``build`` reported.

Nothing is verified here about who made the bundle: see :mod:`bundler.trust.verify_seal`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bundler.formats import json_codec
from bundler.formats.schema_age import schema_age
from bundler.integrity import consistency, names, sums
from bundler.integrity.findings import Finding, RewrappedError, from_findings
from bundler.integrity.hashing_reader import EVIDENCE, MAX_DOCUMENT, HashedFile, HashingReader, Member, Sink
from bundler.model.manifest import MANIFEST_FORMER_KEYS, MANIFEST_SCHEMA, Manifest

_MISSING = Finding("missing-manifest", f"{sums.MANIFEST} is missing: this is not a bundle")


@dataclass(frozen=True)
class CheckedBundle:
    """An intact bundle. Seal and packages are not verified yet."""

    manifest: Manifest
    digest: str
    """SHA-256 in hex of ``SHA256SUMS``."""
    documents: Mapping[str, bytes]
    """The files below ``evidence/``, by path."""
    signed: Mapping[str, bytes]
    """The sums, the manifest, and every signature over them, by path; no signature is verified yet."""


def check(members: Iterable[Member], *, sink_for: Sink = lambda _: None) -> CheckedBundle:
    """Check the files of one bundle.

    Args:
        members: the files, read one after the other.
        sink_for: gives, by path, a file to copy the content to, or None. Its content is not checked before this
            function returns, and its position is at the end.

    Raises:
        VerificationError: once, for all findings; the first 20 are its ``details``.
    """
    reader = HashingReader(sink_for)
    seen, findings = _read(reader, members)
    findings += [Finding("unsafe-name", fault) for fault in names.name_faults(one.path for one in seen)]
    manifest = _manifest(reader.documents.get(sums.MANIFEST))
    if isinstance(manifest, Finding):
        findings.append(manifest)
    else:
        findings += [*consistency.of_folder(manifest, seen), *consistency.of_manifest(manifest, seen)]
        findings += consistency.of_form(manifest, seen)
    findings += consistency.of_sums(reader.documents.get(sums.SUMS), seen)
    if findings or isinstance(manifest, Finding):
        raise from_findings(findings)
    evidence = {path: held for path, held in reader.documents.items() if path.startswith(EVIDENCE)}
    signed = {path: held for path, held in reader.documents.items() if not path.startswith(EVIDENCE)}
    return CheckedBundle(manifest, hashlib.sha256(signed[sums.SUMS]).hexdigest(), evidence, signed)


def _read(reader: HashingReader, members: Iterable[Member]) -> tuple[tuple[HashedFile, ...], list[Finding]]:
    """Read all ``members``; an archive's foreign form, known after the last of them, becomes findings."""
    seen: list[HashedFile] = []
    try:
        seen.extend(reader.read(member) for member in members)
    except RewrappedError as error:
        return tuple(seen), [Finding(error.reason, deviation) for deviation in error.details]
    return tuple(seen), []


def manifest_document(members: Iterable[Member]) -> bytes:
    """The bytes of the manifest among ``members``; nothing after it is read.

    Raises:
        VerificationError: there is no manifest, or it is too large.
    """
    reader = HashingReader(lambda _: None)
    for member in members:
        if member.path == sums.MANIFEST:
            reader.read(member)
            return reader.documents[sums.MANIFEST]
    raise from_findings([_MISSING])


def read_manifest(document: bytes) -> Manifest:
    """Parse the manifest alone, without checking it against the files. Raises VerificationError if it is malformed."""
    found = _manifest(document)
    if isinstance(found, Finding):
        raise from_findings([found])
    return found


def _manifest(document: bytes | None) -> Manifest | Finding:
    if document is None:
        return _MISSING
    if len(document) > MAX_DOCUMENT:
        return Finding("document-too-large", f"{sums.MANIFEST} is larger than {MAX_DOCUMENT} bytes")
    try:
        manifest = json_codec.from_json(Manifest, document)
    except json_codec.RecordError as error:
        return _unreadable(document, f"{sums.MANIFEST}: {error}")
    if manifest.schema != MANIFEST_SCHEMA:
        return _unreadable(
            document, f"{sums.MANIFEST} has the schema {manifest.schema!a}; this release reads {MANIFEST_SCHEMA}"
        )
    return manifest


_BY_AGE: Final[Mapping[str, str]] = {"newer": "newer-manifest", "older": "older-manifest"}
"""The reason for a manifest that another release made."""


def _unreadable(document: bytes, why: str) -> Finding:
    return Finding(_BY_AGE.get(schema_age(document, MANIFEST_SCHEMA, MANIFEST_FORMER_KEYS), "malformed-manifest"), why)
