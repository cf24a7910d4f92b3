"""Hand-made tar.gz of a genuine bundle: whatever differs from our writer's form is refused, whoever unpacks it how.

Each trick is refused by name. How five unpackers read it is measured beside: a trick that none of them reads otherwise
is refused as well, because another unpacker, or another version, may.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.model.progress import NullProgress
from bundler.pack import manifest, writers
from tests.support import tar_parts, trees, unpackers
from tests.support.tar_parts import Tar, block, filled, gzip, pax, record

TOP = trees.NAME
SCRIPT = f"{TOP}/install.sh"
EVIL = b"#!/bin/sh\necho owned\n"
Trick = Callable[[Tar], bytes]


def _evil(name: str = SCRIPT, content: bytes = EVIL, **fields: bytes) -> bytes:
    return block(name, len(content), bits=0o755, **fields) + filled(content)


def _head(**fields: bytes) -> Trick:
    """Other fields in the header of the script."""
    return lambda tar: gzip(tar.with_head("install.sh", **fields).raw())


def _before(raw: bytes) -> Trick:
    return lambda tar: gzip(tar.before("install.sh", raw).raw())


def _after(raw: bytes) -> Trick:
    return lambda tar: gzip(tar.after("install.sh", raw).raw())


def _end(end: bytes) -> Trick:
    return lambda tar: gzip(tar.raw(end))


def _header(at: int, value: int, more: bytes = b"") -> Trick:
    """Another byte in the gzip header, and what a flag announces."""

    def trick(tar: Tar) -> bytes:
        header = bytearray(tar_parts.GZIP_HEADER)
        header[at] = value
        return gzip(tar.raw(), header=bytes(header) + more)

    return trick


def _number(tar: Tar, form: bytes) -> bytes:
    """The size of the script in another writing; ``form`` is a format of it."""
    return gzip(tar.with_head("install.sh", size=form % len(tar.part("install.sh").content)).raw())


def _base256(tar: Tar) -> bytes:
    size = len(tar.part("install.sh").content)
    return gzip(tar.with_head("install.sh", size=b"\x80" + size.to_bytes(11, "big")).raw())


def _gnu_base64(tar: Tar) -> bytes:
    """As in the case unpacks-differently-gnu: +20 is 16 for Python, and 3508 for GNU tar, which sees what is hidden."""
    hidden = _evil()
    cover = block("PaxHeaders/2", 3584, type=b"x")
    inner = filled(record("comment", "A" * (5 * 512 - 16)))[: 5 * 512] + hidden
    first = filled(b"16 comment=AAAA\n")
    return gzip(tar.after("install.sh", block("PaxHeaders/1", type=b"x", size=b"+20") + first + cover + inner).raw())


def _signed_checksum(tar: Tar) -> bytes:
    raw = block(SCRIPT, len(tar.part("install.sh").content), bits=0o755, at=tar.time, uname=b"\xff")
    stated = b"%06o\0 " % tar_parts.checksum(raw, signed=True)
    return gzip(tar.with_head("install.sh", uname=b"\xff", checksum=stated).raw())


def _checksum(form: bytes) -> Trick:
    def trick(tar: Tar) -> bytes:
        stated = form % tar_parts.checksum(tar.part("install.sh").head)
        return gzip(tar.with_head("install.sh", checksum=stated).raw())

    return trick


def _prefix(tar: Tar) -> bytes:
    return gzip(tar.with_head("install.sh", name=b"install.sh", prefix=TOP.encode()).raw())


def _gnu_prefix(tar: Tar) -> bytes:
    """With GNU's magic the prefix is no prefix for some, and one for others."""
    return gzip(tar.with_head("install.sh", magic=b"ustar ", version=b" \0", prefix=b"elsewhere").raw())


def _hole(tar: Tar) -> bytes:
    """The pax size says nothing, the header says that the evil member is content."""
    hidden = _evil()
    return gzip(tar.after("install.sh", pax(record("size", "0")) + block(f"{TOP}/x", len(hidden)) + hidden).raw())


def _cover(tar: Tar) -> bytes:
    """The other way round: a reader of the pax size skips what the others read as a member."""
    hidden = _evil()
    return gzip(tar.after("install.sh", pax(record("size", str(len(hidden)))) + block(f"{TOP}/x") + hidden).raw())


def _filling(tar: Tar) -> bytes:
    part = tar.part("install.sh")
    return gzip(tar.with_part("install.sh", filling=b"x" * len(part.filling)).raw())


def _pax_filling(tar: Tar) -> bytes:
    records = record("path", SCRIPT)
    raw = block("././@PaxHeader", len(records), bits=0, type=b"x") + records + b"z" * (-len(records) % 512)
    return gzip(tar.before("install.sh", raw).raw())


def _reversed(tar: Tar) -> bytes:
    return gzip(replace(tar, parts=tar.parts[::-1]).raw())


def _without_pax(tar: Tar) -> bytes:
    """The one name beyond ASCII, in plain UTF-8 in the header."""
    part = next(part for part in tar.parts if not part.path.isascii())
    head = block(part.path, len(part.content), bits=part.mode, at=tar.time)
    return gzip(replace(tar, parts=tuple(replace(p, head=head) if p == part else p for p in tar.parts)).raw())


def _other_pax_name(tar: Tar) -> bytes:
    part = next(part for part in tar.parts if not part.path.isascii())
    head = pax(record("path", part.path), "PaxHeaders/deb") + part.head[-512:]
    return gzip(replace(tar, parts=tuple(replace(p, head=head) if p == part else p for p in tar.parts)).raw())


def _all_at(time: int) -> Trick:
    def trick(tar: Tar) -> bytes:
        for part in tar.parts:
            name = part.path.removeprefix(f"{TOP}/")
            tar = tar.with_part(name, head=part.head[:-512] + _retimed(part.head[-512:], time))
        return gzip(tar.raw())

    return trick


def _retimed(head: bytes, time: int) -> bytes:
    changed = bytearray(head)
    changed[136:148] = b"%011o\0" % time
    changed[148:156] = b"%06o\0 " % tar_parts.checksum(bytes(changed))
    return bytes(changed)


def _split(tar: Tar) -> bytes:
    raw = tar.raw()
    return gzip(raw[:5000]) + gzip(raw[5000:])


def _lone_zero_block(tar: Tar) -> bytes:
    """GNU tar warns of a lone zero block, and reads on."""
    return gzip(tar.raw(bytes(512) + _evil() + bytes(1024)))


SPARSE_MAP = filled(b"1\n0\n4\n") + filled(EVIL)
REWRAPPED = "rewrapped"

TRICKS: dict[str, tuple[Trick, str]] = {
    # numbers
    "size in GNU's base 64 (unpacks-differently-gnu)": (_gnu_base64, REWRAPPED),
    "size in base 256": (_base256, REWRAPPED),
    "size with blanks in front": (lambda tar: _number(tar, b"%11o\0"), REWRAPPED),
    "size ended by a blank": (lambda tar: _number(tar, b"%011o "), REWRAPPED),
    "size in twelve digits": (lambda tar: _number(tar, b"%012o"), REWRAPPED),
    "size without zeros in front": (lambda tar: _number(tar, b"%o\0"), REWRAPPED),
    "size with a plus": (lambda tar: _number(tar, b"+%010o\0"), REWRAPPED),
    "size with 0o in front": (lambda tar: _number(tar, b"0o%09o\0"), REWRAPPED),
    "size with an underscore": (lambda tar: _number(tar, b"0_%09o\0"), REWRAPPED),
    "size with more behind its end": (lambda tar: _number(tar, b"%09o\0" + b"77"), REWRAPPED),
    "negative size": (_head(size=b"\xff" * 12), REWRAPPED),
    "mode in base 256": (_head(mode=b"\x80\0\0\0\0\0\x01\xed"), REWRAPPED),
    "mode with the bits of a file": (_head(mode=b"0100755\0"), REWRAPPED),
    "mode with setuid": (_head(mode=b"0004755\0"), "mode-mismatch"),
    "mode with blanks": (_head(mode=b"   755 \0"), REWRAPPED),
    "another mode": (_head(mode=b"0000644\0"), "mode-mismatch"),
    "another mode of the sums": (lambda tar: gzip(tar.with_head("SHA256SUMS", mode=b"0000600\0").raw()), REWRAPPED),
    "another time": (_head(mtime=b"00000000001\0"), REWRAPPED),
    "another time everywhere": (_all_at(1_700_000_000), REWRAPPED),
    "a time of twelve digits": (_head(mtime=b"7" * 12), REWRAPPED),
    "checksum with blanks in front": (_checksum(b"%6o\0 "), REWRAPPED),
    "checksum with its end the other way round": (_checksum(b"%06o \0"), REWRAPPED),
    "checksum of seven digits": (_checksum(b"%07o\0"), REWRAPPED),
    "checksum of eight digits": (_checksum(b"%08o"), REWRAPPED),
    "signed checksum": (_signed_checksum, "damaged-archive"),
    "wrong checksum": (_head(checksum=b"000000\0 "), "damaged-archive"),
    # fields that our writer leaves empty
    "owner": (_head(uid=b"0001750\0"), REWRAPPED),
    "group": (_head(gid=b"0001750\0"), REWRAPPED),
    "name of the owner": (_head(uname=b"root"), REWRAPPED),
    "name of the group": (_head(gname=b"root"), REWRAPPED),
    "major device": (_head(devmajor=b"0000000\0"), REWRAPPED),
    "minor device": (_head(devminor=b"0000007\0"), REWRAPPED),
    "bytes behind the header's fields": (_head(unused=b"zzzzzzz"), REWRAPPED),
    "target of a link on a file": (_head(linkname=b"/etc/passwd"), REWRAPPED),
    "name, NUL, more": (_head(name=SCRIPT.encode() + b"\0/../evil"), REWRAPPED),
    "prefix": (_prefix, REWRAPPED),
    "prefix with GNU's magic": (_gnu_prefix, REWRAPPED),
    "prefix, NUL, more": (_head(prefix=b"\0evil"), REWRAPPED),
    "GNU's magic": (_head(magic=b"ustar ", version=b" \0"), REWRAPPED),
    "no magic": (_head(magic=b"", version=b""), REWRAPPED),
    "another version": (_head(version=b"01"), REWRAPPED),
    # types
    "V7's type of a file": (_head(type=b"\0"), REWRAPPED),
    "contiguous file": (_head(type=b"7"), "special-file"),
    "symbolic link (unpacks-to-a-symlink)": (
        _after(block(SCRIPT, type=b"2", linkname=b"/tmp/evil.sh", unused=b"zzzzzzz")),
        "link",
    ),
    "symbolic link, then a file through it": (
        _before(block(f"{TOP}/l", type=b"2", linkname=b"..") + _evil(f"{TOP}/l/x")),
        "link",
    ),
    "hard link over the script": (_after(block(SCRIPT, type=b"1", linkname=f"{TOP}/SHA256SUMS".encode())), "link"),
    "hard link with content": (
        _after(block(SCRIPT, len(EVIL), type=b"1", linkname=f"{TOP}/SHA256SUMS".encode()) + filled(EVIL)),
        "link",
    ),
    "symbolic link with a size": (
        _after(block(SCRIPT, 512, type=b"2", linkname=b"evil") + _evil()),
        "link",
    ),
    "character device": (_after(block(f"{TOP}/d", type=b"3")), "special-file"),
    "pipe": (_after(block(f"{TOP}/d", type=b"6")), "special-file"),
    "folder": (_before(block(f"{TOP}/config/", type=b"5", bits=0o755)), REWRAPPED),
    "folder with a size": (_after(block(f"{TOP}/config/", 1024, type=b"5") + _evil()), "duplicate-name"),
    "file whose name ends in a slash": (_after(block(f"{SCRIPT}/", len(EVIL), type=b"\0") + filled(EVIL)), REWRAPPED),
    "folder that no file needs": (_after(block(f"{TOP}/empty/", type=b"5")), "extra-folder"),
    "volume header": (_before(block("volume", type=b"V")), "special-file"),
    "continued volume": (_after(block(SCRIPT, len(EVIL), type=b"M") + filled(EVIL)), "special-file"),
    "dump folder": (_after(block(f"{TOP}/", 3, type=b"D") + filled(b"Dx\0")), "special-file"),
    "Solaris' extended header": (_after(pax(record("path", SCRIPT), type=b"X") + _evil(f"{TOP}/x")), "special-file"),
    "unknown type": (_after(block(SCRIPT, len(EVIL), type=b"Z") + filled(EVIL)), "special-file"),
    "old GNU sparse file": (_after(block(SCRIPT, len(EVIL), type=b"S") + filled(EVIL)), "special-file"),
    # long names and records
    "GNU's long name": (
        _after(
            block("././@LongLink", len(SCRIPT) + 1, type=b"L") + filled(SCRIPT.encode() + b"\0") + _evil(f"{TOP}/x")
        ),
        REWRAPPED,
    ),
    "GNU's long link": (_before(block("././@LongLink", 5, type=b"K") + filled(b"evil\0")), REWRAPPED),
    "global records with a path": (_before(pax(record("path", SCRIPT), type=b"g")), REWRAPPED),
    "global records with a size": (_before(pax(record("size", "0"), type=b"g")), REWRAPPED),
    "global records with a comment": (_before(pax(record("comment", "x"), type=b"g")), REWRAPPED),
    "records with the name that is there": (_before(pax(record("path", SCRIPT))), REWRAPPED),
    "records with another name": (_after(pax(record("path", SCRIPT)) + _evil(f"{TOP}/x")), "duplicate-name"),
    "records before records": (_after(pax(record("path", SCRIPT)) + pax(record("mtime", "1")) + _evil()), REWRAPPED),
    "records with two paths": (
        _before(pax(record("path", f"{TOP}/evil") + record("path", SCRIPT))),
        REWRAPPED,
    ),
    "records with an empty path": (_before(pax(record("path", ""))), "unsafe-name"),
    "records with a path, NUL, more": (_before(pax(record("path", SCRIPT + "\0/x"))), "unsafe-name"),
    "records with a smaller size": (_hole, "duplicate-name"),
    "records with a larger size": (_cover, "extra-file"),
    "records with a size of blanks": (_before(pax(record("size", " 21"))), REWRAPPED),
    "records with a link's target": (_before(pax(record("linkpath", "/etc/passwd"))), REWRAPPED),
    "records with an owner": (_before(pax(record("uid", "1000"))), REWRAPPED),
    "records with a fraction of a second": (_before(pax(record("mtime", "1795316645.5"))), REWRAPPED),
    "records with a character set": (_before(pax(record("hdrcharset", "BINARY"))), REWRAPPED),
    "records with a comment": (_before(pax(record("comment", "x"))), REWRAPPED),
    "records with an attribute of the file": (_before(pax(record("SCHILY.xattr.user.x", "x"))), REWRAPPED),
    "records with flags of the file": (_before(pax(record("SCHILY.fflags", "immutable"))), REWRAPPED),
    "records without any": (_before(pax(b"")), REWRAPPED),
    "record of a wrong length": (_before(pax(b"8 path=x\n")), REWRAPPED),
    "record with zeros in its length": (_before(pax(b"021 comment=abcdefgh\n")), REWRAPPED),
    "record without a line feed": (_before(pax(b"12 comment=x")), REWRAPPED),
    "record of length 0": (_before(pax(b"0 path=x\n")), REWRAPPED),
    "GNU sparse 1.0": (
        _after(
            pax(
                record("GNU.sparse.major", "1")
                + record("GNU.sparse.minor", "0")
                + record("GNU.sparse.name", SCRIPT)
                + record("GNU.sparse.realsize", "4")
            )
            + block(f"{TOP}/x", len(SPARSE_MAP))
            + SPARSE_MAP
        ),
        "special-file",
    ),
    "GNU sparse name": (_after(pax(record("GNU.sparse.name", SCRIPT)) + _evil(f"{TOP}/x")), "special-file"),
    "records filled with other than zeros": (_pax_filling, REWRAPPED),
    "a name beyond ASCII without records": (_without_pax, REWRAPPED),
    "records under another name": (_other_pax_name, REWRAPPED),
    # names
    "duplicate member": (_after(_evil()), "duplicate-name"),
    "duplicate by a dot": (_after(_evil(f"./{SCRIPT}")), "unsafe-name"),
    "duplicate by two slashes": (_after(_evil(f"{TOP}//install.sh")), "unsafe-name"),
    "duplicate in capitals": (_after(_evil(f"{TOP}/INSTALL.SH")), "unsafe-name"),
    "absolute name": (_after(_evil("/tmp/evil")), "unsafe-name"),
    "leaving name": (_after(_evil(f"{TOP}/../../evil")), "unsafe-name"),
    "name that is not UTF-8": (_head(name=TOP.encode() + b"/\xff"), "unsafe-name"),
    "second folder": (_after(_evil("other/install.sh")), "wrong-folder"),
    "another order": (_reversed, REWRAPPED),
    # fillings and the end
    "content filled with other than zeros": (_filling, REWRAPPED),
    "a lone zero block, then more": (_lone_zero_block, "trailing-data"),
    "more behind the end": (_end(bytes(1024) + _evil()), "trailing-data"),
    "no end": (_end(b""), REWRAPPED),
    "an end of one block": (_end(bytes(512)), REWRAPPED),
    "an end without the rest of the record": (_end(bytes(1024)), REWRAPPED),
    "an end of one more record": (lambda tar: gzip(tar.raw() + bytes(10240)), REWRAPPED),
    "an end of one more byte": (lambda tar: gzip(tar.raw() + b"\0"), REWRAPPED),
    # gzip
    "two gzip members": (_split, "trailing-data"),
    "an empty gzip member behind": (lambda tar: gzip(tar.raw()) + gzip(b""), "trailing-data"),
    "zeros behind the gzip": (lambda tar: gzip(tar.raw()) + bytes(512), "trailing-data"),
    "a time in the gzip": (_header(4, 1), REWRAPPED),
    "a name in the gzip": (_header(3, 8, b"evil.tar\0"), REWRAPPED),
    "a comment in the gzip": (_header(3, 16, b"comment\0"), REWRAPPED),
    "an extra field in the gzip": (_header(3, 4, b"\4\0XY\0\0"), REWRAPPED),
    "the flag of text in the gzip": (_header(3, 1), REWRAPPED),
    "an unknown level in the gzip": (_header(8, 7), REWRAPPED),
    "an unknown system in the gzip": (_header(9, 77), REWRAPPED),
    "a reserved flag in the gzip": (_header(3, 32), "damaged-archive"),
    "another method in the gzip": (_header(2, 7), "damaged-archive"),
}


@pytest.fixture
def tar(tmp_path: Path) -> Tar:
    return tar_parts.of_tree(trees.small(tmp_path))


@pytest.mark.parametrize(("trick", "reason"), TRICKS.values(), ids=TRICKS.keys())
def test_every_trick_is_refused_by_name(trick: Trick, reason: str, tar: Tar, tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(trick(tar))
    with pytest.raises(VerificationError) as refused:
        trees.digest_of(path)
    assert refused.value.reason == reason, refused.value.details
    if reason == REWRAPPED:
        assert "verify that folder" in refused.value.do


# --- the honest neighbours

DEFLATED: dict[str, Callable[[bytes], bytes]] = {
    "as our writer stores it": lambda raw: gzip(raw, level=0),
    "deflated at level 1": lambda raw: gzip(raw, level=1),
    "deflated at level 9": lambda raw: gzip(raw, level=9),
    "by gzip -n": lambda raw: gzip(raw, header=bytes([31, 139, 8, 0, 0, 0, 0, 0, 0, 3])),
    "by gzip -1n": lambda raw: gzip(raw, header=bytes([31, 139, 8, 0, 0, 0, 0, 0, 4, 3]), level=1),
    "in many blocks": lambda raw: tar_parts.gzip_of([raw[at : at + 700] for at in range(0, len(raw), 700)]),
}


@pytest.mark.parametrize("packed", DEFLATED.values(), ids=DEFLATED.keys())
def test_the_same_tar_may_be_deflated_in_any_way(packed: Callable[[bytes], bytes], tar: Tar, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(packed(tar.raw()))
    assert trees.digest_of(tmp_path / "x") == manifest.bundle_digest(trees.small(tmp_path))


def test_these_parts_are_those_of_the_writer(tar: Tar, tmp_path: Path) -> None:
    """Otherwise every trick would be refused for another reason than its own."""
    writers.write("tar.gz", trees.small(tmp_path), tmp_path / "out", progress=NullProgress())
    import gzip as installed

    assert installed.decompress((tmp_path / "out").read_bytes()) == tar.raw()


def test_many_of_the_tricks_do_unpack_otherwise(
    tar: Tar, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Measured: these are attacks on unpackers that exist, not inventions."""
    unpackers.require("tar.gz")
    wanted: dict[str, bytes | str] = {part.path: part.content for part in tar.parts}
    (tmp_path / "genuine").write_bytes(gzip(tar.raw()))
    for by in unpackers.UNPACKERS["tar.gz"]:
        assert unpackers.unpacked(by, tmp_path / "genuine", tmp_path / f"genuine-{by.name}") == wanted, by.name
    otherwise: dict[str, list[str]] = {}
    for number, (name, (trick, _)) in enumerate(TRICKS.items()):
        if "device" in name and os.geteuid() == 0:
            continue
        archive = tmp_path / f"{number}.tar.gz"
        archive.write_bytes(trick(tar))
        for by in unpackers.UNPACKERS["tar.gz"]:
            found = unpackers.unpacked(by, archive, tmp_path / f"{number}-{by.name}")
            if found is not None and found != wanted:
                otherwise.setdefault(name, []).append(by.name)
    record_property("tricks", len(TRICKS))
    record_property("unpacked otherwise", len(otherwise))
    record_property("by whom", otherwise)
    assert len(TRICKS) >= 40
    assert len(otherwise) >= 30
