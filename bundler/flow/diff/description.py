"""Describes one side of a comparison: what it states, and what its scripts' runtimes are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bundler.flow import lock_document, runtimes
from bundler.formats import json_codec
from bundler.model.diff import Side
from bundler.model.lock import Lock
from bundler.model.manifest import Manifest
from bundler.model.script_runtime import KnownRuntime
from bundler.pack.manifest import digest


@dataclass(frozen=True)
class Description:
    """One side of a comparison."""

    side: Side
    stated: Manifest | Lock
    texts: Mapping[str, str | None] | None = None
    """Files that run or are read on a server, by path; a value is None for a binary or too large file. None as a whole
    for a manifest or a lock alone."""
    signatures: Mapping[str, str] | None = None
    """SHA-256 of each seal and approval of a bundle, by path; none is verified."""


def of_lock(lock: Lock, document: bytes | None = None) -> Description:
    """The description of a lock that was read from the bytes ``document``."""
    sha256 = digest(document or lock_document.to_bytes(lock))
    return Description(Side(kind="lock", name=lock.name, version=lock.version, digest=sha256), lock)


def of_manifest(manifest: Manifest, document: bytes | None = None) -> Description:
    """The description of a manifest that was read from the bytes ``document``."""
    side = side_of(manifest, "manifest", digest(document or json_codec.to_json(manifest)))
    found = runtimes.known(manifest.runtimes)
    return Description(with_runtimes(side, [one.script for one in found], found), manifest)


def side_of(manifest: Manifest, kind: Literal["manifest", "bundle"], sha256: str) -> Side:
    """What a manifest says of the bundle as one side; ``sha256`` is the bundle digest or the manifest's own."""
    return Side(kind=kind, name=manifest.name, version=manifest.version, digest=sha256, lab=manifest.lab)


def with_runtimes(side: Side, scripts: Iterable[str], found: tuple[KnownRuntime, ...]) -> Side:
    """``side`` with the runtimes that were ``found``; each of ``scripts`` without a known one counts as unknown."""
    known = {one.script for one in found if one.release}
    return replace(side, runtimes=found, unknown_runtimes=tuple(name for name in scripts if name not in known))
