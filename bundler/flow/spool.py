"""Where do a bundle's packages and scripts lie while they are judged, and are they still what was hashed?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, BinaryIO

from bundler.errors import VerificationError, WriteError
from bundler.formats import chunks
from bundler.formats.script_runtime import is_script
from bundler.pack import container

PAYLOAD = "payload/"
KEYS = "payload/keys/"
CERTIFICATES = "payload/certificates/"
SETTINGS = "config/settings.json"
"""What the scripts of any product have in their headers."""


class PackageSpool:
    """The packages of one bundle, its scripts and their settings, as files that can be read in any order."""

    def __init__(self, opened: container.Container, stack: ExitStack) -> None:
        """``stack`` ends whatever is opened."""
        self._container = opened
        self._stack = stack
        self._spooled: dict[str, IO[bytes]] = {}

    def sink_for(self, path: str) -> IO[bytes] | None:
        """Where the content of the file ``path`` is to be written: an archive can be read but once."""
        judged = path.startswith(PAYLOAD) and not path.startswith((KEYS, CERTIFICATES))
        if self._container.format == "directory" or not (judged or is_script(path) or path == SETTINGS):
            return None
        self._spooled[path] = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # the stack closes it
        return self._spooled[path]

    def open(self, path: str) -> BinaryIO:
        """A checked package or script, from its start."""
        if self._container.format == "directory":
            return self._stack.enter_context(self._container.open(path))
        spooled = self._spooled[path]
        spooled.seek(0)
        return spooled  # type: ignore[return-value]  # typeshed's TemporaryFile is not BinaryIO by name, but is one

    def require_unchanged(self, path: str, judged: BinaryIO, sha256: str) -> None:
        """Refuse a package that was ``judged`` and is not what was hashed, with this ``sha256``.

        In a directory a file can be exchanged between the two. What came out of an archive is nobody else's, and is
        not read again. Raises :class:`VerificationError`.
        """
        if self._container.format == "directory":
            judged.seek(0)
            if chunks.sha256(judged) != sha256:
                raise exchanged(path)


def exchanged(path: str) -> VerificationError:
    """The refusal of a file that was another when it was hashed."""
    return VerificationError(f"{path} was exchanged while the bundle was checked", reason="digest-mismatch")


@contextmanager
def spooling() -> Iterator[None]:
    """Name the temporary folder where it cannot be written; the container's own errors are told before."""
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"the packages cannot be unpacked to the folder for temporary files: {error.strerror or error}",
            details=[tempfile.gettempdir()],
            do="make room there, or name another folder by TMPDIR (Windows: TEMP)",
        ) from error
