"""Keeps a bundle's packages and scripts as seekable files while they are verified."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, BinaryIO

from bundler.errors import VerificationError, WriteError
from bundler.formats import chunks
from bundler.formats.script_runtime import is_script
from bundler.model.manifest import Manifest
from bundler.pack import container

PAYLOAD = "payload/"
KEYS = "payload/keys/"
CERTIFICATES = "payload/certificates/"
SETTINGS = "config/settings.json"
"""What the scripts of any product have in their headers."""


class PackageSpool:
    """Packages, scripts and settings of one bundle; those of an archive are copied, because it is read once."""

    def __init__(self, opened: container.Container, stack: ExitStack) -> None:
        """``stack`` closes every file that is opened."""
        self._container = opened
        self._stack = stack
        self._spooled: dict[str, IO[bytes]] = {}

    def sink_for(self, path: str) -> IO[bytes] | None:
        """The temporary file for the content of ``path``; None for a file that is not verified, or in a directory."""
        verified = path.startswith(PAYLOAD) and not path.startswith((KEYS, CERTIFICATES))
        if self._container.format == "directory" or not (verified or is_script(path) or path == SETTINGS):
            return None
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the stack closes it
        self._stack.callback(_close, file)
        self._spooled[path] = file
        return file

    def flush(self) -> None:
        """Write out what is buffered. Raises OSError where the folder has no room for it."""
        for file in self._spooled.values():
            file.flush()

    def open(self, path: str) -> BinaryIO:
        """The hashed package or script at ``path``, from its start."""
        if self._container.format == "directory":
            return self._stack.enter_context(self._container.open(path))
        spooled = self._spooled[path]
        spooled.seek(0)
        return spooled  # type: ignore[return-value]  # typeshed's TemporaryFile is not BinaryIO by name, but is one

    def read_hashed(self, manifest: Manifest, path: str) -> bytes:
        """The bytes of the file at ``path``, which must still have its hash. Raises VerificationError."""
        entry = next((one for one in manifest.files if one.path == path), None)
        if entry is None:
            raise VerificationError(f"{path} is not in the bundle", reason="missing-file")
        content = self.open(path).read(entry.size + 1)
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise toctou_error(path)
        return content

    def require_unchanged(self, path: str, package: BinaryIO, sha256: str) -> None:
        """Raise VerificationError unless a verified ``package`` still has the hash ``sha256``.

        In a directory, another process can replace a file between hashing and verification (TOCTOU). Temporary files
        are ours alone and are not read again.
        """
        if self._container.format == "directory":
            package.seek(0)
            if chunks.sha256(package) != sha256:
                raise toctou_error(path)


def toctou_error(path: str) -> VerificationError:
    """The error for a file that was replaced between hashing and use."""
    return VerificationError(f"{path} was replaced while the bundle was verified", reason="digest-mismatch")


def _close(file: IO[bytes]) -> None:
    """Close a temporary file. Its content is not needed, but closing writes out its buffer, which may fail."""
    with suppress(OSError):
        file.close()


@contextmanager
def temporary_folder_errors() -> Iterator[None]:
    """Turn OSError into a WriteError that names the folder for temporary files."""
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"the packages cannot be unpacked to the temporary folder: {error.strerror or error}",
            details=[tempfile.gettempdir()],
            do="free some space there, or set TMPDIR (Windows: TEMP) to another folder",
        ) from error
