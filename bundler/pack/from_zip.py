"""Reads the files of a zip, and refuses what two readers might read differently.

A zip states everything twice, in the central directory and before each member. Unpackers differ in which of the two
they use, and in what they accept before, between and after the members. Here both must agree, and there must be nothing
else.
Format: PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.9 (data descriptor), 4.3.12, 4.3.14 to 4.3.16.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from bundler.errors import VerificationError
from bundler.pack.content import CHUNK
from bundler.pack.members import MAX_MEMBERS, RawMember, cut_short, damaged, refused, require_bounded

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<HH")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
_DEFLATE_EFFORT = 0x6
_ZIP64 = 0x0001
_OTHER_NAMES = frozenset([0x7075, 0x6375])
_DESCRIPTOR_SIZES = frozenset([12, 16, 20, 24])
_MAX_DIRECTORY = 16 << 20
_UNIX, _MACOS = 3, 19
_DOS_FOLDER, _REPARSE_POINT = 0x10, 0x400


@dataclass(frozen=True)
class _Directory:
    """Where the central directory is, and how many members it lists."""

    offset: int
    size: int
    members: int


def walk(file: BinaryIO, size: int) -> Generator[RawMember, None, None]:
    """Give the members of the zip ``file`` of ``size`` bytes in their order. Raises VerificationError."""
    with opened(file, size) as entries:
        for _, member in entries:
            yield member


@contextmanager
def opened(file: BinaryIO, size: int) -> Iterator[list[tuple[ZipInfo, RawMember]]]:
    """Give the entries and members of the zip ``file`` of ``size`` bytes, which can be read while the block lasts.

    Raises VerificationError for all that two readers might read differently.
    """
    with _one_error():
        directory = _directory(file, size)
        with ZipFile(file) as archive:
            yield [(info, _found(archive, info)) for info in _members(file, size, archive, directory)]


def _members(file: BinaryIO, size: int, archive: ZipFile, directory: _Directory) -> list[ZipInfo]:
    """The entries of the directory in the order of the members."""
    members = sorted(archive.infolist(), key=lambda info: info.header_offset)
    if len(members) != directory.members:
        raise damaged("the directory lists another number of members")
    require_bounded((info.file_size for info in members), size)
    _require_contiguous(file, members, directory.offset)
    return members


@contextmanager
def _one_error() -> Iterator[None]:
    """Turn every error of zipfile into one for a damaged file."""
    try:
        yield
    except VerificationError:
        raise
    except (BadZipFile, NotImplementedError, RuntimeError, ValueError, struct.error, EOFError, zlib.error) as error:
        raise damaged(error) from error


def _directory(file: BinaryIO, size: int) -> _Directory:
    end = size - _END.size
    if end < 0:
        raise cut_short(f"it has {size} bytes, fewer than any zip")
    signature, disk, first, here, members, length, offset, comment = _END.unpack(_at(file, end, _END.size))
    if signature != _END_MARK or comment:
        raise _other_end(file)
    if disk or first or here != members:
        raise refused("the zip is one part of several", "damaged-archive")
    directory = _Directory(offset, length, members)
    # As in zipfile, the Zip64 record counts wherever there is one; the other must not contradict it.
    locator_at = end - _END64_LOCATOR.size
    if locator_at >= 0 and _at(file, locator_at, 4) == b"PK\x06\x07":
        end, directory = _directory64(file, locator_at, directory)
    if directory.offset + directory.size != end:
        raise _displaced(file, size)
    if directory.size > _MAX_DIRECTORY or directory.members > MAX_MEMBERS:
        raise refused("the zip lists more than any bundle has", "bomb")
    return directory


def _other_end(file: BinaryIO) -> VerificationError:
    """The error for a zip that does not end with its end record: something follows that, or it is cut off.

    A file in the zip can hold end records too, of a zip within it: only the outer one's own counts.
    """
    file.seek(0)
    window, start = b"", 0
    while chunk := file.read(CHUNK):
        window += chunk
        at = window.find(_END_MARK)
        while 0 <= at <= len(window) - _END.size:
            if _is_own_end(file, start + at, window[at : at + _END.size]):
                return refused("something follows the end of the zip", "trailing-data")
            at = window.find(_END_MARK, at + 1)
        start, window = start + max(len(window) - _END.size + 1, 0), window[1 - _END.size :]
        file.seek(start + len(window))
    return cut_short("its list of files is missing, which is at the end of a zip")


def _displaced(file: BinaryIO, size: int) -> VerificationError:
    """The error for a zip of ``size`` bytes with an end record that is not where its own numbers put it.

    A cut can be just behind a zip within the zip: then the last record is that one's, and a member is not complete.
    """
    at = 0
    for _ in range(MAX_MEMBERS):
        header = _at(file, at, min(_LOCAL.size, size - at))
        if len(header) != _LOCAL.size or not header.startswith(b"PK\x03\x04"):
            break
        *_, packed, _, name_length, extra_length = _LOCAL.unpack(header)
        at += _LOCAL.size + name_length + extra_length + packed
        if at >= size:
            return cut_short("its list of files is missing, which is at the end of a zip")
    return refused("the zip has foreign data before or inside it", "foreign-data")


def _is_own_end(file: BinaryIO, at: int, record: bytes) -> bool:
    """Whether ``record``, at ``at``, ends the directory that it describes, counted from the start of the file.

    A zip within the zip counts from its own start.
    """
    length, offset = _END.unpack(record)[5:7]
    if _FULL32 in (offset, length):
        located = at - _END64_LOCATOR.size
        if located < 0:
            return False
        mark, _, at, _ = _END64_LOCATOR.unpack(_at(file, located, _END64_LOCATOR.size))
        if mark != b"PK\x06\x07" or at + _END64.size != located:
            return False
        length, offset = _END64.unpack(_at(file, at, _END64.size))[8:10]
    return bool(offset + length == at)


def _directory64(file: BinaryIO, locator_at: int, small: _Directory) -> tuple[int, _Directory]:
    """The offset of the Zip64 end record, and the directory that it describes."""
    _, _, at, _ = _END64_LOCATOR.unpack(_at(file, locator_at, _END64_LOCATOR.size))
    signature, length, _, _, disk, first, here, members, size, offset = _END64.unpack(
        _at(file, min(at, locator_at), _END64.size)
    )
    if signature != b"PK\x06\x06" or at + _END64.size != locator_at or length != _END64.size - 12:
        raise _displaced(file, locator_at + _END64_LOCATOR.size + _END.size)
    pairs = ((small.offset, offset, _FULL32), (small.size, size, _FULL32), (small.members, members, _FULL16))
    if disk or first or here != members or any(stated not in (full, meant) for stated, meant, full in pairs):
        raise refused("the two end records of the zip differ", "headers-disagree")
    return at, _Directory(offset, size, members)


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    if offset < 0:
        raise damaged("it is too short")
    file.seek(offset)
    read = file.read(length)
    if len(read) != length:
        raise damaged("it is too short")
    return read


def _require_contiguous(file: BinaryIO, members: list[ZipInfo], end: int) -> None:
    """Check that every byte before the directory belongs to exactly one member, and that its two headers agree."""
    starts = [info.header_offset for info in members]
    position = 0
    for info, following in zip(members, [*starts, end][1:], strict=True):
        if info.header_offset != position:
            raise refused("members of the zip overlap, or foreign data is between them", "foreign-data")
        data = position + _local_header(file, info)
        gap = following - data - info.compress_size
        if gap and not (info.flag_bits & _DESCRIPTOR and _describes(file, info, data + info.compress_size, gap)):
            raise refused("members of the zip overlap, or foreign data is between them", "foreign-data")
        position = following
    if position != end:
        raise refused("foreign data is before the zip's directory", "foreign-data")


def _local_header(file: BinaryIO, info: ZipInfo) -> int:
    """Compare the local header with the directory's entry; returns its length."""
    header = _at(file, info.header_offset, _LOCAL.size)
    signature, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack(header)
    rest = _at(file, info.header_offset + _LOCAL.size, name_length + extra_length)
    extra = _extras(rest[name_length:])
    if packed == _FULL32 and unpacked == _FULL32 and len(extra.get(_ZIP64, b"")) == 16:
        unpacked, packed = struct.unpack("<QQ", extra[_ZIP64])
    pairs = ((crc, info.CRC), (packed, info.compress_size), (unpacked, info.file_size))
    # With a data descriptor the writer may not know these yet: libarchive knows the sizes, others nothing.
    late = flags & _DESCRIPTOR
    agreed = all(stated == wanted or (late and stated == 0) for stated, wanted in pairs)
    same_name = rest[:name_length] == info.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437")
    same_form = (flags, method) == (info.flag_bits, info.compress_type)
    if signature != b"PK\x03\x04" or not (same_name and same_form and agreed):
        raise refused(
            f"the zip describes {info.orig_filename!a} twice, and differently",
            "headers-disagree",
            ["the header before the member differs from the directory at the end"],
        )
    return _LOCAL.size + len(rest)


def _describes(file: BinaryIO, info: ZipInfo, offset: int, gap: int) -> bool:
    """Whether the bytes after a member are its data descriptor."""
    if gap not in _DESCRIPTOR_SIZES:
        return False
    wide = gap >= 20
    fields = struct.pack("<LQQ" if wide else "<LLL", info.CRC, info.compress_size, info.file_size)
    return _at(file, offset, gap) in (fields, b"PK\x07\x08" + fields)


def _extras(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(extra):
        kind, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        if kind in fields or position + length > len(extra):
            raise damaged("an extra field is malformed")
        if kind in _OTHER_NAMES:
            raise refused("the zip gives a member two names", "headers-disagree")
        fields[kind] = extra[position : position + length]
        position += length
    return fields


def _found(archive: ZipFile, info: ZipInfo) -> RawMember:
    """Describe a member; refuse what unpackers read differently, and what is neither a file nor a folder."""
    name, folder = info.orig_filename, info.orig_filename.endswith("/")
    if info.flag_bits & _ENCRYPTED:
        raise refused("the zip is encrypted; only a 7z bundle can be", "encrypted")
    if info.flag_bits & ~(_DESCRIPTOR | _UTF8 | _DEFLATE_EFFORT) or not (name.isascii() or info.flag_bits & _UTF8):
        raise refused(f"{name!a} is stored in a form that unpackers read differently", "headers-disagree")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise refused(f"{name!a} is compressed with a method that stock Windows cannot read", "unknown-method")
    if info.compress_type == ZIP_STORED and info.compress_size != info.file_size:
        raise damaged(f"{name!a} is stored, but has two sizes")
    _extras(info.extra)
    _require_kind(info, folder=folder)
    mode = stat.S_IMODE(info.external_attr >> 16) if info.create_system in (_UNIX, _MACOS) else None
    path = name[:-1] if folder else name
    return RawMember(path, info.file_size, mode, partial(_chunks, archive, info), folder=folder)


def _require_kind(info: ZipInfo, *, folder: bool) -> None:
    wanted = stat.S_IFDIR if folder else stat.S_IFREG
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system in (_UNIX, _MACOS) else 0
    if kind == stat.S_IFLNK or info.external_attr & _REPARSE_POINT:
        raise refused(f"{info.orig_filename!a} is a link", "link")
    if kind not in (0, wanted) or bool(info.external_attr & _DOS_FOLDER) > folder or (folder and info.file_size):
        raise refused(f"{info.orig_filename!a} is neither a file nor a folder", "special-file")


def _chunks(archive: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    with _one_error(), archive.open(info) as member:
        while chunk := member.read(CHUNK):
            yield chunk
