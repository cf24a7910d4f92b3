r"""Finds the signature of an MSI, and computes the digest that it covers.

1. ``\x05MsiDigitalSignatureEx`` holds a digest over names, sizes, times and state bits of all streams. Without it a
   stream could be renamed unnoticed, because the second digest covers contents only.
2. The signed digest covers that stream, then the streams in the order of their names, then the root's class identifier.

Neither has a published specification: the rules are those that osslsigncode, relic and signify agree on, and that real
Microsoft files satisfy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from bundler.errors import VerificationError
from bundler.formats.compound_directory import Entry, streams
from bundler.formats.compound_file import CompoundFile

if TYPE_CHECKING:
    from hashlib import _Hash

SIGNATURE: Final = "\x05DigitalSignature"
METADATA_DIGEST: Final = "\x05MsiDigitalSignatureEx"
_UNSIGNED: Final = "the MSI carries no signature"
_CHUNK: Final = 1 << 20
_MAX_SIGNATURE: Final = 1 << 20
KNOWN_STREAMS: Final = frozenset(
    {SIGNATURE, METADATA_DIGEST, "\x05SummaryInformation", "\x05DocumentSummaryInformation"}
)
r"""The streams with a name starting with ``\x05`` that an installer may have ([MS-OLEPS] 2.25, Windows SDK)."""


def _covered(storage: Entry, *, root: bool) -> list[Entry]:
    """The entries of a storage in the order of the digest, without the signature itself."""
    skipped = {SIGNATURE, METADATA_DIGEST} if root else frozenset()
    return sorted((e for e in storage.children if e.name not in skipped), key=lambda e: e.raw_name + b"\0\0")


def _metadata(entry: Entry) -> bytes:
    """The bytes of one entry that the digest of ``MsiDigitalSignatureEx`` covers."""
    if entry.kind == "root":
        return entry.clsid + entry.state
    body = entry.size.to_bytes(8, "little")[:4] if entry.kind == "stream" else entry.clsid
    return entry.raw_name + body + entry.state + entry.created + entry.modified


def _all_metadata(storage: Entry, *, root: bool) -> Iterator[bytes]:
    yield _metadata(storage)
    for entry in _covered(storage, root=root):
        if entry.kind == "stream":
            yield _metadata(entry)
        else:
            yield from _all_metadata(entry, root=False)


def metadata_digest(root: Entry, algorithm: str) -> bytes:
    """The digest that ``MsiDigitalSignatureEx`` must hold; ``algorithm`` as hashlib names it."""
    return hashlib.new(algorithm, b"".join(_all_metadata(root, root=True))).digest()


def _content(container: CompoundFile, storage: Entry, into: _Hash, *, root: bool) -> None:
    for entry in _covered(storage, root=root):
        if entry.kind == "stream":
            for chunk in container.chunks(entry):
                into.update(chunk)
        else:
            _content(container, entry, into, root=False)
    into.update(storage.clsid)


def _opened(file: BinaryIO) -> CompoundFile:
    """The compound file. Without the name of a signature in it, it is unsigned, whatever else may be wrong with it.

    Tools write unsigned installers in forms that no signed one has: free sectors with remains, a last sector cut short.
    """
    try:
        return CompoundFile(file)
    except VerificationError as error:
        # Of a download that stopped the rest is not known.
        if error.reason in {"truncated", "unknown-kind"} or _names_signature(file):
            raise
        raise VerificationError(_UNSIGNED, reason="unsigned") from None


def _names_signature(file: BinaryIO) -> bool:
    """Whether the name of a signature's stream is anywhere in the file."""
    file.seek(0)
    name, last = SIGNATURE.encode("utf-16-le"), b""
    while chunk := file.read(_CHUNK):
        if name in last + chunk:
            return True
        last = chunk[-len(name) :]
    return False


class SignedInstaller:
    """A signed MSI in which every byte has an owner.

    Raises :class:`~bundler.errors.VerificationError` with the reasons of
    :class:`~bundler.formats.compound_file.CompoundFile`, ``unknown-stream``, ``unsigned`` and
    ``metadata-unprotected``.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._container = _opened(file)
        signature = self._container.stream(SIGNATURE)
        if signature is None or not signature.size:
            raise VerificationError(_UNSIGNED, reason="unsigned")
        for entry in self._container.root.children:
            if entry.name.startswith("\x05") and not (entry.kind == "stream" and entry.name in KNOWN_STREAMS):
                raise VerificationError(f"the MSI holds an unknown stream: {entry.name[1:]!a}", reason="unknown-stream")
        extra = self._container.stream(METADATA_DIGEST)
        if extra is None:
            raise VerificationError(
                "the MSI's signature does not protect the names and times of its streams", reason="metadata-unprotected"
            )
        if any(any(stream.state + stream.created + stream.modified) for stream in (signature, extra)):
            raise VerificationError("the MSI's signature stream has a time or state bits", reason="malformed")
        self.pkcs7 = self._container.read(signature, _MAX_SIGNATURE)
        """The whole stream: the signature, and nothing after it."""
        self._extra = self._container.read(extra, 64)
        self._signature = signature

    def covered(self) -> list[tuple[int, int]]:
        """Offset and length in bytes of the runs that the digest covers: every stream but the signature."""
        container = self._container
        others = (stream for stream in streams(container.root) if stream is not self._signature)
        return [run for stream in others for run in container.place(stream)]

    def digest(self, algorithm: str) -> bytes:
        """The digest that the signature must hold; ``algorithm`` as hashlib names it.

        Raises ``metadata-mismatch`` if ``MsiDigitalSignatureEx`` does not match this file's names and times.
        """
        if metadata_digest(self._container.root, algorithm) != self._extra:
            raise VerificationError("a stream of the MSI was renamed, resized or re-dated", reason="metadata-mismatch")
        return self.second_digest(algorithm)

    def second_digest(self, algorithm: str) -> bytes:
        """The digest that another signature of the file must hold: the file has one digest of its names for all."""
        return content_digest(self._container, self._extra, algorithm)


def content_digest(container: CompoundFile, extra: bytes, algorithm: str) -> bytes:
    """The digest that a signature covers: ``extra`` (empty if there is none), the streams, the root's class."""
    into = hashlib.new(algorithm, extra)
    _content(container, container.root, into, root=True)
    return into.digest()
