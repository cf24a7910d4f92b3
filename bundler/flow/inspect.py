"""Shows what is in a bundle, as its manifest states it; nothing is verified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bundler.errors import UsageError, WriteError
from bundler.integrity import sums
from bundler.integrity.check import manifest_document, read_manifest
from bundler.integrity.hashing_reader import MAX_DOCUMENT
from bundler.model.manifest import Manifest
from bundler.pack import container
from bundler.pack.members import Password


@dataclass(frozen=True)
class Inspected:
    """A manifest as it was read."""

    manifest: Manifest
    document: bytes
    """The bytes of ``manifest.json``."""

    @property
    def digest(self) -> str:
        """The bundle's digest, as it follows from the manifest; `verify` compares it with the files."""
        return sums.bundle_digest_of(self.manifest, self.document)


def inspect(bundle: Path, *, password: Password | None = None) -> Inspected:
    """The manifest of ``bundle``: a directory, an archive, or a ``manifest.json`` alone.

    Raises VerificationError where there is no readable manifest, UsageError where the file cannot be opened.
    """
    document = _alone(bundle)
    if document is None:
        with container.open_bundle(bundle, password=password) as opened:
            document = manifest_document(opened.walk())
    return Inspected(read_manifest(document), document)


def write_page(found: Inspected, file: Path) -> None:
    """Write the review page of ``found``, the same as beside its archives.

    An older page is replaced in one step; any other file is left alone. Raises WriteError.
    """
    # Imported here: without a page the templates are not loaded.
    from bundler.flow import review
    from bundler.pack.staging import write_file

    page = review.outside(found.document)
    try:
        if file.is_file():
            with file.open("rb") as opened:
                start = opened.read(15)
            if start and start.lower() != b"<!doctype html>":  # the bundle itself, named twice by accident
                raise WriteError(
                    f"{file} already exists and is not a review page", do="name another file with `--html FILE`"
                )
        if file.is_file() or not file.exists():
            file.parent.resolve(strict=True)
            write_file(file.resolve(), page)
        else:  # a pipe, or a terminal
            file.write_bytes(page)
    except OSError as error:
        raise WriteError(f"{file} cannot be written: {error.strerror or error}", do="name another file") from error


def _alone(path: Path) -> bytes | None:
    """The JSON document at ``path``, up to one byte more than a manifest may have; None for a container.

    No container format begins with a brace.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT + 1) if file.peek(1)[:1] == b"{" else None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
