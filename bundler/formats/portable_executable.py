"""Finds the signature of a PE file, and computes the digest that it covers.

Source: "Windows Authenticode Portable Executable Signature Format" (Microsoft, 2008), and the PE format
(learn.microsoft.com/windows/win32/debug/pe-format): the digest covers the whole file except the checksum, the directory
entry of the certificate table, and that table, which must be at the end of the file.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import BinaryIO, Final, NoReturn

from bundler.errors import VerificationError
from bundler.formats import der
from bundler.formats.chunks import read_chunks

MAX_SIGNATURE: Final = 1 << 20
_ALIGNMENT: Final = 8
_MAX_DOS_PROGRAM: Final = 4096
"""Offset of the PE header at most, where a file is shorter than it says; real ones have a few hundred bytes before."""
_REVISION_2: Final = 0x0200
_PKCS_SIGNED_DATA: Final = 2
_SEQUENCE: Final = 0x30
_SECURITY_DIRECTORY: Final = 4
_DIRECTORIES_AT: Final = {0x10B: 96, 0x20B: 112}
"""Offset of the data directories in the optional header, for PE32 and PE32+."""


def _malformed(what: str) -> NoReturn:
    raise VerificationError(f"the PE file is malformed: {what}", reason="malformed")


@dataclass(frozen=True)
class Layout:
    """Offsets in bytes from the start of the file."""

    size: int
    checksum: int
    directory: int
    """Of the directory entry for the certificate table (8 bytes)."""
    table: int
    table_size: int

    @property
    def covered_end(self) -> int:
        """The end of the signed part."""
        return self.table or self.size

    def covered(self) -> list[tuple[int, int]]:
        """Offset and length in bytes of the runs that the digest covers."""
        edges = (0, self.checksum), (self.checksum + 4, self.directory), (self.directory + 8, self.covered_end)
        return [(start, end - start) for start, end in edges]


def layout(file: BinaryIO) -> Layout:
    """Find the parts that a signature does not cover.

    Raises:
        VerificationError: ``unknown-kind`` if it is not a PE file, ``malformed`` if its headers contradict themselves,
            ``unsigned`` if it has no entry for a signature.
    """
    size = file.seek(0, 2)
    file.seek(0)
    dos = file.read(64)
    if dos[:2] != b"MZ" or len(dos) < 64:
        raise VerificationError("this is not a PE file: it does not start with MZ", reason="unknown-kind")
    at = struct.unpack_from("<I", dos, 60)[0]
    file.seek(at)
    head = file.read(24 + 112 + 8 * 16)
    if len(head) < 26 and at <= _MAX_DOS_PROGRAM and b"PE\0\0".startswith(head[:4]):
        raise VerificationError("the PE file ends before its headers do", reason="truncated")
    if head[:4] != b"PE\0\0" or len(head) < 26:
        raise VerificationError("this is not a PE file: it has no PE header", reason="unknown-kind")
    magic = struct.unpack_from("<H", head, 24)[0]
    first = _DIRECTORIES_AT.get(magic)
    entry = 24 + (first or 0) + 8 * _SECURITY_DIRECTORY
    if first is None or len(head) < entry + 8:
        _malformed("its optional header is invalid")
    if struct.unpack_from("<I", head, 24 + first - 4)[0] <= _SECURITY_DIRECTORY:
        raise VerificationError("the PE file carries no signature", reason="unsigned")
    if at < 64 or struct.unpack_from("<H", head, 20)[0] < first + 8 * (_SECURITY_DIRECTORY + 1):
        _malformed("its headers overlap")
    return Layout(size, at + 24 + 64, at + entry, *struct.unpack_from("<II", head, entry))


def digest(file: BinaryIO, place: Layout, algorithm: str) -> bytes:
    """The digest of the signed part, padded to eight bytes if there is no table yet."""
    into = hashlib.new(algorithm)
    for chunk in read_chunks(file, place.covered()):
        into.update(chunk)
    into.update(bytes(-place.covered_end % _ALIGNMENT))
    return into.digest()


class SignedImage:
    """A PE file that ends with its certificate table, which holds one signature and nothing else.

    Raises :class:`~bundler.errors.VerificationError`: ``unknown-kind``, ``unsigned``, ``truncated``, ``malformed``,
    ``trailing-data`` (bytes after the table, a second entry, padding: CVE-2013-3900).
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._layout = layout(file)
        self.pkcs7 = self._read_table()
        """The signature, without its padding."""

    def _read_table(self) -> bytes:
        place = self._layout
        if not place.table and not place.table_size:
            raise VerificationError("the PE file carries no signature", reason="unsigned")
        if place.table + place.table_size > place.size:
            raise VerificationError("the PE file ends before its signature does", reason="truncated")
        if place.table + place.table_size < place.size:
            raise VerificationError("the PE file holds bytes after its signature", reason="trailing-data")
        if place.table % _ALIGNMENT or place.table < place.directory + 8 or not 8 < place.table_size <= MAX_SIGNATURE:
            _malformed("its certificate table has an impossible place or size")
        self._file.seek(place.table)
        return self._only_entry(self._file.read(place.table_size))

    @staticmethod
    def _only_entry(table: bytes) -> bytes:
        length, revision, kind = struct.unpack_from("<IHH", table)
        if revision != _REVISION_2 or kind != _PKCS_SIGNED_DATA:
            _malformed("its certificate is of an unknown kind")
        if not 8 < length <= len(table):
            _malformed("its certificate is longer than its table")
        # Some signers include the padding in the entry's length, some do not: use the length of the signature's DER.
        signature = _signature(table[8:length])
        padding = table[8 + len(signature) :]
        if len(padding) >= _ALIGNMENT or any(padding):
            raise VerificationError("the certificate table holds more than one signature", reason="trailing-data")
        return signature

    def covered(self) -> list[tuple[int, int]]:
        """Offset and length in bytes of the runs that the digest covers."""
        return self._layout.covered()

    def digest(self, algorithm: str) -> bytes:
        """The digest that the signature must hold; ``algorithm`` as hashlib names it."""
        return digest(self._file, self._layout, algorithm)

    second_digest = digest
    """The digest that another signature of the file must hold."""


def _signature(entry: bytes) -> bytes:
    """The SEQUENCE at the start of ``entry``."""
    try:
        found = der.first(entry)
    except ValueError:
        _malformed("its signature is not DER, or longer than its table")
    if found.tag != _SEQUENCE:
        _malformed("its signature is not DER")
    return found.whole
