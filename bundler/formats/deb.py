"""Reads name, version and other facts from a Debian package.

The layout of deb(5): an ``ar`` archive of ``debian-binary``, ``control.tar`` and ``data.tar``, the latter two
compressed or not; the facts are in the file ``control`` of ``control.tar`` (deb-control(5)).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from bundler.formats import ar
from bundler.formats.compressed import compression_of, open_decompressed
from bundler.formats.deb822 import Paragraph, single
from bundler.formats.deb_version import is_version
from bundler.formats.parse_error import ParseError
from bundler.formats.tar import entries, require_start
from bundler.model.evidence import PackageFacts

VERSION_MEMBER = "debian-binary"
VERSION = b"2.0\n"
"""Its content."""
SIGNATURE_MEMBER = "_gpgorigin"
_NEXT = (b"control.tar", b"data.tar", SIGNATURE_MEMBER.encode())

_CONTROL_TAR_LIMIT = 64 << 20
_CONTROL_LIMIT = 1 << 20
_DATA_HEAD = 1 << 18
_OLD_MARKS = {"bz2": b"BZh", "lzma": b"]\0\0"}
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]*")


class DebError(ParseError):
    """The file is not a Debian package of format 2."""


@dataclass(frozen=True)
class Layout:
    """The members of a package; the first three in the order of deb(5)."""

    version: ar.Member
    control: ar.Member
    data: ar.Member
    others: tuple[ar.Member, ...]
    """All others: a signature, if any."""


def layout(file: BinaryIO) -> Layout:
    """Find the members of the package ``file``.

    Raises :class:`DebError` or :class:`~bundler.formats.ar.ArError`.
    """
    try:
        members = ar.members(file)
    except ar.ArError as error:
        if error.rest is not None and any(_begins(error.rest, name) for name in _NEXT):
            raise DebError("the file ends inside the header of a member", reason="truncated") from None
        raise
    names = [_stem(member.name) for member in members]
    if names[:1] != [VERSION_MEMBER]:
        raise DebError(f"the first member is not {VERSION_MEMBER}")
    for wanted in ("control.tar", "data.tar"):
        if names.count(wanted) != 1:
            reason = "truncated" if wanted not in names else "duplicate"
            raise DebError(f"the package has {names.count(wanted)} members {wanted} instead of one", reason=reason)
    file.seek(members[0].offset)
    if file.read(min(members[0].size, 16)) != VERSION:
        raise DebError(f"{VERSION_MEMBER} does not state format 2", reason="unsupported")
    control, data = names.index("control.tar"), names.index("data.tar")
    others = tuple(m for i, m in enumerate(members) if i not in {0, control, data})
    if control > data:
        raise DebError("data.tar comes before control.tar")
    return Layout(version=members[0], control=members[control], data=members[data], others=others)


def require_data(file: BinaryIO, place: Layout) -> None:
    """Require that ``data.tar`` begins as its name's suffix says: the suffix is not signed, and dpkg goes by it.

    The end of ``control.tar`` is not signed either: of two members that are not compressed, the zeros at the first
    one's end must not begin the second, which would be empty for dpkg.

    Raises:
        ParseError: ``malformed``, ``truncated``, ``unsupported``.
    """
    member = place.data
    file.seek(member.offset)
    compression = compression_of(member.name)
    if compression is None:  # bzip2 and lzma, which dpkg reads, and nothing here does
        mark = _OLD_MARKS.get(member.name.rpartition(".")[2])
        if mark is None or file.read(len(mark)) != mark:
            raise DebError(f"{member.name} has another compression than its name says")
        return
    head = io.BytesIO(file.read(min(member.size, _DATA_HEAD)))
    with open_decompressed(head, compression, limit=_CONTROL_TAR_LIMIT) as stream:
        require_start(stream, may_be_empty=compression_of(place.control.name) != "")


def facts(file: BinaryIO) -> PackageFacts:
    """Read the facts in a package's control file.

    Memory does not depend on the file's size. ``Installed-Size`` is in KiB (Debian Policy, 5.6.20), in bytes here.

    Raises:
        ParseError: :class:`DebError`, or that of a format within.
    """
    control = _control(file, layout(file).control)
    relations = [control.get("Pre-Depends", ""), control.get("Depends", "")]
    depends = (" ".join(part.split()) for relation in relations for part in relation.split(","))
    return PackageFacts(
        name=_matching(control, "Package", _NAME.fullmatch),
        version=_matching(control, "Version", is_version),
        architecture=_matching(control, "Architecture", _ARCHITECTURE.fullmatch),
        depends=tuple(filter(None, depends)),
        installed_size=_installed_size(control),
        # Not a field of Debian Policy (Debian has licences in files), but packagers outside of Debian write it.
        license=control.get("License", "").partition("\n")[0],
        supplier=control.get("Maintainer", "").partition("\n")[0],
    )


def _begins(rest: bytes, name: bytes) -> bool:
    """Whether the start of a member's header names it, as far as it goes."""
    return rest[: len(name)] == name[: len(rest)]


def _stem(name: str) -> str:
    for base in ("control.tar", "data.tar"):
        if name in {base, f"{base}.gz", f"{base}.xz", f"{base}.zst", f"{base}.bz2", f"{base}.lzma"}:
            return base
    return name


def _control(file: BinaryIO, member: ar.Member) -> Paragraph:
    """The only file ``control`` of control.tar; of two, dpkg would use the last."""
    compression = compression_of(member.name)
    if compression is None:
        raise DebError(f"{member.name} has an unsupported compression", reason="unsupported")
    if member.size > _CONTROL_TAR_LIMIT:
        raise DebError(f"{member.name} is larger than any real one", reason="too-big")
    file.seek(member.offset)
    packed = io.BytesIO(file.read(member.size))
    found: bytes | None = None
    stream = open_decompressed(packed, compression, limit=_CONTROL_TAR_LIMIT)
    for entry in entries(stream, max_content=_CONTROL_LIMIT):
        if entry.name != "control":
            continue
        if found is not None:
            raise DebError("control.tar holds two files control", reason="duplicate")
        if not entry.is_file:
            raise DebError("control in control.tar is not a regular file of an ordinary size")
        found = entry.content
    # To its end, as dpkg does: the compressed stream has a checksum there. The signature covers the members' bytes one
    # after the other, so that whatever follows the archive here could be the front of data.tar, moved.
    while rest := stream.read(_DATA_HEAD):
        if any(rest):
            raise DebError("control.tar continues after its end", reason="trailing-data")
    if found is None:
        raise DebError("control.tar holds no file control")
    return single(found)


def _matching(control: Paragraph, field: str, is_valid: Callable[[str], object]) -> str:
    value = control.get(field, "")
    if not is_valid(value):
        raise DebError(f"the control file's {field} is missing or malformed")
    return value


def _installed_size(control: Paragraph) -> int:
    size = control.get("Installed-Size", "0")
    if not re.fullmatch(r"[0-9]{1,12}", size):
        raise DebError("the control file's Installed-Size is not a number")
    return int(size) * 1024
