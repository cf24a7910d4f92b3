r"""What does the signature of an MSI cover, and where is it?

The digest runs over the streams in the order of their names, then over the class identifier of the root.
``\x05MsiDigitalSignatureEx`` holds a second digest, over names, sizes, times and state bits; it goes in front,
so that the signature covers it too. Neither has a published specification: the rules are those that
osslsigncode, relic and signify agree on, and that real Microsoft files satisfy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from bundler.errors import VerificationError
from bundler.formats.compound_file import CompoundFile, Entry

if TYPE_CHECKING:
    from hashlib import _Hash

SIGNATURE: Final = "\x05DigitalSignature"
METADATA_DIGEST: Final = "\x05MsiDigitalSignatureEx"
_MAX_SIGNATURE: Final = 1 << 20
KNOWN_STREAMS: Final = frozenset(
    {SIGNATURE, METADATA_DIGEST, "\x05SummaryInformation", "\x05DocumentSummaryInformation"}
)
"""The streams with a name that begins with 5 that an installer database may have ([MS-OLEPS] 2.25, Windows SDK)."""


def _covered(storage: Entry, *, root: bool) -> list[Entry]:
    """What a storage holds, in the order of the digest, without the signature itself."""
    skipped = {SIGNATURE, METADATA_DIGEST} if root else frozenset()
    return sorted((e for e in storage.children if e.name not in skipped), key=lambda e: e.raw_name + b"\0\0")


def _metadata(entry: Entry) -> bytes:
    """What the digest of ``MsiDigitalSignatureEx`` covers of one entry."""
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
    """The digest that ``MsiDigitalSignatureEx`` must hold; ``algorithm`` is a name that hashlib knows."""
    return hashlib.new(algorithm, b"".join(_all_metadata(root, root=True))).digest()


def _content(container: CompoundFile, storage: Entry, into: _Hash, *, root: bool) -> None:
    for entry in _covered(storage, root=root):
        if entry.kind == "stream":
            for chunk in container.chunks(entry):
                into.update(chunk)
        else:
            _content(container, entry, into, root=False)
    into.update(storage.clsid)


class SignedInstaller:
    """A signed MSI in which every byte has an owner.

    Raises :class:`~bundler.errors.VerificationError` with the reasons of
    :class:`~bundler.formats.compound_file.CompoundFile`, ``unknown-stream``, ``unsigned`` and
    ``metadata-unprotected``.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._container = CompoundFile(file)
        self._refuse_unknown(self._container.root)
        signature = self._container.stream(SIGNATURE)
        if signature is None or not signature.size:
            raise VerificationError("the MSI carries no signature", reason="unsigned")
        extra = self._container.stream(METADATA_DIGEST)
        if extra is None:
            raise VerificationError(
                "the MSI's signature does not protect the names and times of its streams", reason="metadata-unprotected"
            )
        if any(any(stream.state + stream.created + stream.modified) for stream in (signature, extra)):
            raise VerificationError("a time is written at the MSI's own signature", reason="malformed")
        self.pkcs7 = self._container.read(signature, _MAX_SIGNATURE)
        """The whole stream: it must be the signature and nothing more."""
        self._extra = self._container.read(extra, 64)

    def _refuse_unknown(self, root: Entry) -> None:
        for entry in root.children:
            if entry.name.startswith("\x05") and not (entry.kind == "stream" and entry.name in KNOWN_STREAMS):
                raise VerificationError(
                    f"the MSI holds a stream that no installer has: {entry.name[1:]!a}", reason="unknown-stream"
                )

    def digest(self, algorithm: str) -> bytes:
        """What the signature must hold, by an algorithm that hashlib knows.

        Raises ``metadata-mismatch`` where ``MsiDigitalSignatureEx`` is not the digest of this file's names and times.
        """
        if metadata_digest(self._container.root, algorithm) != self._extra:
            raise VerificationError("a stream of the MSI was renamed, resized or re-dated", reason="metadata-mismatch")
        return content_digest(self._container, self._extra, algorithm)


def content_digest(container: CompoundFile, extra: bytes, algorithm: str) -> bytes:
    """The digest that a signature covers: ``extra`` (empty where there is none), the streams, the root's class."""
    into = hashlib.new(algorithm, extra)
    _content(container, container.root, into, root=True)
    return into.digest()
