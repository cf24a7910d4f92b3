"""Reads product name, version and architecture from a Windows Installer database.

Sources: learn.microsoft.com/windows/win32/msi: "Property Table", "Summary Property Descriptions" and
"Template Summary Property"; [MS-OLEPS] 2.21 for the summary's property set. The coding of stream names and the
layout of tables have no published specification; both follow Wine's msi.dll and msitools.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, Final, NoReturn

from bundler.errors import VerificationError
from bundler.formats.compound_file import CompoundFile
from bundler.model.evidence import PackageFacts

_TABLE_MARK: Final = "\u4840"
_TWO_CHARACTERS: Final = 0x3800
_ONE_CHARACTER: Final = 0x4800
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"

_MAX_TABLE: Final = 32 << 20
_WIDE_REFERENCES: Final = 0x8000_0000
_UTF8: Final = 65001
_SUMMARY: Final = "\x05SummaryInformation"
_TEMPLATE: Final = 7
_VT_LPSTR: Final = 30
_ARCHITECTURES: Final = {"intel": "x86", "": "x86", "x64": "x64", "amd64": "x64", "arm64": "arm64", "intel64": "ia64"}


@dataclass(frozen=True)
class Installer:
    """The properties of an MSI that identify its product."""

    properties: Mapping[str, str]
    """The Property table: ``ProductName``, ``ProductVersion``, ``ProductCode``, ``UpgradeCode``, ``Manufacturer``, …"""
    architecture: str
    """``x86``, ``x64`` or ``arm64``, from the template in the summary."""


def _malformed(what: str) -> NoReturn:
    raise VerificationError(f"the installer database is malformed: {what}", reason="malformed")


def encode_name(table: str) -> str:
    """The name of the stream that holds ``table``: two characters of 6 bits per UTF-16 unit."""
    values = [_ALPHABET.index(character) for character in table]
    pairs = [values[at : at + 2] for at in range(0, len(values), 2)]
    return _TABLE_MARK + "".join(
        chr(_TWO_CHARACTERS + pair[0] + (pair[1] << 6)) if len(pair) == 2 else chr(_ONE_CHARACTER + pair[0])
        for pair in pairs
    )


def decode_name(stream: str) -> str:
    """The readable name of a stream, without the mark of a table; other characters stay as they are."""
    return "".join(map(_decode_character, stream.removeprefix(_TABLE_MARK)))


def _decode_character(character: str) -> str:
    code = ord(character)
    if _TWO_CHARACTERS <= code < _ONE_CHARACTER:
        pair = code - _TWO_CHARACTERS
        return _ALPHABET[pair & 0x3F] + _ALPHABET[pair >> 6]
    if _ONE_CHARACTER <= code < ord(_TABLE_MARK):
        return _ALPHABET[code - _ONE_CHARACTER]
    return character


def facts(file: BinaryIO) -> PackageFacts:
    """Read name, version, architecture and supplier from an MSI (seekable).

    Raises:
        VerificationError: reasons of :class:`~bundler.formats.compound_file.CompoundFile`; ``malformed`` if a property
            is missing.
    """
    found = read(file)
    return PackageFacts(
        name=_needed(found, "ProductName"),
        version=_needed(found, "ProductVersion"),
        architecture=found.architecture,
        supplier=found.properties.get("Manufacturer", ""),
    )


def _needed(installer: Installer, name: str) -> str:
    value = installer.properties.get(name, "")
    if not value:
        _malformed(f"it has no {name}")
    return value


def read(file: BinaryIO) -> Installer:
    """Read the properties of an MSI. Raises as :func:`facts`."""
    container = CompoundFile(file)
    strings, width = _string_pool(container)
    return Installer(MappingProxyType(_properties(container, strings, width)), _architecture(container))


def _table(container: CompoundFile, name: str) -> bytes:
    stream = container.stream(encode_name(name))
    if stream is None:
        _malformed(f"it has no table {name}")
    return container.read(stream, _MAX_TABLE)


def _string_pool(container: CompoundFile) -> tuple[list[str], int]:
    """All strings by number (0 is the empty one), and the number of bytes of a reference."""
    pool, data = _table(container, "_StringPool"), _table(container, "_StringData")
    if len(pool) < 4 or len(pool) % 4:
        _malformed("its strings have no index")
    page = struct.unpack_from("<I", pool)[0]
    code_page = page & ~_WIDE_REFERENCES
    encoding = {_UTF8: "utf-8", 0: "ascii"}.get(code_page, f"cp{code_page}")  # 0 is neutral, which means ASCII
    try:
        codecs.lookup(encoding)
    except LookupError:
        encoding = "ascii"
    strings, at = [""], 0
    for length in _lengths(pool):
        if at + length > len(data):
            _malformed("its strings are shorter than their index declares")
        strings.append(data[at : at + length].decode(encoding, "replace"))
        at += length
    return strings, 3 if page & _WIDE_REFERENCES else 2


def _lengths(pool: bytes) -> list[int]:
    """Length of each string; one over 64 KiB takes two entries, the first with length 0."""
    lengths: list[int] = []
    pairs = struct.iter_unpack("<HH", pool[4:])
    for length, references in pairs:
        if length == 0 and references:
            low, high = next(pairs, (0, 0))
            lengths.append((high << 16) + low)
        else:
            lengths.append(length)
    return lengths


def _properties(container: CompoundFile, strings: list[str], width: int) -> dict[str, str]:
    """The Property table: a column of names, then a column of values, each a reference to a string."""
    table = _table(container, "Property")
    if len(table) % (2 * width):
        _malformed("its Property table has an invalid length")
    numbers = [int.from_bytes(table[at : at + width], "little") for at in range(0, len(table), width)]
    if any(number >= len(strings) for number in numbers):
        _malformed("its Property table refers to missing strings")
    words = [strings[number] for number in numbers]
    rows = len(words) // 2
    return dict(zip(words[:rows], words[rows:], strict=True))


def _architecture(container: CompoundFile) -> str:
    """The first part of the template, ``x64;1033`` (several platforms, ``Intel,x64``, are refused)."""
    stream = container.stream(_SUMMARY)
    if stream is None:
        _malformed("it has no summary")
    platform = _template(container.read(stream, _MAX_TABLE)).partition(";")[0].strip().lower()
    if platform not in _ARCHITECTURES:
        _malformed("its architecture is unknown")
    return _ARCHITECTURES[platform]


def _template(summary: bytes) -> str:
    """Find the template in a property set ([MS-OLEPS] 2.21, 2.20, 2.15)."""
    try:
        start = struct.unpack_from("<I", summary, 44)[0]
        _size, count = struct.unpack_from("<II", summary, start)
        for index in range(min(count, 64)):
            identifier, offset = struct.unpack_from("<II", summary, start + 8 + 8 * index)
            if identifier == _TEMPLATE:
                kind, length = struct.unpack_from("<II", summary, start + offset)
                at = start + offset + 8
                if kind != _VT_LPSTR or at + length > len(summary):
                    _malformed("its template is not text")
                return summary[at : at + length].split(b"\0")[0].decode("ascii", "replace")
    except struct.error:
        _malformed("its summary ends too early")
    _malformed("its summary has no template")
