"""Reads the files of a 7z, and refuses one that our writer does not make of the same files.

1. The header at the end is read, and must be, byte for byte, what :mod:`bundler.pack.sevenzip_form` makes of what it
   says. Only the packed bytes may differ, because encoders do.
2. The packed blocks must fill the file up to that header. Each is unpacked as a stream, and must end with its files.

Format: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from bundler.errors import UsageError, VerificationError
from bundler.formats import sevenzip
from bundler.formats.sevenzip import START
from bundler.formats.sevenzip_source import Property, SevenZipError
from bundler.pack import sevenzip_form, sevenzip_listing
from bundler.pack.form import unreadable
from bundler.pack.members import Password, RawMember, cut_short, damaged, refused
from bundler.pack.sevenzip_form import Block
from bundler.pack.sevenzip_streams import Unpacked, unpacked

_ENCRYPTED_START = bytes([Property.HEADER, Property.STREAMS, Property.PACK, 0])
"""The first bytes of our header: those of a wrong password differ."""


def walk(file: BinaryIO, size: int, password: Password | None) -> Generator[RawMember, None, None]:
    """Give the members of the 7z ``file`` of ``size`` bytes in the order in which they are packed.

    Raises:
        VerificationError: the archive is refused; with the reason ``wrong-password`` where that may be why.
        UsageError: the archive is encrypted, but no password was given.
    """
    with _one_error():
        start, end = _end(file, size)
        if end[:1] == bytes([Property.HEADER]):
            blocks, secret, filled = _blocks(end, START.size + start.offset, size), None, start.offset
        else:
            blocks, secret, filled = _encrypted(file, end, start.offset, size, password)
        if sum(block.packed for block in blocks) != filled:
            raise unreadable("the 7z has other data between its files and its header")
        position = START.size
        for block in blocks:
            yield from _members(block, unpacked(file, position, block, secret))
            position += block.packed


def _members(block: Block, chunks: Iterator[bytes]) -> Iterator[RawMember]:
    source = Unpacked(chunks)
    for file in block.files:
        yield RawMember(file.path, file.size, file.mode, partial(source.file, file.size, file.crc), time=file.time)
    source.require_end()


def _bomb(why: str) -> VerificationError:
    return refused("the 7z lists more than any bundle has", "bomb", [why])


_ERRORS: dict[str, Callable[[str], VerificationError]] = {"foreign": unreadable, "too-big": _bomb}


@contextmanager
def _one_error() -> Iterator[None]:
    """Turn an error of a parser into one for a damaged or foreign archive."""
    try:
        yield
    except SevenZipError as error:
        raise _ERRORS.get(error.reason, damaged)(str(error)) from error


def _end(file: BinaryIO, size: int) -> tuple[sevenzip.StartHeader, bytes]:
    """The header at the start, and the bytes of the one at the end."""
    if size < START.size:
        raise cut_short(f"it has {size} bytes, fewer than any 7z")
    file.seek(0)
    start = sevenzip.read_start(file.read(START.size))
    end = START.size + start.offset + start.size
    if end > size:
        raise cut_short(f"{size} of its {end} bytes are here")
    if end < size:
        raise refused("something follows the end of the 7z", "trailing-data")
    if start.size > sevenzip.MAX_HEADER:
        raise _bomb("its header is too large")
    file.seek(START.size + start.offset)
    header = file.read(start.size)
    if len(header) != start.size or zlib.crc32(header) != start.crc:
        raise damaged("its header is damaged")
    if start.version != sevenzip.VERSION:
        raise unreadable("the 7z is of another version of the format")
    return start, header


def _blocks(header: bytes, at: int, size: int) -> tuple[Block, ...]:
    """The blocks that ``header`` describes, in the form of our writer."""
    found = sevenzip.read_header(header)
    sevenzip_listing.require_harmless(found, size)
    blocks = sevenzip_form.understood(found)
    if not found.files or sevenzip_form.end_header(blocks, at) != header:
        raise sevenzip_listing.foreign(found, "the header of the 7z is not as arc-bundler writes it")
    held = [(block.compressed, [file.path.partition("/")[2] for file in block.files]) for block in blocks]
    if held != sevenzip_form.blocks(path for _, paths in held for path in paths):
        raise sevenzip_listing.foreign(
            found, "the files of the 7z are not in the order in which arc-bundler packs them"
        )
    return blocks


def _encrypted(
    file: BinaryIO, end: bytes, offset: int, size: int, password: Password | None
) -> tuple[tuple[Block, ...], bytes, int]:
    """The blocks of an archive with a packed header, the key, and where the blocks end."""
    streams = sevenzip.read_packed_header(end)
    held = sevenzip_form.understood_packed(streams)
    if held is None:
        sevenzip_listing.refuse(file, streams, size)
    if sevenzip_form.encrypted_header(streams.position, held) != end:
        raise unreadable("the encrypted header of the 7z is not as arc-bundler writes it")
    if streams.position + held.packed != offset:
        raise unreadable("the 7z has other data around its encrypted header")
    if held.inner > sevenzip.MAX_HEADER:
        raise _bomb("its header is too large")
    secret = _key(password)
    try:
        header = b"".join(unpacked(file, START.size + streams.position, held, secret))
    except VerificationError as error:
        raise _wrong_password() from error
    if not header.startswith(_ENCRYPTED_START):
        raise _wrong_password()
    return _blocks(header, 0, size), secret, streams.position


def _key(password: Password | None) -> bytes:
    from bundler.pack import sevenzip_cipher

    if password is None:
        raise UsageError(
            "the archive is encrypted, but no password was given",
            do="give it with --password-file FILE, in ARC_BUNDLER_PASSWORD, or at the prompt",
        )
    return sevenzip_cipher.key(password())


def _wrong_password() -> VerificationError:
    return VerificationError(
        "the password is wrong, or the archive is damaged",
        reason="wrong-password",
        do="try the password again; if it is right, copy the archive again and compare its SHA-256",
    )
