"""No number in a compound file makes its reader loop, or take memory: each structure that can lead back to itself."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.formats.compound_file import CompoundFile
from bundler.lab.compound_file import write
from tests.support import limited

SECTOR = 512
FREE, END, FAT, DIFAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
CLASS = bytes(16)
MEMORY = 64 << 20
SHARED = Path(__file__).resolve().parents[3] / "shared/cases/archives/difat-loop.msi"


def read(path: str) -> str:
    with Path(path).open("rb") as file:
        return str(CompoundFile(file).root.size)


def outcome(content: bytes, folder: Path) -> limited.Outcome:
    place = folder / "hostile.msi"
    place.write_bytes(content)
    return limited.call(f"{__name__}:read", str(place), memory=MEMORY, seconds=10)


def header(difat_start: int, difat_sectors: int, *, fat_sectors: int = 1, fat: tuple[int, ...] = (0,)) -> bytes:
    counts = (0, fat_sectors, 1, 0, 4096, END, 0, difat_start, difat_sectors)
    fixed = struct.pack("<8s16sHHHHH6s", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"")
    return fixed + struct.pack("<9I", *counts) + struct.pack("<109I", *fat, *[FREE] * (109 - len(fat)))


def sector(*numbers: int) -> bytes:
    return struct.pack("<128I", *numbers, *[FREE] * (128 - len(numbers)))


def difat(next_one: int) -> bytes:
    return struct.pack("<128I", *[FREE] * 127, next_one)


LOOPS = {
    "a DIFAT sector leads to itself": header(2, 0xFFFFFFF0) + sector(FAT, END, DIFAT) + bytes(SECTOR) + difat(2),
    "two DIFAT sectors lead to each other": (
        header(2, 0x7FFFFFFF) + sector(FAT, END, DIFAT, DIFAT) + bytes(SECTOR) + difat(3) + difat(2)
    ),
    "the DIFAT leads to the FAT, which leads to it": header(0, 0xFFFFFFF0) + sector(FAT, END) + bytes(SECTOR),
    "as many sectors of the FAT as 32 bits can count": header(2, 1, fat_sectors=0xFFFFFFFF)
    + sector(FAT, END, DIFAT)
    + bytes(SECTOR)
    + difat(END),
    "the FAT is listed a hundred times": header(END, 0, fat_sectors=109, fat=(0,) * 109)
    + sector(FAT, END)
    + bytes(512),
    "the directory's chain leads to its start": header(END, 0) + sector(FAT, 1) + bytes(SECTOR),
    "the directory's chain is a circle of three": header(END, 0) + sector(FAT, 2, 3, 1) + bytes(3 * SECTOR),
    "the mini FAT's chain is the directory's": header(END, 0)[:60]
    + struct.pack("<II", 1, 0xFFFFFFFF)
    + header(END, 0)[68:]
    + sector(FAT, END)
    + bytes(SECTOR),
}


@pytest.mark.parametrize("content", LOOPS.values(), ids=LOOPS)
def test_a_chain_that_leads_back_ends_with_an_error(content, tmp_path):
    found = outcome(content, tmp_path)
    assert found.error == "VerificationError", found
    assert found.reason in {"malformed", "truncated"}
    assert found.peak < 16 << 20


def test_the_file_of_the_adversary(tmp_path):
    if not SHARED.exists():
        pytest.skip(f"the adversary's file is not at {SHARED}")
    found = outcome(SHARED.read_bytes(), tmp_path)
    assert (found.error, found.reason) == ("VerificationError", "malformed"), found
    assert found.peak < 16 << 20


def test_the_limit_works(tmp_path):
    """The same process does end where something takes all memory."""
    assert limited.call(f"{__name__}:take_all", memory=MEMORY).error == "MemoryError"


def take_all() -> int:
    found = b"x"
    while True:
        found += found


def entries(content: bytes) -> int:
    return (struct.unpack_from("<I", content, 48)[0] + 1) * SECTOR


@pytest.mark.parametrize("field", [68, 72, 76])
@pytest.mark.parametrize("entry", [1, 2, 3])
@pytest.mark.parametrize("to_itself", [False, True])
def test_a_directory_entry_that_leads_back(field, entry, to_itself):
    """Left, right and child of each entry, which lead to the root or to the entry itself."""
    content = bytearray(write({"one": b"1", "two": b"2", "three": b"3"}, CLASS))
    struct.pack_into("<I", content, entries(content) + 128 * entry + field, entry if to_itself else 0)
    with pytest.raises(VerificationError) as caught:
        CompoundFile(io.BytesIO(bytes(content)))
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("links", ["left", "right", "child"])
def test_thirty_thousand_entries_below_each_other(links, tmp_path):
    """The tallest tree that a directory of 4 MiB can hold: walked without recursion, storages not at all."""
    field = {"left": 16, "right": 20, "child": 24}[links]
    count = (4 << 20) // 128 - 1
    kind = 1 if links == "child" else 2
    raw = bytearray(entry_bytes("Root Entry", 5, child=1))
    for index in range(1, count):
        one = bytearray(entry_bytes(f"n{index:06}", kind))
        struct.pack_into("<I", one, 52 + field, index + 1 if index + 1 < count else FREE)
        raw += one
    raw += bytes(-len(raw) % SECTOR)
    sectors = len(raw) // SECTOR
    fat = -(-sectors // 127)
    table = [*range(1, sectors), END, *[FAT] * fat]
    table += [FREE] * (fat * 128 - len(table))
    head = bytearray(header(END, 0, fat_sectors=fat, fat=tuple(range(sectors, sectors + fat))))
    struct.pack_into("<I", head, 48, 0)
    content = bytes(head) + bytes(raw) + struct.pack(f"<{fat * 128}I", *table)
    found = outcome(content, tmp_path)
    assert found.error == ("" if links == "right" else "VerificationError"), found  # to the right they are in order
    assert found.seconds < 10
    assert found.peak < MEMORY


def entry_bytes(name: str, kind: int, *, child: int = FREE) -> bytes:
    raw = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII16s4s8s8sIQ", raw, len(raw) + 2, kind, 1, FREE, FREE, child, b"", b"", b"", b"", 0, 0)


@pytest.mark.parametrize("character", ["/", "\\", ":", "!", "\0"])
@pytest.mark.parametrize("form", ["{}ne", "o{}e", "on{}"])
def test_a_name_with_a_character_that_names_cannot_hold(character, form):
    """[MS-CFB] 2.6.1. A zero at a name's end makes it longer than it is."""
    changed = form.format(character)
    content = write({"one": b"1", "two": b"2", "longer": b"3"}, CLASS)
    content = content.replace("one\0".encode("utf-16-le"), f"{changed}\0".encode("utf-16-le"))
    with pytest.raises(VerificationError, match="character that names cannot hold") as caught:
        CompoundFile(io.BytesIO(content))
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("character", ["\x05", "#", ".", "\u4840", "\u3fff", "0", ";", "é"])
def test_a_name_with_any_other_character(character):
    content = write({f"{character}one": b"1"}, CLASS)
    assert CompoundFile(io.BytesIO(content)).root.children[0].name == f"{character}one"
