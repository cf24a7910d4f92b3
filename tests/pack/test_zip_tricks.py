"""Hand-made zips of a genuine bundle: whatever differs from our writer's form is refused, whoever unpacks it how."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.model.progress import NullProgress
from bundler.pack import manifest, writers
from tests.support import trees, unpackers, zip_parts
from tests.support.zip_parts import Member, Zip, member

TOP = trees.NAME
SCRIPT = f"{TOP}/install.sh"
EVIL = b"#!/bin/sh\necho owned\n"
Trick = Callable[[Zip], Zip]
REWRAPPED = "rewrapped"


def _both(**fields: int | bytes) -> Trick:
    """Other fields in both headers of the script."""
    return lambda made: made.both("install.sh", **fields)


def _local(**fields: int | bytes) -> Trick:
    return lambda made: made.with_member("install.sh", local=fields)


def _central(**fields: int | bytes) -> Trick:
    return lambda made: made.with_member("install.sh", central=fields)


def _end(**fields: int | bytes) -> Trick:
    return lambda made: replace(made, end=fields)


def _plus(*members: Member) -> Trick:
    return lambda made: made.plus(*members)


def _deflated(made: Zip, level: int = 6, flags: int = 0) -> Zip:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = packer.compress(made.member("install.sh").content) + packer.flush()
    return made.both("install.sh", method=8, flags=flags).with_member("install.sh", packed=packed)


def _descriptor(layout: str, *, signature: bool, said: bool) -> Trick:
    """The sizes behind the content; in the header before it, they are there, too, or not."""

    def trick(made: Zip) -> Zip:
        one = made.member("install.sh")
        size = len(one.content)
        after = (b"PK\7\x08" if signature else b"") + struct.pack(layout, zlib.crc32(one.content), size, size)
        late: dict[str, int | bytes] = {"flags": 8} if said else {"flags": 8, "crc": 0, "packed": 0, "size": 0}
        return made.with_member("install.sh", local=late, central={"flags": 8}, after=after)

    return trick


def _extra(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def _unicode_path(path: bytes) -> bytes:
    return _extra(0x7075, struct.pack("<BL", 1, zlib.crc32(SCRIPT.encode())) + path)


def _large_before(made: Zip) -> Zip:
    """Zip64 in the header before the content, where nothing is large."""
    size = len(made.member("install.sh").content)
    local: dict[str, int | bytes] = {
        "version": 45,
        "packed": 0xFFFFFFFF,
        "size": 0xFFFFFFFF,
        "extra": _extra(1, struct.pack("<2Q", size, size)),
    }
    return made.with_member("install.sh", local=local)


def _large_listed(made: Zip) -> Zip:
    size = len(made.member("install.sh").content)
    central: dict[str, int | bytes] = {
        "version": 45,
        "packed": 0xFFFFFFFF,
        "size": 0xFFFFFFFF,
        "extra": _extra(1, struct.pack("<2Q", size, size)),
    }
    return made.with_member("install.sh", central=central)


def _large_end(made: Zip, *, more: bytes = b"", count: int | None = None) -> Zip:
    raw = made.raw()
    here, _, size, offset = struct.unpack_from("<2H2L", raw, len(raw) - 14)
    stated = here if count is None else count
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44 + len(more), 45, 45, 0, 0, stated, stated, size, offset) + more
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    return replace(made, behind=record + locator)


def _hidden(made: Zip) -> Zip:
    """A whole zip of another script before the directory: who reads from the end sees ours, who streams sees both."""
    return made.plus(member(SCRIPT, EVIL, mode=0o100755, listed=False))


def _twice_listed(made: Zip) -> Zip:
    one = made.member("install.sh")
    twin = replace(one, name=f"{TOP}/twin.sh".encode(), written=False)
    at = made.members.index(one)
    return replace(made, members=(*made.members[: at + 1], twin, *made.members[at + 1 :]))


def _second_directory(made: Zip) -> Zip:
    """Another zip's directory and end behind the content, before ours."""
    other = Zip((member(SCRIPT, EVIL, mode=0o100755),)).raw()
    return replace(made, gap=other)


def _shifted(made: Zip) -> Zip:
    head = b"#!/bin/sh\necho owned; exit\n"
    return replace(made, front=head)


def _explorer(made: Zip) -> Zip:
    """As Windows makes it: its system, no modes, times of its own, deflated."""
    fields: dict[str, int | bytes] = {"system": 0, "made": 20, "external": 0x20}
    return replace(made, members=tuple(replace(one, central=fields) for one in made.members))


TRICKS: dict[str, tuple[Trick, str]] = {
    # one field, in both headers
    "version that is needed": (_both(version=10), REWRAPPED),
    "version of the maker": (_both(made=63), REWRAPPED),
    "system of the maker": (_both(system=0), REWRAPPED),
    "system of a Mac": (_both(system=19), REWRAPPED),
    "flag of UTF-8 on an ASCII name": (_both(flags=0x800), REWRAPPED),
    "flag of a deflater's effort": (_both(flags=2), REWRAPPED),
    "flag of encryption": (_both(flags=1), "encrypted"),
    "flag of strong encryption": (_both(flags=0x41), "encrypted"),
    "flag of a hidden directory": (_both(flags=0x2000), "headers-disagree"),
    "flag of patched data": (_both(flags=0x20), "headers-disagree"),
    "unused flag": (_both(flags=0x80), "headers-disagree"),
    "time": (_both(time=1), REWRAPPED),
    "date": (_both(date=0x21), REWRAPPED),
    "a date without a day": (_both(date=0), REWRAPPED),
    "deflated": (_deflated, REWRAPPED),
    "deflated at level 9": (lambda made: _deflated(made, 9, 2), REWRAPPED),
    "stored as LZMA": (_both(method=14), "unknown-method"),
    "stored as Deflate64": (_both(method=9), "unknown-method"),
    "stored by AES": (_both(method=99), "unknown-method"),
    "wrong checksum": (_both(crc=1), "damaged-archive"),
    "size beyond the content": (_both(size=400), "damaged-archive"),
    "comment of a member": (_central(comment=b"x"), REWRAPPED),
    "number of the disk": (_central(disk=1), REWRAPPED),
    "attribute of a text": (_central(internal=1), REWRAPPED),
    "attributes of DOS": (_central(external=0o100755 << 16 | 0x20), REWRAPPED),
    "attribute of a folder": (_central(external=0o100755 << 16 | 0x10), "special-file"),
    "attribute of a reparse point": (_central(external=0o100755 << 16 | 0x400), "link"),
    "no type in the mode": (_central(external=0o755 << 16), REWRAPPED),
    "another mode": (_central(external=0o100644 << 16), "mode-mismatch"),
    "mode with setuid": (_central(external=0o104755 << 16), "mode-mismatch"),
    "another mode of the sums": (lambda made: made.both("SHA256SUMS", external=0o100600 << 16), REWRAPPED),
    "symbolic link": (_central(external=0o120777 << 16), "link"),
    "pipe": (_central(external=0o010644 << 16), "special-file"),
    "as Explorer packs": (_explorer, REWRAPPED),
    # the two headers differ
    "another time before the content": (_local(time=1), REWRAPPED),
    "another version before the content": (_local(version=45), REWRAPPED),
    "another method before the content": (_local(method=8), "headers-disagree"),
    "another size before the content": (_local(size=4), "headers-disagree"),
    "another checksum before the content": (_local(crc=4), "headers-disagree"),
    "another name before the content": (_local(name=f"{TOP}/innocent".encode()), "headers-disagree"),
    "another name, as long, before the content": (_local(name=f"{TOP}/install.zz".encode()), "headers-disagree"),
    "encrypted before the content alone": (_local(flags=1), "headers-disagree"),
    "encrypted in the directory alone": (_central(flags=1), "headers-disagree"),
    # extra fields
    "a second name": (_both(extra=_unicode_path(b"evil.sh")), "headers-disagree"),
    "the same name once more": (_both(extra=_unicode_path(SCRIPT.encode())), "headers-disagree"),
    "a time of Unix": (_both(extra=_extra(0x5455, b"\1" + bytes(4))), REWRAPPED),
    "an owner of Unix": (_both(extra=_extra(0x7875, b"\1\4" + bytes(4) + b"\4" + bytes(4))), REWRAPPED),
    "a time of NTFS": (_central(extra=_extra(10, bytes(32))), REWRAPPED),
    "a link's target": (_both(extra=_extra(0x000D, bytes(12) + b"/etc/passwd")), REWRAPPED),
    "AES": (_both(extra=_extra(0x9901, b"\2\0AE\3\0\0")), REWRAPPED),
    "an unknown extra field before the content": (_local(extra=_extra(0xCAFE, b"x")), REWRAPPED),
    "an unknown extra field in the directory": (_central(extra=_extra(0xCAFE, b"x")), REWRAPPED),
    "an extra field cut short": (_local(extra=b"\xfe\xca\4\0x"), "damaged-archive"),
    "one byte of an extra field": (_local(extra=b"x"), "damaged-archive"),
    "the same extra field twice": (_local(extra=_extra(0xCAFE, b"x") * 2), "damaged-archive"),
    "Zip64 before the content, for nothing": (_large_before, REWRAPPED),
    "Zip64 in the directory, for nothing": (_large_listed, REWRAPPED),
    "an empty Zip64 field": (_both(extra=_extra(1, b"")), REWRAPPED),
    "Zip64 at the end, for nothing": (_large_end, REWRAPPED),
    "Zip64 at the end with more in it": (lambda made: _large_end(made, more=b"evil"), "foreign-data"),
    "Zip64 at the end with another number": (lambda made: _large_end(made, count=1), "headers-disagree"),
    # data descriptors
    "data descriptor": (_descriptor("<3L", signature=True, said=False), REWRAPPED),
    "data descriptor without signature": (_descriptor("<3L", signature=False, said=False), REWRAPPED),
    "data descriptor of Zip64": (_descriptor("<L2Q", signature=True, said=False), REWRAPPED),
    "data descriptor, and sizes before": (_descriptor("<3L", signature=True, said=True), REWRAPPED),
    "flag of a data descriptor without one": (_both(flags=8), REWRAPPED),
    # members
    "folder": (lambda made: made.plus(member(f"{TOP}/config/", b"", mode=0o40755)), REWRAPPED),
    "folder that no file needs": (_plus(member(f"{TOP}/z/", b"", mode=0o40755)), "extra-folder"),
    "folder with content": (_plus(member(f"{TOP}/config/", b"x", mode=0o40755)), "special-file"),
    "duplicate member": (_plus(member(SCRIPT, EVIL, mode=0o100755)), "duplicate-name"),
    "duplicate in capitals": (_plus(member(f"{TOP}/INSTALL.SH", EVIL)), "unsafe-name"),
    "duplicate by a backslash": (_plus(member(f"{TOP}\\install.sh", EVIL)), "unsafe-name"),
    "duplicate by two slashes": (_plus(member(f"{TOP}//install.sh", EVIL)), "unsafe-name"),
    "name, NUL, more": (_both(name=SCRIPT.encode() + b"\0.txt"), "unsafe-name"),
    "absolute name": (_plus(member("/tmp/evil", EVIL)), "unsafe-name"),
    "leaving name": (_plus(member(f"{TOP}/../../evil", EVIL)), "unsafe-name"),
    "second folder": (_plus(member("other/install.sh", EVIL)), "wrong-folder"),
    "name that is not UTF-8": (_both(name=TOP.encode() + b"/\xff.sh", flags=0x800), "damaged-archive"),
    "name in the code page of DOS": (_both(name=TOP.encode() + b"/\x81.sh"), "headers-disagree"),
    "another order": (lambda made: replace(made, members=made.members[::-1]), REWRAPPED),
    "another order in the directory": (lambda made: replace(made, directory_reversed=True), REWRAPPED),
    "two entries for one content": (_twice_listed, "foreign-data"),
    "member that is not listed": (_hidden, "foreign-data"),
    "listed member that is not written": (
        lambda made: made.plus(member(f"{TOP}/z", b"", written=False)),
        "foreign-data",
    ),
    # around the members
    "bytes in front": (_shifted, "unknown-container"),
    "bytes in front, with offsets to match": (lambda made: replace(made, front=b"PK\3\4", shifted=0), "foreign-data"),
    "bytes between two members": (lambda made: made.with_member("install.sh", before=b"hidden"), "foreign-data"),
    "bytes behind a content": (lambda made: made.with_member("install.sh", after=b"hidden"), "foreign-data"),
    "bytes before the directory": (lambda made: replace(made, gap=b"hidden"), "foreign-data"),
    "bytes behind the directory": (lambda made: replace(made, behind=b"hidden"), "foreign-data"),
    "a digital signature behind the directory": (lambda made: replace(made, behind=b"PK\5\5\1\0x"), "foreign-data"),
    "another zip before the directory": (_second_directory, "foreign-data"),
    "bytes behind the end": (lambda made: replace(made, tail=b"\0"), "trailing-data"),
    "a second end": (lambda made: replace(made, tail=b"PK\5\6" + bytes(18)), "foreign-data"),
    "comment": (_end(comment=b"hello"), "trailing-data"),
    "comment that is an end itself": (_end(comment=b"PK\5\6" + bytes(18)), "foreign-data"),
    "disks": (_end(disk=1, first=1), "damaged-archive"),
    "another number of members": (_end(count=2, here=2), "damaged-archive"),
    "another number on this disk": (_end(here=2), "damaged-archive"),
    "a larger directory": (_end(size=99_999), "foreign-data"),
    "a directory elsewhere": (_end(offset=4), "foreign-data"),
}


@pytest.fixture
def made(tmp_path: Path) -> Zip:
    return zip_parts.of_tree(trees.small(tmp_path))


@pytest.mark.parametrize(("trick", "reason"), TRICKS.values(), ids=TRICKS.keys())
def test_every_trick_is_refused_by_name(trick: Trick, reason: str, made: Zip, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(trick(made).raw())
    with pytest.raises(VerificationError) as refused:
        trees.digest_of(path)
    assert refused.value.reason == reason, refused.value.details


def test_these_parts_are_those_of_the_writer(made: Zip, tmp_path: Path) -> None:
    """Otherwise every trick would be refused for another reason than its own."""
    writers.write("zip", trees.small(tmp_path), tmp_path / "out", progress=NullProgress())
    assert (tmp_path / "out").read_bytes() == made.raw()
    assert trees.digest_of(tmp_path / "out") == manifest.bundle_digest(trees.small(tmp_path))


def test_many_of_the_tricks_do_unpack_otherwise(
    made: Zip, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Measured: these are attacks on unpackers that exist, not inventions."""
    unpackers.require("zip")
    wanted: dict[str, bytes | str] = {one.name.decode(): one.content for one in made.members}
    (tmp_path / "genuine").write_bytes(made.raw())
    for by in unpackers.UNPACKERS["zip"]:
        assert unpackers.unpacked(by, tmp_path / "genuine", tmp_path / f"genuine-{by.name}") == wanted, by.name
    otherwise: dict[str, list[str]] = {}
    for number, (name, (trick, _)) in enumerate(TRICKS.items()):
        archive = tmp_path / f"{number}.zip"
        archive.write_bytes(trick(made).raw())
        for by in unpackers.UNPACKERS["zip"]:
            found = unpackers.unpacked(by, archive, tmp_path / f"{number}-{by.name}")
            if found is not None and found != wanted:
                otherwise.setdefault(name, []).append(by.name)
    record_property("tricks", len(TRICKS))
    record_property("unpacked otherwise", len(otherwise))
    record_property("by whom", otherwise)
    assert len(TRICKS) >= 40
    assert len(otherwise) >= 15
