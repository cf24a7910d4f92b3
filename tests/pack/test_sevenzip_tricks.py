"""Hand-made 7z archives, with every checksum right: each says something that no release writes, and is refused."""

from __future__ import annotations

import contextlib
import lzma
import os
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import py7zr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import sevenzip
from bundler.formats.sevenzip import Coder, Folder, number
from bundler.formats.sevenzip_source import Property, Source
from bundler.model.progress import NullProgress
from bundler.model.tree import Entry
from bundler.pack import manifest, sevenzip_form, sevenzip_streams, writers
from bundler.pack.sevenzip_form import Block
from tests.support import sevenzip_forge, thorough, trees, unpackers
from tests.support.sevenzip_forge import Encrypted, Forge, filetime, names, stored, taken_apart, whole

TOP = trees.NAME
SECONDS = int(trees.TIME.timestamp())
PASSWORD = "geheim"
Edit = Callable[[Forge], "Forge | bytes | None"]


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("genuine")
    writers.write("7z", trees.small(folder), folder / "out", progress=NullProgress())
    return (folder / "out").read_bytes()


def verdict(path: Path, raw: bytes, password: str | None = None) -> str:
    path.write_bytes(raw)
    try:
        return trees.digest_of(path, password)
    except VerificationError as error:
        return error.reason if error.do else "no advice"


def test_taken_apart_and_put_together_it_is_the_same(genuine: bytes, tmp_path: Path) -> None:
    assert taken_apart(genuine).build() == genuine
    assert verdict(tmp_path / "x", genuine) == manifest.bundle_digest(trees.small(tmp_path))


# --- changes to parts


def _replaced(kind: int, value: bytes) -> Edit:
    def edit(forge: Forge) -> None:
        forge.properties = [(one, value if one == kind else held) for one, held in forge.properties]

    return edit


def _added(kind: int, value: Callable[[int], bytes], at: int | None = None) -> Edit:
    def edit(forge: Forge) -> None:
        forge.properties.insert(len(forge.properties) if at is None else at, (kind, value(forge.count)))

    return edit


def _attributes(change: Callable[[int], int], which: int = 0) -> Edit:
    def edit(forge: Forge) -> None:
        held = dict(forge.properties)[Property.ATTRIBUTES]
        values = list(struct.unpack(f"<{forge.count}L", held[2:]))
        values[which] = change(values[which])
        _replaced(Property.ATTRIBUTES, b"\1\0" + struct.pack(f"<{forge.count}L", *values))(forge)

    return edit


def _times(*values: float) -> Edit:
    def edit(forge: Forge) -> None:
        rest = [SECONDS] * (forge.count - len(values))
        _replaced(Property.MODIFIED, b"\1\0" + b"".join(map(filetime, [*values, *rest])))(forge)

    return edit


def _paths(change: Callable[[list[str]], list[str]]) -> Edit:
    def edit(forge: Forge) -> None:
        paths = change([file.path for block in forge.blocks for file in block.files])
        _replaced(Property.NAMES, names(*paths))(forge)

    return edit


def _first(change: Callable[[str], str]) -> Edit:
    return _paths(lambda paths: [change(paths[0]), *paths[1:]])


def _streams(change: Callable[[bytes], bytes]) -> Edit:
    def edit(forge: Forge) -> None:
        forge.streams = change(forge.streams)

    return edit


def _once(old: bytes, new: bytes) -> Edit:
    def change(held: bytes) -> bytes:
        assert old in held
        return held.replace(old, new, 1)

    return _streams(change)


def _set(**values: object) -> Edit:
    def edit(forge: Forge) -> None:
        for name, value in values.items():
            setattr(forge, name, value)

    return edit


def _block(index: int, change: Callable[[Block, bytes], tuple[Block, bytes]]) -> Edit:
    """Change a block and its bytes, and describe them rightly."""

    def edit(forge: Forge) -> None:
        forge.blocks[index], forge.packed[index] = change(forge.blocks[index], forge.packed[index])
        forge.describe()

    return edit


def _packed_again(block: Block, packed: bytes, *, compressed: bool) -> tuple[Block, bytes]:
    held = sevenzip_forge.content(block, packed)
    packed = lzma.compress(held, lzma.FORMAT_RAW, filters=sevenzip_forge.LZMA2) if compressed else held
    return replace(block, compressed=compressed, packed=len(packed), inner=len(packed)), packed


def _behind(more: bytes) -> Callable[[Block, bytes], tuple[Block, bytes]]:
    return lambda block, packed: (replace(block, packed=block.packed + len(more)), packed + more)


def _other_order(forge: Forge) -> None:
    forge.blocks.reverse()
    forge.packed.reverse()
    forge.describe()


def _files_exchanged(block: Block, packed: bytes) -> tuple[Block, bytes]:
    held = sevenzip_forge.content(block, packed)
    size = block.files[0].size
    first, second = held[:size], held[size : size + block.files[1].size]
    held = second + first + held[len(first) + len(second) :]
    packed = lzma.compress(held, lzma.FORMAT_RAW, filters=sevenzip_forge.LZMA2)
    files = (block.files[1], block.files[0], *block.files[2:])
    return replace(block, files=files, packed=len(packed), inner=len(packed)), packed


def _one_block_each(forge: Forge) -> None:
    block, packed = forge.blocks[1], forge.packed[1]
    size = block.files[0].size
    halves = (packed[:size], packed[size:])
    split = [Block(False, (file,), len(half), len(half)) for file, half in zip(block.files, halves, strict=True)]
    forge.blocks[1:] = split
    forge.packed[1:] = halves
    forge.describe()


def _all_in_one_block(forge: Forge) -> None:
    held = b"".join(map(sevenzip_forge.content, forge.blocks, forge.packed))
    files = tuple(file for block in forge.blocks for file in block.files)
    forge.blocks = [Block(False, files, len(held), len(held))]
    forge.packed = [held]
    forge.describe()


def _empty_block(forge: Forge) -> None:
    forge.blocks.append(Block(False, (), 0, 0))
    forge.packed.append(b"")
    forge.describe()


def _another_file(path: str, held: bytes, mode: int = 0o644) -> Edit:
    def edit(forge: Forge) -> None:
        block = forge.blocks[1]
        files = (*block.files, stored(f"{TOP}/{path}", held, SECONDS, mode))
        size = block.packed + len(held)
        forge.blocks[1] = replace(block, files=files, packed=size, inner=size)
        forge.packed[1] += held
        forge.describe()

    return edit


def _without_content(attributes: int, *more: tuple[int, bytes]) -> Edit:
    """One more file that has no stream: an empty file, a folder or an anti item, as ``more`` says."""

    def edit(forge: Forge) -> None:
        forge.count += 1
        paths = [file.path for block in forge.blocks for file in block.files]
        held = dict(forge.properties)
        forge.properties = [
            (Property.EMPTY_STREAM, _bits(forge.count, forge.count - 1)),
            *more,
            (Property.NAMES, names(*paths, f"{TOP}/zzz")),
            (Property.MODIFIED, held[Property.MODIFIED] + filetime(SECONDS)),
            (Property.ATTRIBUTES, held[Property.ATTRIBUTES] + struct.pack("<L", attributes)),
        ]

    return edit


def _bits(count: int, *true: int) -> bytes:
    held = bytearray(-(-count // 8))
    for at in true:
        held[at // 8] |= 0x80 >> at % 8
    return bytes(held)


def _coders(*coders: Coder) -> Edit:
    """Say that the packages go through ``coders``; each gives its bytes to the next."""

    def edit(forge: Forge) -> None:
        block = forge.blocks[1]
        bonds = tuple((at + 1, at) for at in range(len(coders) - 1))
        folder = Folder(coders, bonds, (block.size,) * len(coders))
        old = sevenzip_form._unpack_info([sevenzip_form._folder(one) for one in forge.blocks])
        new = sevenzip_form._unpack_info([sevenzip_form._folder(forge.blocks[0]), folder])
        _once(old, new)(forge)

    return edit


def _folder_crcs(forge: Forge) -> None:
    """The CRCs of whole blocks, which 7-Zip writes of blocks with one file."""
    crcs = [zlib.crc32(sevenzip_forge.content(*pair)) for pair in zip(forge.blocks, forge.packed, strict=True)]
    old = sevenzip_form._unpack_info([sevenzip_form._folder(one) for one in forge.blocks])
    _once(old, old[:-1] + b"\x0a\1" + struct.pack("<2L", *crcs) + b"\0")(forge)


def _no_crcs(forge: Forge) -> None:
    files = [file for block in forge.blocks for file in block.files]
    _once(b"\x0a\1" + b"".join(struct.pack("<L", file.crc) for file in files), b"")(forge)


def _one_crc_missing(forge: Forge) -> None:
    files = [file for block in forge.blocks for file in block.files]
    old = b"".join(struct.pack("<L", file.crc) for file in files)
    _once(b"\x0a\1" + old, b"\x0a\0" + _bits(len(files), *range(len(files) - 1)) + old[:-4])(forge)


def _wrong_crc(forge: Forge) -> None:
    block = forge.blocks[0]
    forge.blocks[0] = replace(block, files=(replace(block.files[0], crc=7), *block.files[1:]))
    forge.describe()


def _packed_crcs(forge: Forge) -> None:
    old = sevenzip_form._pack_info(forge.blocks)
    crcs = struct.pack("<2L", *map(zlib.crc32, forge.packed))
    _once(old, old[:-1] + b"\x0a\1" + crcs + b"\0")(forge)


def _long_number(forge: Forge) -> None:
    """The number of packed streams in two bytes, where one is enough."""
    forge.streams = forge.streams.replace(b"\4\6\0\2", b"\4\6\0\x80\2", 1)


def _encoded(method: str) -> Edit:
    """The header packed as 7-Zip and py7zr pack it."""

    def encode(header: bytes, position: int) -> tuple[bytes, bytes]:
        coder, packed = _pack(method, header)
        info = b"\x17\6" + number(position) + b"\1\x09" + number(len(packed)) + b"\0"
        return packed, info + sevenzip_form._unpack_info([Folder((coder,), (), (len(header),))]) + b"\0"

    return _set(encode=encode)


def _pack(method: str, header: bytes) -> tuple[Coder, bytes]:
    if method == "copy":
        return Coder(b"\0"), header
    kind = lzma.FILTER_LZMA2 if method == "lzma2" else lzma.FILTER_LZMA1
    packed = lzma.compress(header, lzma.FORMAT_RAW, filters=[{"id": kind, "dict_size": 1 << 16, "lc": 3}])
    properties = b"\x08" if method == "lzma2" else b"\x5d" + struct.pack("<L", 1 << 16)
    return Coder(b"!" if method == "lzma2" else b"\3\1\1", properties), packed


def _twice_encoded(forge: Forge) -> None:
    def encode(header: bytes, position: int) -> tuple[bytes, bytes]:
        _encoded("copy")(forge)
        first, inner = forge.encode(header, position)  # type: ignore[misc]
        second, outer = forge.encode(inner, position + len(first))  # type: ignore[misc]
        return first + second, outer

    forge.encode = encode


def _again(forge: Forge) -> bytes:
    return forge.build() * 2


def _prefixed(forge: Forge) -> bytes:
    return b"#!/bin/sh\nexit\n" + forge.build()


def _header_before_the_files(forge: Forge) -> bytes:
    """The header first, then the files: every offset is right, and something follows the header."""
    end = forge.header(sevenzip.START.size)
    moved = end.replace(b"\4\6\0\2", b"\4\6" + number(len(end)) + b"\2", 1)
    return whole(b"", moved) + b"".join(forge.packed)


def _truncated_name(forge: Forge) -> None:
    _replaced(Property.NAMES, dict(forge.properties)[Property.NAMES][:-2])(forge)


TRICKS: dict[str, tuple[Edit, str]] = {
    "version 0.3": (_set(version=b"\0\3"), "rewrapped"),
    "version 1.4": (_set(version=b"\1\4"), "rewrapped"),
    "bytes before the files": (_set(first=b"MZ" * 8), "rewrapped damaged-archive"),
    "bytes between files and header": (_set(last=b"hidden"), "rewrapped"),
    "bytes behind the archive": (lambda forge: forge.build() + b"hidden", "trailing-data"),
    "zeros behind the archive": (lambda forge: forge.build() + bytes(512), "trailing-data"),
    "the archive twice": (_again, "trailing-data"),
    "a script before the archive": (_prefixed, "unknown-container"),
    "the header before the files": (_header_before_the_files, "trailing-data"),
    "the files after a gap that is declared": (
        lambda forge: (_set(first=b"hidden")(forge), _once(b"\4\6\0\2", b"\4\6\6\2")(forge))[0],
        "rewrapped",
    ),
    "archive properties": (_set(before=b"\2\x42\1x\0"), "rewrapped"),
    "additional streams": (_set(before=b"\3\6\0\0\0\0"), "rewrapped"),
    "bytes behind the end of the header": (_set(behind=b"\0"), "rewrapped"),
    "a second list of files": (_set(behind=b"\5\0\0\0"), "rewrapped"),
    "no alignment": (_set(align=False), "rewrapped"),
    "padding once more": (_added(Property.DUMMY, lambda _: bytes(4), 0), "rewrapped"),
    "padding with a message": (_added(Property.DUMMY, lambda _: b"message!", 0), "rewrapped"),
    "padding at the end": (_added(Property.DUMMY, lambda _: bytes(2)), "rewrapped"),
    "times of creation": (_added(0x12, lambda count: b"\1\0" + filetime(SECONDS) * count), "rewrapped"),
    "times of access": (_added(0x13, lambda count: b"\1\0" + filetime(SECONDS) * count), "rewrapped"),
    "start positions": (_added(0x18, lambda count: b"\1\0" + bytes(8) * count), "rewrapped"),
    "a comment": (_added(0x16, lambda _: b"\0" + "hello".encode("utf-16-le")), "rewrapped"),
    "an unknown property": (_added(0x1A, lambda _: b"x"), "rewrapped"),
    "an unknown property with a long number": (_added(0x7F, lambda _: b"x" * 300), "rewrapped"),
    "anti items without empty ones": (_added(0x10, lambda _: b""), "rewrapped"),
    "no file is empty, said aloud": (_added(Property.EMPTY_STREAM, _bits, 0), "rewrapped"),
    "a file with content that is called empty": (
        _added(Property.EMPTY_STREAM, lambda count: _bits(count, 0), 0),
        "rewrapped damaged-archive",
    ),
    "one more empty file": (_without_content(0x20, (0x0F, b"\x80")), "rewrapped"),
    "one more folder": (_without_content(0x10), "rewrapped"),
    "an anti item": (_without_content(0x20, (0x0F, b"\x80"), (0x10, b"\x80")), "rewrapped"),
    "one more file": (_another_file("payload/zzz", b"evil"), "extra-file"),
    "an approval that nothing asks for": (_another_file("payload/zzz", b""), "extra-file"),
    "a symbolic link": (_attributes(lambda _: 0x8000 | 0o120777 << 16), "link"),
    "a symbolic link without its bit": (_attributes(lambda value: value & 0xFFFF | 0o120777 << 16), "link"),
    "a reparse point": (_attributes(lambda value: value | 0x400), "link"),
    "a folder with content": (_attributes(lambda _: 0x10), "rewrapped"),
    "a device": (_attributes(lambda _: 0x8000 | 0o020666 << 16), "special-file"),
    "hidden": (_attributes(lambda value: value | 2), "rewrapped"),
    "encrypted by its attribute": (_attributes(lambda value: value | 0x4000), "rewrapped"),
    "no mode of Unix": (_attributes(lambda value: value & 0x7FFF), "rewrapped"),
    "a mode without its bit": (_attributes(lambda value: value & ~0x8000), "rewrapped"),
    "mode 0777": (_attributes(lambda _: sevenzip_form.attributes_of(0o777)), "rewrapped mode-mismatch"),
    "set-user-id": (_attributes(lambda _: sevenzip_form.attributes_of(0o4755), -1), "rewrapped mode-mismatch"),
    "mode of the manifest": (_attributes(lambda _: sevenzip_form.attributes_of(0o755), 1), "rewrapped mode-mismatch"),
    "a time with a fraction": (_times(SECONDS + 0.5), "rewrapped"),
    "a second later": (_times(SECONDS + 1), "rewrapped late"),
    "two seconds later, all of them": (_times(*[SECONDS + 2] * 9), "rewrapped damaged-archive"),
    "one time missing": (
        lambda forge: _replaced(
            Property.MODIFIED,
            b"\0" + _bits(forge.count, *range(1, forge.count)) + b"\0" + filetime(SECONDS) * (forge.count - 1),
        )(forge),
        "rewrapped",
    ),
    "times in another stream": (_replaced(Property.MODIFIED, b"\1\1\0"), "rewrapped"),
    "a name twice": (_paths(lambda paths: [paths[1], *paths[1:]]), "unsafe-name"),
    "a name in another case": (_paths(lambda paths: [paths[1].upper(), *paths[1:]]), "unsafe-name"),
    "a name that leaves the folder": (_first(lambda _: f"{TOP}/../../etc/cron.d/x"), "unsafe-name"),
    "an absolute name": (_first(lambda _: "/etc/passwd"), "unsafe-name"),
    "a name with a backslash": (_first(lambda _: f"{TOP}\\x"), "unsafe-name"),
    "a name that ends at a zero": (_first(lambda path: f"{path}\0x"), "wrong-folder"),
    "a name with a soft hyphen": (_first(lambda path: f"{path}\u00ad"), "unsafe-name"),
    "half of a surrogate pair": (_first(lambda path: f"{path}\ud800"), "unsafe-name"),
    "another name": (_first(lambda path: f"{path}x"), "rewrapped missing-manifest missing-file extra-file"),
    "one name too many": (_paths(lambda paths: [*paths, f"{TOP}/x"]), "rewrapped"),
    "one name too few": (_paths(lambda paths: paths[:-1]), "damaged-archive"),
    "a name without its end": (_truncated_name, "damaged-archive"),
    "names twice": (_added(Property.NAMES, lambda _: b"", 0), "damaged-archive rewrapped"),
    "names in another stream": (_replaced(Property.NAMES, b"\1\0"), "rewrapped"),
    "other names first": (
        lambda forge: forge.properties.insert(
            0, (int(Property.NAMES), names(*(f"{TOP}/{at}" for at in range(forge.count))))
        ),
        "rewrapped",
    ),
    "properties in another order": (lambda forge: forge.properties.reverse(), "rewrapped"),
    "two folders": (_first(lambda _: "other/x"), "wrong-folder"),
    "beside the folder": (_first(lambda _: TOP), "unsafe-name wrong-folder"),
    "blocks in another order": (_other_order, "rewrapped"),
    "files in another order": (_block(0, _files_exchanged), "rewrapped"),
    "a block for each package": (_one_block_each, "rewrapped"),
    "all in one block": (_all_in_one_block, "rewrapped"),
    "a block without files": (_empty_block, "rewrapped"),
    "packages compressed": (_block(1, lambda *pair: _packed_again(*pair, compressed=True)), "rewrapped"),
    "documents copied": (_block(0, lambda *pair: _packed_again(*pair, compressed=False)), "rewrapped"),
    "bytes behind the end mark of LZMA2": (_block(0, _behind(b"hidden")), "trailing-data"),
    "a second stream of LZMA2": (_block(0, _behind(b"\1\0\0x\0")), "trailing-data"),
    "a zero behind the end mark of LZMA2": (_block(0, _behind(b"\0")), "trailing-data"),
    "bytes behind the packages": (_block(1, _behind(b"hidden")), "trailing-data"),
    "a larger dictionary": (_once(b"\x21\x21\1\x16", b"\x21\x21\1\x18"), "rewrapped"),
    "a smaller dictionary": (_once(b"\x21\x21\1\x16", b"\x21\x21\1\x0c"), "rewrapped"),
    "copied twice": (_coders(Coder(b"\0"), Coder(b"\0")), "rewrapped"),
    "a filter before": (_coders(Coder(b"\3\3\1\3"), Coder(b"\0")), "rewrapped"),
    "a delta filter": (_coders(Coder(b"\3", b"\0"), Coder(b"\0")), "rewrapped"),
    "copied, with properties": (_coders(Coder(b"\0", b"")), "rewrapped"),
    "copied under another number": (_coders(Coder(b"\0\0")), "rewrapped"),
    "without a coder": (_once(b"\1\1\0\x0c", b"\0\x0c"), "rewrapped damaged-archive"),
    "a coder with two inputs": (_once(b"\1\1\0\x0c", b"\1\x11\0\2\1\0\1\x0c"), "rewrapped damaged-archive"),
    "CRCs of blocks": (_folder_crcs, "rewrapped"),
    "CRCs of packed bytes": (_packed_crcs, "rewrapped"),
    "no CRCs": (_no_crcs, "rewrapped"),
    "one CRC missing": (_one_crc_missing, "rewrapped"),
    "a wrong CRC": (_wrong_crc, "damaged-archive"),
    "a number in its long form": (_long_number, "rewrapped"),
    "a number of blocks that takes all memory": (_once(b"\4\6\0\2", b"\4\6\0\xf0\xff\xff\xff\x0f"), "bomb"),
    "a number of blocks beyond the header": (_once(b"\4\6\0\2", b"\4\6\0\xc0\x00\x70"), "damaged-archive"),
    "very many files": (_set(count=(1 << 40)), "bomb"),
    "more files than the header holds": (_set(count=60_000), "damaged-archive"),
    "the header packed by LZMA": (_encoded("lzma"), "rewrapped"),
    "the header packed by LZMA2": (_encoded("lzma2"), "rewrapped"),
    "the header copied": (_encoded("copy"), "rewrapped"),
    "the header packed twice": (_twice_encoded, "rewrapped"),
}


@pytest.mark.parametrize(("edit", "reasons"), TRICKS.values(), ids=TRICKS.keys())
def test_a_trick_is_refused(
    edit: Edit, reasons: str, genuine: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge = taken_apart(genuine)
    made = edit(forge)
    raw = made if isinstance(made, bytes) else forge.build()
    assert raw != genuine
    assert verdict(tmp_path / "x", raw) in reasons.split()
    if reasons == "rewrapped":  # by its header alone: nothing in it was unpacked
        monkeypatch.setattr(sevenzip_streams, "_packed", lambda *_: pytest.fail("unpacked"))
        verdict(tmp_path / "x", raw)


def test_a_link_behind_a_packed_header_is_called_a_link(genuine: bytes, tmp_path: Path) -> None:
    for method in ("lzma", "lzma2"):
        forge = taken_apart(genuine)
        _attributes(lambda _: 0x8000 | 0o120777 << 16)(forge)
        _encoded(method)(forge)
        assert verdict(tmp_path / "x", forge.build()) == "link"


def test_a_header_that_unpacks_to_very_much_takes_no_memory(genuine: bytes, tmp_path: Path) -> None:
    forge = taken_apart(genuine)
    forge.before = b"\2" + bytes(17 << 20)
    _encoded("lzma2")(forge)
    raw = forge.build()
    assert len(raw) < 100_000
    assert verdict(tmp_path / "x", raw) == "rewrapped"


def test_streams_packed_otherwise_are_the_same_bundle(genuine: bytes, tmp_path: Path) -> None:
    wanted = manifest.bundle_digest(trees.small(tmp_path))
    for preset in range(10):
        for settings in ({}, {"mf": lzma.MF_HC4}, {"lc": 0, "lp": 2}, {"dict_size": 1 << 12}):
            raw = sevenzip_forge.repacked(genuine, preset=preset, **settings)
            assert verdict(tmp_path / "x", raw) == wanted, (preset, settings)


# --- encrypted


def _linked(made: Encrypted) -> None:
    mode = struct.pack("<L", sevenzip_form.attributes_of(0o644))
    made.header = lambda held: held.replace(mode, struct.pack("<L", 0x8000 | 0o120777 << 16), 1)


def _filled(count: int) -> bytes:
    return b"x" * count


ENCRYPTED: dict[str, tuple[Callable[[Encrypted], None], str]] = {
    "padding with a message": (lambda made: setattr(made, "filler", _filled), "damaged-archive"),
    "padding by a whole block": (lambda made: setattr(made, "filler", lambda n: bytes(n + 16)), "damaged-archive"),
    "header padding with a message": (lambda made: setattr(made, "header_filler", _filled), "wrong-password"),
    "bytes before the last header": (lambda made: setattr(made, "gap", b"hidden"), "rewrapped"),
    "another header": (lambda made: setattr(made, "header", lambda held: held + b"\0"), "rewrapped"),
    "fewer rounds": (
        lambda made: setattr(made, "outer", lambda held: held.replace(b"\x12\x53\x0f", b"\x12\x46\x0f")),
        "rewrapped",
    ),
    "with a salt": (
        lambda made: setattr(made, "outer", lambda held: held.replace(b"\x12\x53\x0f", b"\x14\xd3\x1fsa")),
        "rewrapped",
    ),
    "a CRC of the header": (
        lambda made: setattr(made, "outer", lambda held: held[:-2] + b"\x0a\1" + bytes(4) + b"\0\0"),
        "rewrapped",
    ),
    "a link": (_linked, "link"),
}


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive with a header that needs padding when it is encrypted."""
    folder = tmp_path_factory.mktemp("padded")
    for length in range(1, 9):
        entries = (Entry("config/" + "x" * length, b"x" * length), Entry("payload/one", b"package"))
        tree = manifest.assemble(trees.describe(), entries, name=TOP, time=trees.TIME)
        writers.write("7z", tree, folder / str(length), progress=NullProgress())
        made = Encrypted(taken_apart((folder / str(length)).read_bytes()), PASSWORD)
        made.build()
        if len(made.forge.header(0)) % 16:
            break
    return (folder / str(length)).read_bytes()


def test_an_encrypted_archive_by_hand_is_like_ours(genuine: bytes, padded: bytes, tmp_path: Path) -> None:
    for raw in (genuine, padded):
        wanted = verdict(tmp_path / "x", raw)
        assert len(wanted) == 64
        assert verdict(tmp_path / "x", Encrypted(taken_apart(raw), PASSWORD).build(), PASSWORD) == wanted
        assert verdict(tmp_path / "x", Encrypted(taken_apart(raw), PASSWORD).build(), "another") == "wrong-password"


@pytest.mark.parametrize(("edit", "reason"), ENCRYPTED.values(), ids=ENCRYPTED.keys())
def test_a_trick_with_an_encrypted_archive_is_refused(
    edit: Callable[[Encrypted], None], reason: str, padded: bytes, tmp_path: Path
) -> None:
    made = Encrypted(taken_apart(padded), PASSWORD)
    edit(made)
    assert verdict(tmp_path / "x", made.build(), PASSWORD) == reason


# --- the parser


@given(st.integers(0, (1 << 64) - 1))
def test_a_number_is_read_as_it_is_written(value: int) -> None:
    written = number(value)
    source = Source(written)
    assert source.number() == value
    source.require_end()


@given(st.binary(max_size=300))
def test_any_header_is_read_or_refused(noise: bytes) -> None:
    for start in (b"\1\4\6\0", b"\1\5", b"\x17\6\0\1"):
        for read in (sevenzip.read_header, sevenzip.read_packed_header):
            with contextlib.suppress(sevenzip.SevenZipError):
                read(start + noise)


def test_any_changed_byte_of_a_header_is_refused(genuine: bytes, tmp_path: Path) -> None:
    """With every checksum repaired, so that only the form can tell."""
    start = sevenzip.read_start(genuine)
    at = sevenzip.START.size + start.offset
    body, end = genuine[sevenzip.START.size : at], genuine[at:]
    for offset in range(0, len(end), thorough.count(5, 1)):
        for bit in (1, 0x80):
            changed = end[:offset] + bytes([end[offset] ^ bit]) + end[offset + 1 :]
            assert verdict(tmp_path / "x", whole(body, changed)) in REASONS, (offset, bit)


REASONS = {
    *("rewrapped", "damaged-archive", "link", "special-file", "unsafe-name", "wrong-folder", "bomb", "trailing-data"),
    *("extra-file", "missing-file", "missing-manifest", "size-mismatch", "sums-mismatch", "mode-mismatch"),
}


# --- by other programs

PACKERS = {
    "7zz": ("7zz", "a", "-bd", "{archive}", TOP),
    "7zz, stored": ("7zz", "a", "-bd", "-mx0", "{archive}", TOP),
    "7zz, LZMA2 and one block each": ("7zz", "a", "-bd", "-m0=lzma2:d8m", "-ms=off", "{archive}", TOP),
    "7zz, BCJ2": ("7zz", "a", "-bd", "-m0=BCJ2", "-m1=LZMA", "{archive}", TOP),
    "7zz, PPMd": ("7zz", "a", "-bd", "-m0=PPMd", "{archive}", TOP),
    "7zz, header plain": ("7zz", "a", "-bd", "-mhc=off", "{archive}", TOP),
    "7zz, encrypted": ("7zz", "a", "-bd", f"-p{PASSWORD}", "{archive}", TOP),
    "7zz, encrypted with names": ("7zz", "a", "-bd", f"-p{PASSWORD}", "-mhe=on", "{archive}", TOP),
    "bsdtar": ("bsdtar", "--format", "7zip", "-cf", "{archive}", TOP),
    "bsdtar, stored": ("bsdtar", "--format", "7zip", "--options", "compression=store", "-cf", "{archive}", TOP),
}


@pytest.mark.parametrize("command", PACKERS.values(), ids=PACKERS.keys())
def test_an_archive_by_another_program_is_called_that(command: tuple[str, ...], tmp_path: Path) -> None:
    unpackers.require("7z")
    writers.write("directory", trees.small(tmp_path), tmp_path / TOP, progress=NullProgress())
    archive = tmp_path / "again.7z"
    filled = [part.format(archive=archive) for part in command]
    subprocess.run(filled, cwd=tmp_path, env=os.environ | {"LC_ALL": "C.UTF-8"}, check=True, capture_output=True)
    assert verdict(archive, archive.read_bytes(), PASSWORD) == "rewrapped"


def test_an_archive_by_py7zr_is_called_that(tmp_path: Path) -> None:
    writers.write("directory", trees.small(tmp_path), tmp_path / TOP, progress=NullProgress())
    for password in (None, PASSWORD):
        with py7zr.SevenZipFile(tmp_path / "again.7z", "w", password=password) as archive:
            archive.set_encrypted_header(bool(password))
            archive.writeall(tmp_path / TOP, TOP)
        assert verdict(tmp_path / "again.7z", (tmp_path / "again.7z").read_bytes(), PASSWORD) == "rewrapped"
