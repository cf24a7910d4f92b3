"""Reads the version resource of a PE file: product, version, company and processor.

Source: the PE format (learn.microsoft.com/windows/win32/debug/pe-format, "The .rsrc Section"), and VS_VERSIONINFO,
StringFileInfo and StringTable (learn.microsoft.com/windows/win32/menurc/vs-versioninfo). An Authenticode signature
covers all of it; read it only after its signature was verified.

1. The section table says where the resource directory is in the file.
2. Three levels of that directory lead to the first resource of the type RT_VERSION (16).
3. The resource is a tree of blocks, each with a key in UTF-16; the strings are the leaves of ``StringFileInfo``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from bundler.formats.parse_error import ParseError
from bundler.model.evidence import PackageFacts

_RT_VERSION: Final = 16
_RESOURCES: Final = 2
"""Position of the resource directory among the data directories."""
_MACHINES: Final = {0x8664: "x64", 0xAA64: "arm64", 0x14C: "x86"}
_DIRECTORIES_AT: Final = {0x10B: 96, 0x20B: 112}
_MAX_VERSION: Final = 64 << 10
_MAX_TREE: Final = 4 << 20
"""Bytes of the resource directory: its entries, which come before all resources, have 24 each."""
_MAX_BLOCKS: Final = 1000
_SUBDIRECTORY: Final = 0x80000000
_STRING_BLOCKS: Final = ("VS_VERSION_INFO", "StringFileInfo")


def facts(file: BinaryIO) -> PackageFacts:
    """What the file says of itself: ``ProductName``, ``ProductVersion``, ``CompanyName``, and its processor.

    Raises:
        ParseError: there is no version resource, or its structure contradicts itself.
    """
    try:
        machine, resource = _version_resource(file)
        strings = dict(_strings(resource))
    except struct.error:
        raise ParseError("the PE file ends within its headers or its version resource") from None
    name, version = strings.get("ProductName", ""), strings.get("ProductVersion", "")
    if not name or not version:
        raise ParseError("its version resource names no product and version")
    return PackageFacts(
        name=name,
        version=version.partition(" ")[0],
        architecture=_MACHINES.get(machine, f"machine-{machine:x}"),
        supplier=strings.get("CompanyName", ""),
    )


def _version_resource(file: BinaryIO) -> tuple[int, bytes]:
    """The processor, and the bytes of the first version resource."""
    file.seek(0)
    dos = file.read(64)
    (start,) = struct.unpack_from("<I", dos, 60)
    file.seek(start)
    head = file.read(24 + 112 + 8 * 16)
    machine, sections = struct.unpack_from("<HH", head, 4)
    optional_size, magic = struct.unpack_from("<H", head, 20)[0], struct.unpack_from("<H", head, 24)[0]
    first = _DIRECTORIES_AT.get(magic)
    if head[:4] != b"PE\0\0" or first is None:
        raise ParseError("its optional header is invalid")
    address, size = struct.unpack_from("<II", head, 24 + first + 8 * _RESOURCES)
    if not address:
        raise ParseError("it has no resources, so no version resource")
    file.seek(start + 24 + optional_size)
    table = file.read(40 * sections)
    tree = _read(file, table, address, size)
    offset = _descend(tree, 0, _RT_VERSION)
    for _ in range(2):  # the resource's name, then its language: the first of each
        offset = _descend(tree, offset & ~_SUBDIRECTORY, None)
    data, length = struct.unpack_from("<II", tree, offset)
    if length > _MAX_VERSION:
        raise ParseError("its version resource is too large")
    return machine, _read(file, table, data, length)


def _read(file: BinaryIO, table: bytes, address: int, size: int) -> bytes:
    """``size`` bytes at a virtual ``address``, by the section that holds it."""
    for at in range(0, len(table) - 39, 40):
        virtual_size, virtual, raw_size, raw = struct.unpack_from("<4I", table, at + 8)
        if virtual <= address < virtual + max(virtual_size, raw_size):
            file.seek(raw + address - virtual)
            # Numbers of the file: without a limit of ours, Python makes room for all that they claim.
            return file.read(min(size, raw_size - (address - virtual), _MAX_TREE))
    raise ParseError("its resources are in no section")


def _descend(tree: bytes, directory: int, wanted: int | None) -> int:
    """Offset of the entry with the id ``wanted`` in a directory, or of its first entry."""
    named, numbered = struct.unpack_from("<HH", tree, directory + 12)
    for position in range(min(named + numbered, _MAX_BLOCKS)):
        identifier, offset = struct.unpack_from("<II", tree, directory + 16 + 8 * position)
        if wanted is None or identifier == wanted:
            return int(offset & ~_SUBDIRECTORY)
    raise ParseError("it has no version resource")


def _strings(block: bytes) -> Iterator[tuple[str, str]]:
    """The strings of the resource: the leaves below ``StringFileInfo``."""
    waiting, seen = [(0, len(block), 0)], 0
    while waiting:
        at, end, depth = waiting.pop()
        while at + 6 <= end:
            seen += 1
            length, value_length, kind = struct.unpack_from("<3H", block, at)
            if length < 6 or at + length > end or seen > _MAX_BLOCKS:
                raise ParseError("its version resource is damaged")
            key, value = _key(block, at + 6, at + length)
            if depth == 3 and kind == 1:
                text = block[value : min(value + 2 * value_length, at + length)].decode("utf-16-le", "replace")
                yield key, text.partition("\0")[0].strip()
            elif (depth < 2 and key in _STRING_BLOCKS[depth : depth + 1]) or depth == 2:
                inside = value + (value_length if depth == 0 else 0)
                waiting.append((-(-inside // 4) * 4, at + length, depth + 1))
            at += -(-length // 4) * 4


def _key(block: bytes, at: int, end: int) -> tuple[str, int]:
    """A block's key, and where its value begins: at the next multiple of four."""
    stop = at
    while stop + 2 <= end and block[stop : stop + 2] != b"\0\0":
        stop += 2
    return block[at:stop].decode("utf-16-le", "replace"), -(-(stop + 2) // 4) * 4
