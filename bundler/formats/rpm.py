"""Reads the headers of an rpm package, and the facts in them.

The layout of rpm's "Package format" document (v4 and v6): a lead of 96 bytes, a signature header padded to 8 bytes, the
main header, the compressed payload. Both headers are an intro of 16 bytes, an index of 16-byte entries, and a store. A
header's *region* (tag 63) is the part that its signature covers. Here it must span the whole main header, so that every
tag that is read is signed.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import BinaryIO

from bundler.formats.parse_error import ParseError, looks_like_a_page
from bundler.formats.rpm_version import is_version
from bundler.model.evidence import PackageFacts

LEAD_SIZE = 96
_LEAD = struct.Struct(">4sBBHH66sHH16s")
_LEAD_MAGIC = b"\xed\xab\xee\xdb"
_HEADER_MAGIC = b"\x8e\xad\xe8\x01\x00\x00\x00\x00"
_INTRO = struct.Struct(">8sII")
_ENTRY = struct.Struct(">IiiI")
_MAX_ENTRIES = 4096  # real packages have about a hundred tags
_MAX_STORE = 64 << 20  # rpm itself allows 256 MiB; real packages of 100 MB have far less than 10
_MAX_SIGNATURE_STORE = 1 << 20


class RpmError(ParseError):
    """The file is not an rpm package, or its headers break the rules."""


class SignatureTag(IntEnum):
    """The tags of the signature header that are read; names and numbers of rpm's ``rpmtag.h``."""

    REGION = 62
    DSA_HEADER = 267
    RSA_HEADER = 268
    SHA1_HEADER = 269
    SHA256_HEADER = 273
    OPENPGP = 278
    SIZE = 1000
    PGP = 1002
    MD5 = 1004
    GPG = 1005
    RESERVED_SPACE = 1008


class Tag(IntEnum):
    """The tags of the main header that are read; names and numbers of rpm's ``rpmtag.h``."""

    REGION = 63
    NAME = 1000
    VERSION = 1001
    RELEASE = 1002
    EPOCH = 1003
    SIZE = 1009
    VENDOR = 1011
    LICENSE = 1014
    PACKAGER = 1015
    ARCH = 1022
    REQUIRE_FLAGS = 1048
    REQUIRE_NAME = 1049
    REQUIRE_VERSION = 1050
    LONG_SIZE = 5009
    PAYLOAD_DIGEST = 5092
    PAYLOAD_DIGEST_ALGORITHM = 5093


class _Type(IntEnum):
    """Types of entries; rpm's "RPM header" document."""

    CHAR = 1
    INT8 = 2
    INT16 = 3
    INT32 = 4
    INT64 = 5
    STRING = 6
    BIN = 7
    STRING_ARRAY = 8
    I18N_STRING = 9


_TYPES = frozenset(_Type)
_WIDTHS = {_Type.CHAR: 1, _Type.INT8: 1, _Type.INT16: 2, _Type.INT32: 4, _Type.INT64: 8, _Type.BIN: 1}
_STRINGS = {_Type.STRING, _Type.STRING_ARRAY, _Type.I18N_STRING}
_INTEGERS = {_Type.INT8: "B", _Type.INT16: "H", _Type.INT32: "I", _Type.INT64: "Q"}


@dataclass(frozen=True)
class _Entry:
    tag: int
    type: _Type
    offset: int
    count: int


@dataclass(frozen=True)
class Header:
    """One parsed header: every entry is within the store, no tag occurs twice."""

    blob: bytes = field(repr=False)
    """The whole header with its intro: what a header signature covers."""
    _entries: Mapping[int, _Entry] = field(repr=False)
    _store: memoryview = field(repr=False)

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def binary(self, tag: int) -> bytes | None:
        """The bytes of ``tag``; None if the header does not have it. Raises :class:`RpmError` for another type."""
        entry = self._entry(tag, {_Type.BIN})
        return None if entry is None else bytes(self._store[entry.offset : entry.offset + entry.count])

    def strings(self, tag: int) -> tuple[str, ...]:
        """The strings of ``tag``; empty if the header does not have it. Raises :class:`RpmError` if not UTF-8."""
        entry = self._entry(tag, _STRINGS)
        if entry is None:
            return ()
        *parts, _ = bytes(self._store[entry.offset :]).split(b"\0", entry.count)
        if len(parts) != entry.count:
            raise RpmError(f"a string of tag {tag} has no end")
        try:
            return tuple(part.decode("utf-8") for part in parts)
        except UnicodeDecodeError:
            raise RpmError(f"the text of tag {tag} is not UTF-8") from None

    def string(self, tag: int) -> str:
        """The first string of ``tag``; empty if the header does not have it."""
        return next(iter(self.strings(tag)), "")

    def integers(self, tag: int) -> tuple[int, ...]:
        """The numbers of ``tag``; empty if the header does not have it."""
        entry = self._entry(tag, set(_INTEGERS))
        if entry is None:
            return ()
        return struct.unpack_from(f">{entry.count}{_INTEGERS[entry.type]}", self._store, entry.offset)

    def _entry(self, tag: int, types: set[_Type]) -> _Entry | None:
        entry = self._entries.get(tag)
        if entry is not None and entry.type not in types:
            raise RpmError(f"tag {tag} has the wrong type")
        return entry


@dataclass(frozen=True)
class Layout:
    """The parts of a package, with their offsets."""

    signature: Header
    header: Header
    header_offset: int
    """Of the main header, from the start of the file."""
    payload_offset: int
    size: int
    """Of the whole file, in bytes."""


def layout(file: BinaryIO) -> Layout:
    """Read lead and headers of a package; the payload is not read.

    Raises:
        RpmError: ``malformed``, ``truncated``, ``unsupported``, ``too-big``, ``html``.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    _check_lead(file.read(LEAD_SIZE))
    signature = _header(file, _MAX_SIGNATURE_STORE)
    padding = -len(signature.blob) % 8
    if file.read(padding) != bytes(padding):
        raise RpmError("the signature header is not padded with zeros")
    header_offset = LEAD_SIZE + len(signature.blob) + padding
    header = _header(file, _MAX_STORE)
    _check_region(header)
    return Layout(signature, header, header_offset, header_offset + len(header.blob), size)


def facts(file: BinaryIO) -> PackageFacts:
    """Read the facts in a package's main header.

    The version is ``version-release``, preceded by ``epoch:`` unless the epoch is 0. Memory does not depend on the
    file's size. Raises :class:`RpmError`.
    """
    return header_facts(layout(file).header)


def header_facts(header: Header) -> PackageFacts:
    """Like :func:`facts`, from a main header that was read before."""
    return PackageFacts(
        name=_word(header, Tag.NAME),
        version=_version(header),
        architecture=_word(header, Tag.ARCH),
        depends=_requires(header),
        installed_size=next(iter(header.integers(Tag.LONG_SIZE) or header.integers(Tag.SIZE)), 0),
        license=header.string(Tag.LICENSE),
        supplier=header.string(Tag.VENDOR) or header.string(Tag.PACKAGER),
    )


def _check_lead(lead: bytes) -> None:
    if looks_like_a_page(lead):
        raise RpmError("the file is an HTML page, not an rpm package", reason="html")
    if not lead.startswith(_LEAD_MAGIC[: len(lead)]):
        raise RpmError("the file is not an rpm package")
    if len(lead) < LEAD_SIZE:
        raise RpmError("the file ends in its first 96 bytes", reason="truncated")
    _, major, minor, kind, _, name, _, signature_type, reserved = _LEAD.unpack(lead)
    if kind != 0:
        raise RpmError("the package is not a binary package", reason="unsupported")
    if major not in {3, 4} or minor != 0 or signature_type != 5:
        raise RpmError("the lead has an unknown format version", reason="unsupported")
    text, _, rest = name.partition(b"\0")
    if not text or rest.strip(b"\0") or reserved.strip(b"\0"):
        raise RpmError("the reserved bytes of the lead are not zero")


def _header(file: BinaryIO, max_store: int) -> Header:
    intro = file.read(_INTRO.size)
    if len(intro) < _INTRO.size:
        raise RpmError("the file ends before a header", reason="truncated")
    magic, count, store_size = _INTRO.unpack(intro)
    if magic != _HEADER_MAGIC:
        raise RpmError("a header does not start with its magic bytes")
    if not 0 < count <= _MAX_ENTRIES or store_size > max_store:
        raise RpmError("a header claims to be larger than any real one", reason="too-big")
    body = file.read(count * _ENTRY.size + store_size)
    if len(body) < count * _ENTRY.size + store_size:
        raise RpmError("the file ends inside a header", reason="truncated")
    store = memoryview(body)[count * _ENTRY.size :]
    entries = [_entry(body, i, store) for i in range(count)]
    by_tag = {entry.tag: entry for entry in entries}
    if len(by_tag) != len(entries):
        raise RpmError("a header holds a tag twice", reason="duplicate")
    return Header(intro + body, by_tag, store)


def _entry(body: bytes, index: int, store: memoryview) -> _Entry:
    tag, kind, offset, count = _ENTRY.unpack_from(body, index * _ENTRY.size)
    if kind not in _TYPES:
        raise RpmError(f"tag {tag} has an unknown type")
    entry = _Entry(tag, _Type(kind), offset, count)
    if not 0 <= offset <= len(store) or not 0 < count <= len(store) - offset:
        raise RpmError(f"tag {tag} is outside of its header")
    width = _WIDTHS.get(entry.type, 1)
    if count * width > len(store) - offset or (entry.type is _Type.STRING and count != 1):
        raise RpmError(f"tag {tag} is longer than its header, or than its type allows")
    return entry


def _check_region(header: Header) -> None:
    """Require that the header's first entry is its region, and that the region spans the whole header.

    The region's data is a trailer at the very end of the store: an entry that points back over the whole index. The
    signature header has a region too, but it is not signed and not trusted, so its region does not matter.
    """
    first = next(iter(header._entries.values()))
    count, size = len(header._entries), _ENTRY.size
    if (first.tag, first.type, first.count) != (Tag.REGION, _Type.BIN, size):
        raise RpmError("the header does not start with its region: its tags would not be signed")
    if first.offset + size != len(header._store):
        raise RpmError("the header holds data outside of its region: it would not be signed")
    if _ENTRY.unpack_from(header._store, first.offset) != (Tag.REGION, _Type.BIN, -count * size, size):
        raise RpmError("the header's region does not span all of its tags")


def _word(header: Header, tag: Tag) -> str:
    value = header.string(tag)
    if not re.fullmatch(r"[A-Za-z0-9._+~^-]{1,255}", value):
        raise RpmError(f"the package's {tag.name.lower()} is missing or malformed")
    return value


def _version(header: Header) -> str:
    epoch = next(iter(header.integers(Tag.EPOCH)), 0)
    version = f"{header.string(Tag.VERSION)}-{header.string(Tag.RELEASE)}"
    if not is_version(version) or ":" in version:
        raise RpmError("the package's version or release is missing or malformed")
    return f"{epoch}:{version}" if epoch else version


def _requires(header: Header) -> tuple[str, ...]:
    names = header.strings(Tag.REQUIRE_NAME)
    flags = header.integers(Tag.REQUIRE_FLAGS)
    versions = header.strings(Tag.REQUIRE_VERSION)
    if not len(names) == len(flags) == len(versions):
        raise RpmError("the package has different numbers of requirements and versions")
    requirements = []
    for name, flag, version in zip(names, flags, versions, strict=True):
        if name.startswith("rpmlib("):  # features of rpm itself, not packages
            continue
        # RPMSENSE_LESS, _GREATER and _EQUAL of rpmds.h.
        sense = "".join(sign for bit, sign in ((2, "<"), (4, ">"), (8, "=")) if flag & bit)
        requirements.append(f"{name} {sense} {version}" if sense and version else name)
    return tuple(requirements)
