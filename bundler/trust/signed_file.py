"""Opens files that carry an Authenticode signature, by their kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final, Literal, Protocol

from bundler.errors import VerificationError
from bundler.formats import authenticode as der
from bundler.formats import sniff
from bundler.formats.msi_signature import SignedInstaller
from bundler.formats.portable_executable import SignedImage
from bundler.formats.powershell_signature import SignedScript
from bundler.trust import unsigned_bytes

Kind = Literal["msi", "pe", "ps1"]

_TAIL: Final = 64 * 1024
EXPECTED: Final[dict[Kind, tuple[str, bytes]]] = {
    "msi": (der.SPC_SIP_INFO, der.MSI_SUBJECT),
    "pe": (der.SPC_PE_IMAGE, b""),
    "ps1": (der.SPC_SIP_INFO, der.SCRIPT_SUBJECT),
}


class Subject(Protocol):
    """A file with every byte covered or known: its signature, and the digest that the signature must hold."""

    pkcs7: bytes

    def covered(self) -> list[tuple[int, int]]: ...

    def digest(self, algorithm: str) -> bytes: ...

    def second_digest(self, algorithm: str) -> bytes: ...


_READERS: Final[dict[Kind, Callable[[BinaryIO], Subject]]] = {
    "msi": SignedInstaller,
    "pe": SignedImage,
    "ps1": SignedScript,
}


def open_signed(file: BinaryIO, kind: Kind) -> Subject:
    """The file, which must be of that kind and signed. Raises VerificationError with the reasons of its reader."""
    _expect_kind(file, kind)
    return _READERS[kind](file)


def require_no_archive(file: BinaryIO, subject: Subject) -> None:
    """Refuse a ZIP or JAR in what the digest of ``file`` does not cover. Raises VerificationError, hidden-archive."""
    unsigned_bytes.require_no_archive(file, subject.covered(), "the file")


def _expect_kind(file: BinaryIO, kind: Kind) -> None:
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    file.seek(0)
    found = sniff.kind(file.read(sniff.HEAD), tail)
    if found == "html":
        raise VerificationError("this is an HTML page", reason="html")
    if found == "empty":
        raise VerificationError("the file is empty", reason="empty")
    if found != kind and not (kind == "ps1" and found == "text"):
        raise VerificationError(f"this is not a {kind} file; its content is {found}", reason="unknown-kind")
