"""Reads the headers of an rpm package, and the facts in them.

The layout of rpm's "Package format" document (v4 and v6): a lead of 96 bytes, a signature header padded to 8 bytes, the
main header, the compressed payload. The main header's region must span it whole, so that every tag that is read is
signed.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

from bundler.formats import rpm_header
from bundler.formats.parse_error import looks_like_a_page
from bundler.formats.rpm_header import Header, RpmError
from bundler.formats.rpm_version import is_version
from bundler.model.evidence import PackageFacts

LEAD_SIZE = 96
_LEAD = struct.Struct(">4sBBHH66sHH16s")
_LEAD_MAGIC = b"\xed\xab\xee\xdb"
_LEAD_NAME = re.compile(rb"[A-Za-z0-9._+~^:-]{1,65}\0+")
_MAX_PROCESSOR = 255
_MAX_STORE = 16 << 20  # rpm itself allows 256 MiB; real packages of 100 MB have far less than 10
_MAX_SIGNATURE_STORE = 1 << 20


class Tag(IntEnum):
    """The tags of the main header that are read; names and numbers of rpm's ``rpmtag.h``."""

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
    signature = rpm_header.read(file, _MAX_SIGNATURE_STORE, rpm_header.SIGNATURE_REGION)
    padding = -len(signature.blob) % 8
    if file.read(padding) != bytes(padding):
        raise RpmError("the signature header is not padded with zeros")
    header_offset = LEAD_SIZE + len(signature.blob) + padding
    header = rpm_header.read(file, _MAX_STORE, rpm_header.MAIN_REGION)
    if not rpm_header.spans_everything(header):
        raise RpmError("the header's region does not span all of its tags: they would not be signed")
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
    _, major, minor, kind, processor, name, system, signature_type, reserved = _LEAD.unpack(lead)
    if kind != 0:
        raise RpmError("the package is not a binary package", reason="unsupported")
    if major not in {3, 4} or minor != 0 or signature_type != 5:
        raise RpmError("the lead has an unknown format version", reason="unsupported")
    # Nothing signs the lead: it holds a name and two small numbers, which rpm ignores, and zeros.
    if not _LEAD_NAME.fullmatch(name) or processor > _MAX_PROCESSOR or system > 1 or any(reserved):
        raise RpmError("the lead holds more than the package's name, and zeros")


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
