"""Loads what is compared: a bundle, a manifest or a lock."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from bundler.errors import UsageError, VerificationError
from bundler.flow.diff.description import Description, of_lock, of_manifest, side_of, with_runtimes
from bundler.flow.diff.texts import Texts
from bundler.formats import json_codec
from bundler.formats.schema_age import schema_age
from bundler.integrity import sums
from bundler.integrity.check import check
from bundler.integrity.findings import Finding, from_findings
from bundler.integrity.hashing_reader import MAX_DOCUMENT
from bundler.model.manifest import MANIFEST_FORMER_KEYS, MANIFEST_SCHEMA, Manifest
from bundler.pack import container
from bundler.pack.manifest import digest
from bundler.pack.members import Password

_SCHEMA = re.compile(rb'"schema"\s*:\s*"arc-bundler/(manifest|lock)/')
_START = 256
_EXPECTED = "give two bundles (folder, zip, tar.gz or 7z), manifests or locks"


def describe(path: Path, *, password: Password | None = None) -> Description:
    """Read the bundle (a directory or an archive), manifest or lock at ``path``.

    Every hash of a bundle is checked; no signature is verified.

    Raises:
        VerificationError: a damaged bundle or manifest.
        LockError: a damaged lock.
        UsageError: a file that cannot be read.

    """
    found = None if path.is_dir() else _document(path)
    if found is None:
        return _bundle(path, password)
    kind, document = found
    return _lock(path, document) if kind == "lock" else _manifest(path, document)


def _document(path: Path) -> tuple[str, bytes] | None:
    """The kind of our JSON document at ``path``, and its bytes; None for a container."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            if not file.peek(_START)[:_START].lstrip().startswith(b"{"):
                return None
            document = file.read(MAX_DOCUMENT + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", do=_EXPECTED) from error
    if len(document) > MAX_DOCUMENT:
        raise _malformed(path, f"it is larger than {MAX_DOCUMENT} bytes")
    named = _SCHEMA.search(document)
    if named is None:
        raise _malformed(path, "its schema is neither a manifest's nor a lock's")
    return named[1].decode(), document


def _manifest(path: Path, document: bytes) -> Description:
    try:
        manifest = json_codec.from_json(Manifest, document)
    except json_codec.RecordError as error:
        raise _unreadable(path, document, str(error)) from None
    if manifest.schema != MANIFEST_SCHEMA:
        why = f"it has the schema {manifest.schema!a}; this release reads {MANIFEST_SCHEMA}"
        raise _unreadable(path, document, why)
    return of_manifest(manifest, document)


def _unreadable(path: Path, document: bytes, why: str) -> VerificationError:
    age = schema_age(document, MANIFEST_SCHEMA, MANIFEST_FORMER_KEYS)
    if age == "current":
        return _malformed(path, why)
    error = from_findings([Finding(f"{age}-manifest", why)])
    return VerificationError(f"{path}: {error.what}", reason=error.reason, details=error.details, do=error.do)


def _malformed(path: Path, why: str) -> VerificationError:
    return VerificationError(
        f"{path} is damaged or of another release",
        reason="malformed-manifest",
        details=[why],
        do=_EXPECTED,
    )


def _lock(path: Path, document: bytes) -> Description:
    from bundler.flow import lock_file  # imported here: it loads what reads definitions

    lock = lock_file.read(path)
    if lock is None:  # deleted since
        raise UsageError(f"{path} cannot be read: it does not exist any more", do=_EXPECTED)
    return of_lock(lock, document)


def _bundle(path: Path, password: Password | None) -> Description:
    texts = Texts()
    with container.open_bundle(path, password=password) as opened:
        checked = check(opened.walk(), sink_for=texts.sink_for)
    manifest = checked.manifest
    signatures = {name: digest(held) for name, held in checked.signed.items() if sums.is_seal(name)}
    side = side_of(manifest, "bundle", checked.digest)
    return Description(
        with_runtimes(side, texts.scripts, texts.runtimes(manifest.product)),
        manifest,
        {name: texts.text(name) for name in texts.held},
        signatures,
    )
