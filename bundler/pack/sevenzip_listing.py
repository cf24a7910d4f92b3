"""Says what is wrong with the files that a 7z lists, before anything is unpacked.

An archive in a foreign form is refused anyway; but a link, a name that leaves the folder or a bomb is the better
reason, because the advice for a foreign form is to unpack it.
"""

from __future__ import annotations

import lzma
import stat
import struct
from typing import Any, BinaryIO, NoReturn

from bundler.errors import VerificationError
from bundler.formats import sevenzip
from bundler.formats.sevenzip import START, Coder, File, Header, Streams
from bundler.integrity import sums
from bundler.integrity.names import name_faults
from bundler.pack.form import unreadable
from bundler.pack.members import damaged, refused, require_bounded
from bundler.pack.sevenzip_form import LZMA2

_LZMA1 = b"\x03\x01\x01"
_FOLDER, _REPARSE_POINT, _UNIX_EXTENSION = 0x10, 0x400, 0x8000


def require_harmless(header: Header, size: int) -> None:
    """Raise :class:`VerificationError` for bombs, links, devices and unsafe names in a file of ``size`` bytes."""
    without = len(header.files) - len(header.streams.sizes)
    require_bounded((*header.streams.sizes, *(0 for _ in range(without))), size)
    for file in header.files:
        _require_kind(file)
    # Other packers list folders, too: each by itself, since its files stand in it.
    folders = [file.name for file in header.files if (file.attributes or 0) & _FOLDER]
    alone = [fault for folder in folders for fault in name_faults([folder])]
    faults = (*alone, *name_faults(file.name for file in header.files if not (file.attributes or 0) & _FOLDER))
    if faults:
        raise refused("the 7z contains names that no bundle has", "unsafe-name", faults[:20])
    _require_one_folder(header)


def foreign(header: Header, why: str) -> VerificationError:
    """The error for an archive that our writer did not make, and which lists nothing worse."""
    if any(file.name.partition("/")[2] == sums.MANIFEST for file in header.files):
        return unreadable(why)
    return refused(f"this 7z is not a bundle: {sums.MANIFEST} is missing", "missing-manifest")


def refuse(file: BinaryIO, streams: Streams, size: int) -> NoReturn:
    """Refuse an archive with a packed header, which our writer does not make, for the best reason that can be found."""
    why = "the header of the 7z is packed, and arc-bundler does not pack it"
    document = _unpacked(file, streams)
    if document is None:
        raise unreadable(why)
    header = sevenzip.read_header(document)
    require_harmless(header, size)
    raise foreign(header, why)


def _require_kind(file: File) -> None:
    attributes = file.attributes or 0
    kind = stat.S_IFMT(attributes >> 16) if attributes & _UNIX_EXTENSION else 0
    if kind == stat.S_IFLNK or attributes & _REPARSE_POINT:
        raise refused(f"{file.name!a} is a link", "link")
    if kind not in (0, stat.S_IFDIR if attributes & _FOLDER else stat.S_IFREG):
        raise refused(f"{file.name!a} is neither a file nor a folder", "special-file")


def _require_one_folder(header: Header) -> None:
    tops = sorted({file.name.partition("/")[0] for file in header.files})
    if len(tops) > 1:
        raise refused(f"the 7z unpacks to two folders, {tops[0]!a} and {tops[1]!a}", "wrong-folder")
    for file in header.files:
        if "/" not in file.name and not (file.attributes or 0) & _FOLDER:
            raise refused(f"{file.name!a} is outside the bundle's folder", "wrong-folder")


def _unpacked(file: BinaryIO, streams: Streams) -> bytes | None:
    """The header that ``streams`` says how to unpack; None where it is large, or packed by another method."""
    if len(streams.folders) != 1 or len(streams.packed) != 1 or len(streams.folders[0].coders) != 1:
        return None
    chosen = _filter(streams.folders[0].coders[0])
    packed, wanted = streams.packed[0], streams.folders[0].size
    if chosen is None or max(packed, wanted) > sevenzip.MAX_HEADER:
        return None
    file.seek(START.size + min(streams.position, sevenzip.MAX_POSITION))
    try:
        found = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chosen]).decompress(file.read(packed), wanted)
    except (lzma.LZMAError, ValueError) as error:
        raise damaged(error) from error
    if len(found) != wanted:
        raise damaged("its packed header is incomplete")
    return found


def _filter(coder: Coder) -> dict[str, Any] | None:
    """What liblzma needs for ``coder``; it takes as much memory as the dictionary, so no more than a header needs."""
    properties = coder.properties or b""
    if coder.method == LZMA2 and len(properties) == 1 and properties[0] <= 40:
        dictionary = (2 | properties[0] & 1) << properties[0] // 2 + 11
        return {"id": lzma.FILTER_LZMA2, "dict_size": min(dictionary, sevenzip.MAX_HEADER)}
    if coder.method == _LZMA1 and len(properties) == 5:
        first, dictionary = struct.unpack("<BL", properties)
        rest, lc = divmod(first, 9)
        pb, lp = divmod(rest, 5)
        dictionary = min(max(dictionary, 1 << 12), sevenzip.MAX_HEADER)
        return {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}
    return None
