"""Builds signed rpm packages.

Format 4: lead, signature header, header, and a gzip-compressed cpio archive. Source: rpm's documentation,
``docs/manual/format_v4.md``, ``format_header.md`` and ``tags.md``; the tags' numbers are from there.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bundler.lab.openpgp import SigningKey
from bundler.lab.package import Package, sha256

_INT16, _INT32, _STRING, _BIN, _STRING_ARRAY, _I18N = 3, 4, 6, 7, 8, 9
_ALIGNMENT = {_INT16: 2, _INT32: 4}
_HEADER_MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
_ARCHITECTURE_NUMBERS = {"x86_64": 1, "aarch64": 19}
_LESS_OR_EQUAL, _EQUAL, _RPMLIB = 0x0A, 0x08, 0x01000000
_SCRIPT_TAGS = {"after-install": (1024, 1086), "before-remove": (1025, 1087), "after-remove": (1026, 1088)}

Field = tuple[int, bytes | str | Sequence[int] | Sequence[str]]
Fields = Mapping[int, Field]
"""By tag: the type and what it holds."""


@dataclass(frozen=True)
class BuiltRpm:
    """An rpm and the position of its header, for a repository's metadata."""

    package: Package
    content: bytes
    header_start: int
    """Offset of the header's first byte."""
    header_end: int
    """Offset after its last byte."""
    payload_size: int
    """Bytes of the payload before compression."""


def build(package: Package, key: SigningKey | None) -> BuiltRpm:
    """Make the rpm, its header signed by ``key`` at the time it was built; without a key it has digests alone."""
    archive = _cpio(package)
    payload = gzip.compress(archive, compresslevel=6, mtime=0)
    header = _header(_header_fields(package, archive, payload), 63)
    signature = _header(_signature_fields(package, header, payload, len(archive), key), 62)
    signature += bytes(-len(signature) % 8)
    front = _lead(package) + signature
    return BuiltRpm(package, front + header + payload, len(front), len(front) + len(header), len(archive))


def file_name(package: Package) -> str:
    """Name in a repository: ``azcmagent-1.67.03504-1320.x86_64.rpm``."""
    return f"{package.name}-{package.version}-{package.release}.{package.architecture}.rpm"


def _lead(package: Package) -> bytes:
    name = f"{package.name}-{package.version}-{package.release}".encode()[:65]
    number = _ARCHITECTURE_NUMBERS[package.architecture]
    return struct.pack(">4sBBHH66sHH16s", b"\xed\xab\xee\xdb", 3, 0, 0, number, name, 1, 5, b"")


def _signature_fields(
    package: Package, header: bytes, payload: bytes, archive_size: int, key: SigningKey | None
) -> Fields:
    """Signature and digests of the header (268, 269, 273) and, for old readers, of the whole (1000, 1004, 1007)."""
    fields: dict[int, Field] = {
        269: (_STRING, hashlib.sha1(header, usedforsecurity=False).hexdigest()),
        273: (_STRING, sha256(header)),
        1000: (_INT32, [len(header) + len(payload)]),
        1004: (_BIN, hashlib.md5(header + payload, usedforsecurity=False).digest()),
        1007: (_INT32, [archive_size]),
    }
    if key:
        fields[268] = (_BIN, key.detached(header, package.built))
    return fields


def _header_fields(package: Package, archive: bytes, payload: bytes) -> Fields:
    built = int(package.built.timestamp())
    fields: dict[int, Field] = {
        100: (_STRING_ARRAY, ["C"]),
        1000: (_STRING, package.name),
        1001: (_STRING, package.version),
        1002: (_STRING, package.release),
        1004: (_I18N, [package.summary]),
        1005: (_I18N, [package.description]),
        1006: (_INT32, [built]),
        1007: (_STRING, "lab.localhost"),
        1009: (_INT32, [package.installed_size]),
        1011: (_STRING, "LAB - not Microsoft"),
        1014: (_STRING, "LAB material"),
        1015: (_STRING, "LAB (not Microsoft)"),
        1016: (_I18N, ["Unspecified"]),
        1021: (_STRING, "linux"),
        1022: (_STRING, package.architecture),
        1044: (_STRING, f"{package.name}-{package.version}-{package.release}.src.rpm"),
        1064: (_STRING, "4.14.0"),
        1124: (_STRING, "cpio"),
        1125: (_STRING, "gzip"),
        1126: (_STRING, "6"),
        1132: (_STRING, f"{package.architecture}-lab-linux"),
        5062: (_STRING, "utf-8"),
        5092: (_STRING_ARRAY, [sha256(payload)]),
        5093: (_INT32, [8]),
        5097: (_STRING_ARRAY, [sha256(archive)]),
    }
    return {**fields, **_file_fields(package, built), **_relation_fields(package), **_script_fields(package)}


@dataclass(frozen=True)
class _Entry:
    """A file, or an owned directory, as header and payload list it."""

    path: str
    mode: int
    """With the type's bits (inode(7))."""
    content: bytes = b""
    is_folder: bool = False


def _entries(package: Package) -> list[_Entry]:
    """What the package holds, in the order of the paths."""
    files = [_Entry(file.path, 0o100000 | file.mode, file.content) for file in package.files]
    folders = [_Entry(path, 0o040755, is_folder=True) for path in package.owned]
    return sorted([*files, *folders], key=lambda entry: entry.path)


def _file_fields(package: Package, built: int) -> Fields:
    """Describe the files, one element each, in the payload's order."""
    entries = _entries(package)
    count = len(entries)
    folders = sorted({entry.path.rpartition("/")[0] + "/" for entry in entries})
    return {
        1028: (_INT32, [len(entry.content) for entry in entries]),
        1030: (_INT16, [entry.mode for entry in entries]),
        1033: (_INT16, [0] * count),
        1034: (_INT32, [built] * count),
        1035: (_STRING_ARRAY, ["" if entry.is_folder else sha256(entry.content) for entry in entries]),
        1036: (_STRING_ARRAY, [""] * count),
        1037: (_INT32, [0] * count),
        1039: (_STRING_ARRAY, ["root"] * count),
        1040: (_STRING_ARRAY, ["root"] * count),
        1045: (_INT32, [-1] * count),
        1095: (_INT32, [1] * count),
        1096: (_INT32, list(range(1, count + 1))),
        1097: (_STRING_ARRAY, [""] * count),
        1116: (_INT32, [folders.index(entry.path.rpartition("/")[0] + "/") for entry in entries]),
        1117: (_STRING_ARRAY, [entry.path.rpartition("/")[2] for entry in entries]),
        1118: (_STRING_ARRAY, folders),
        5011: (_INT32, [8]),
    }


REQUIRES = (
    ("rpmlib(CompressedFileNames)", "3.0.4-1"),
    ("rpmlib(FileDigests)", "4.6.0-1"),
    ("rpmlib(PayloadFilesHavePrefix)", "4.0-1"),
)
"""Requirements on rpm itself. Without ``/bin/sh``: a lab's root file system may lack an rpm that provides it."""


def _relation_fields(package: Package) -> Fields:
    provides = [package.name, f"{package.name}({package.architecture.replace('_', '-')})"]
    own = f"{package.version}-{package.release}"
    return {
        1047: (_STRING_ARRAY, provides),
        1112: (_INT32, [_EQUAL] * len(provides)),
        1113: (_STRING_ARRAY, [own] * len(provides)),
        1048: (_INT32, [_RPMLIB | _LESS_OR_EQUAL] * len(REQUIRES)),
        1049: (_STRING_ARRAY, [name for name, _ in REQUIRES]),
        1050: (_STRING_ARRAY, [least for _, least in REQUIRES]),
    }


def _script_fields(package: Package) -> Fields:
    fields: dict[int, Field] = {}
    for moment, script in package.scripts.items():
        body, program = _SCRIPT_TAGS[moment]
        fields[body] = (_STRING, script.partition("\n")[2])
        fields[program] = (_STRING, "/bin/sh")
    return fields


def _header(fields: Fields, region: Literal[62, 63]) -> bytes:
    """Pack a header: magic, counts, index sorted by tag, data; all of it inside one immutable region.

    ``region`` is 62 (HEADERSIGNATURES) for the signature header, 63 (HEADERIMMUTABLE) for the header.

    The region's own entry comes first in the index; its data is a trailer at the end of the data that points back
    over the whole index.
    """
    index, data = b"", b""
    for tag in sorted(fields):
        kind, held = fields[tag]
        packed, count = _packed(kind, held)
        data += bytes(-len(data) % _ALIGNMENT.get(kind, 1))
        index += struct.pack(">IIiI", tag, kind, len(data), count)
        data += packed
    entries = len(fields) + 1
    first = struct.pack(">IIiI", region, _BIN, len(data), 16)
    data += struct.pack(">IIiI", region, _BIN, -16 * entries, 16)
    return _HEADER_MAGIC + struct.pack(">II", entries, len(data)) + first + index + data


def _packed(kind: int, held: bytes | str | Sequence[int] | Sequence[str]) -> tuple[bytes, int]:
    """Pack one field's data, and say how many elements it has."""
    if isinstance(held, bytes):
        return held, len(held)
    if isinstance(held, str):
        return held.encode() + b"\0", 1
    if kind in _ALIGNMENT:
        size = _ALIGNMENT[kind]
        mask = (1 << 8 * size) - 1
        return b"".join((int(number) & mask).to_bytes(size, "big") for number in held), len(held)
    return b"".join(str(text).encode() + b"\0" for text in held), len(held)


def _cpio(package: Package) -> bytes:
    """Pack the payload in the "new ASCII" format of cpio(5), every path with a leading ``.``."""
    built = int(package.built.timestamp())
    packed = b""
    for inode, entry in enumerate(_entries(package), start=1):
        status = (inode, entry.mode, 2 if entry.is_folder else 1, built)
        packed += _cpio_member(f".{entry.path}", entry.content, status)
    return packed + _cpio_member("TRAILER!!!", b"", (0, 0, 1, 0))


def _cpio_member(name: str, content: bytes, status: tuple[int, int, int, int]) -> bytes:
    inode, mode, links, time = status
    stored = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, links, time, len(content), 0, 1, 0, 0, len(stored), 0)
    head = b"070701" + b"".join(b"%08x" % number for number in numbers) + stored
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
