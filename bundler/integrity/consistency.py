"""Compares a bundle's files with ``manifest.json``, ``SHA256SUMS`` and the folder's name.

Each function yields its findings and raises nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundler.integrity import sums
from bundler.integrity.findings import Finding
from bundler.integrity.hashing_reader import HashedFile
from bundler.model.manifest import FileEntry, Manifest

_PLATFORMS = ("linux", "windows")
"""Of bundles with ``archives: per-platform``."""
_UNLISTED_MODE = 0o644
"""Mode of the sums, the manifest and the seals in every archive."""


def of_folder(manifest: Manifest, seen: Iterable[HashedFile]) -> Iterator[Finding]:
    """Compare the name of the unpacked folder with the manifest's, after which only a platform may stand."""
    name = f"{manifest.name}-{manifest.version}"
    allowed = {name, *(f"{name}-{platform}" for platform in _PLATFORMS)}
    for top in sorted({one.top for one in seen if one.top is not None}):
        if top not in allowed:
            yield Finding("wrong-folder", f"the folder is named {top!a}; its manifest says {name!a}")


def of_manifest(manifest: Manifest, seen: Iterable[HashedFile]) -> Iterator[Finding]:
    """Compare the files with those that the manifest lists, and its pins with that list."""
    listed: dict[str, FileEntry] = {}
    for entry in manifest.files:
        if entry.path in listed or not sums.is_listed(entry.path):
            yield Finding("malformed-manifest", f"{sums.MANIFEST} lists {entry.path!a} twice, or must not list it")
        listed[entry.path] = entry
    present = {one.path: one for one in seen if not _stands_alone(one.path, manifest)}
    for path in sorted({*listed, *present}):
        if path not in listed:
            yield Finding("extra-file", f"{path!a} is not in the manifest")
        elif path not in present:
            yield Finding("missing-file", f"{path!a} is missing")
        else:
            yield from _differences(listed[path], present[path])
    for pin in manifest.pins:
        described = listed.get(pin.path)
        if described is None or (described.sha256, described.size) != (pin.sha256, pin.size):
            yield Finding("malformed-manifest", f"{sums.MANIFEST} pins {pin.path!a}, but does not list that file")


def _stands_alone(path: str, manifest: Manifest) -> bool:
    """Whether ``path`` is missing from the manifest's list rightly: sums, manifest, and the seals that it names."""
    if path.startswith(sums.APPROVALS):
        return manifest.approval is not None and sums.is_seal(path)
    if path.startswith((sums.SUMS + sums.OPENPGP, sums.MANIFEST + sums.OPENPGP)):
        return manifest.seal is not None and bool(manifest.seal.openpgp) and sums.is_seal(path)
    return not sums.is_listed(path) and (manifest.seal is not None or not sums.is_seal(path))


def _differences(entry: FileEntry, one: HashedFile) -> Iterator[Finding]:
    if one.size != entry.size:
        yield Finding("size-mismatch", f"{one.path!a} has {one.size} bytes, expected {entry.size}")
    elif one.sha256 != entry.sha256:
        yield Finding("digest-mismatch", f"{one.path!a} has SHA-256 {one.sha256}, expected {entry.sha256}")
    if one.mode is not None and f"{one.mode:04o}" != entry.mode:
        yield Finding("mode-mismatch", f"{one.path!a} has mode {one.mode:04o}, expected {entry.mode}")


def of_form(manifest: Manifest, seen: Iterable[HashedFile]) -> Iterator[Finding]:
    """Compare what an archive says of its files with what our writer says: the manifest's time, and its own modes.

    The modes of listed files are compared by :func:`of_manifest`.
    """
    created = int(manifest.created.timestamp())
    listed = {entry.path for entry in manifest.files}
    for one in seen:
        if one.time is not None and one.time != created - created % one.time_step:
            yield Finding("rewrapped", f"the time of {one.path!a} is not the manifest's")
        if one.path not in listed and one.mode not in (None, _UNLISTED_MODE):
            yield Finding("rewrapped", f"the mode of {one.path!a} is not {_UNLISTED_MODE:04o}")


def of_sums(document: bytes | None, seen: Iterable[HashedFile]) -> Iterator[Finding]:
    """Compare the files with ``document``, the bytes of ``SHA256SUMS``; None if it is missing."""
    if document is None:
        yield Finding("missing-file", f"{sums.SUMS} is missing")
        return
    try:
        listed = dict(sums.parse(document))
    except ValueError as error:
        yield Finding("sums-mismatch", f"{sums.SUMS}: {error}")
        return
    present = {one.path: one.sha256 for one in seen if one.path != sums.SUMS and not sums.is_seal(one.path)}
    for path in sorted({*listed, *present}):
        if listed.get(path) != present.get(path):
            yield Finding("sums-mismatch", f"{sums.SUMS} and the file {path!a} differ")
