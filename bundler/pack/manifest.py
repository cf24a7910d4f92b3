"""Makes the documents that describe a bundle's files: ``manifest.json`` and ``SHA256SUMS``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone

from bundler.errors import WriteError
from bundler.formats import json_codec
from bundler.integrity import sums
from bundler.model.manifest import FileEntry, Manifest
from bundler.model.tree import Entry, Tree
from bundler.pack.content import sha256, size
from bundler.pack.members import require_packable


def completed(described: Manifest, entries: Iterable[Entry]) -> Manifest:
    """``described`` with ``entries`` for its files."""
    files = tuple(
        FileEntry(path=entry.path, size=size(entry), sha256=sha256(entry), mode=f"{entry.mode:04o}")
        for entry in _ordered(entries)
    )
    return replace(described, files=files)


def assemble(described: Manifest, entries: Iterable[Entry], *, name: str, time: datetime) -> Tree:
    """Complete ``entries`` with ``manifest.json`` and ``SHA256SUMS``.

    Args:
        described: the manifest without its ``files``.
        entries: every other file.
        name: the folder after unpacking: ``<name>-<version>``, with the platform after it in a bundle for one platform.
        time: of every file, in every container.

    Raises:
        WriteError: a target cannot store one of the names.
    """
    listed = _ordered(entries)
    if "/" in name:
        raise WriteError(f"the bundle's name has a slash: {name}", do="change the definition's name or version")
    require_packable((name, *(entry.path for entry in listed), sums.MANIFEST, sums.SUMS, *sums.SEALS))
    manifest = completed(described, listed)
    covered = (*listed, Entry(sums.MANIFEST, json_codec.to_json(manifest)))
    digests = sums.render((entry.path, sha256(entry)) for entry in covered)
    complete = _ordered((*covered, Entry(sums.SUMS, digests)))
    return Tree(name, complete, time.astimezone(timezone.utc).replace(microsecond=0))


def digest(content: bytes) -> str:
    """SHA-256 in hex of a document."""
    return hashlib.sha256(content).hexdigest()


def bundle_digest(tree: Tree) -> str:
    """SHA-256 in hex of the tree's ``SHA256SUMS``: the number to compare on the target server."""
    return digest(document(tree, sums.SUMS))


def manifest_bytes(tree: Tree) -> bytes:
    """The tree's ``manifest.json``."""
    return document(tree, sums.MANIFEST)


def document(tree: Tree, path: str) -> bytes:
    """A document of the tree that is in memory: its sums, its manifest, or a signature over them."""
    for entry in tree.entries:
        if entry.path == path and isinstance(entry.content, bytes):
            return entry.content
    raise ValueError(f"the tree {tree.name} is not complete: it has no {path}")


def _ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.path.encode("utf-8", "surrogatepass")))
