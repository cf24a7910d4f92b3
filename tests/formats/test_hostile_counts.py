"""No count or size in a file makes a parser loop, or take memory: each in a process with little of both."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from bundler.formats import (
    ar,
    authenticode,
    compressed,
    deb,
    msi,
    openpgp_signature,
    pe_version,
    rpm,
    rpm_header,
    tar,
)
from bundler.formats import portable_executable as pe
from bundler.lab.compound_file import write
from tests.support import authenticode_material as material
from tests.support import limited, packages

MB = 1 << 20


def _rpm(entries: int, store: int, body: bytes = b"") -> bytes:
    return packages.lead() + b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", entries, store) + body


def _rpm_strings() -> bytes:
    """A header of 16 MiB of empty strings, all of one tag."""
    count = 16 * MB - 64
    trailer = struct.pack(">IiiI", 63, 7, -32, 16)
    index = struct.pack(">IiiI", 63, 7, count, 16) + struct.pack(">IiiI", 1049, 8, 0, count)
    good = packages.rpm()
    start = good.index(b"\x8e\xad\xe8\x01", 100)
    head = b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 2, count + 16)
    return good[:start] + head + index + bytes(count) + trailer


def _pe(size: int) -> bytes:
    """A program whose resource directory claims ``size`` bytes."""
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    head = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0)
    optional = (
        struct.pack("<H", 0x20B) + bytes(106) + struct.pack("<I", 16) + bytes(16) + struct.pack("<II", 4096, size)
    )
    optional += bytes(240 - len(optional))
    section = b".rsrc\0\0\0" + struct.pack("<4I", 0xFFFFFFFF, 4096, 0xFFFFFFFF, 512) + bytes(16)
    tree = struct.pack("<12xHH", 0xFFFF, 0xFFFF) + struct.pack("<II", 99, 0) * 400
    return (dos + head + optional + section).ljust(512, b"\0") + tree


def _ar(size: bytes) -> bytes:
    content = bytearray(packages.ar([("debian-binary", b"2.0\n")]))
    content[56:66] = size
    return bytes(content)


def _tar(size: bytes) -> bytes:
    block = bytearray(packages.tar({"control": b"x"})[:512])
    block[124:136] = size.ljust(12, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) * 2000


def _msi(pool: bytes, data: bytes = b"x") -> bytes:
    streams = {msi.encode_name("_StringPool"): pool, msi.encode_name("_StringData"): data}
    return write(streams | {msi.encode_name("Property"): b""}, bytes(16))


def _xz(power: int) -> bytes:
    """A stream whose dictionary claims 2 to the ``power`` bytes."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << power}]
    return lzma.compress(b"a", format=lzma.FORMAT_XZ, filters=filters)


def _zst(log: int) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=log)
    made = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return made.compress(b"a" * 1000) + made.flush()


CASES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an rpm header of 4096 million tags": ("rpm", lambda: _rpm(0xFFFFFFFF, 16)),
    "an rpm header of 4 GiB": ("rpm", lambda: _rpm(1, 0xFFFFFFFF)),
    "an rpm tag of 16 million strings": ("rpm", _rpm_strings),
    "a program's resources of 4 GiB": ("pe_version", lambda: _pe(0xFFFFFFFF)),
    "a program's header at 4 GiB": ("pe", lambda: b"MZ" + bytes(58) + b"\xff\xff\xff\xff" + bytes(400)),
    "a member of an ar of 10 GB": ("ar", lambda: _ar(b"9999999999")),
    "a member of a tar of 8 GiB": ("tar", lambda: _tar(b"77777777777")),
    "empty members of a tar": ("tar", lambda: _tar(b"0")),
    "a string of 4 GiB in an MSI": ("msi", lambda: _msi(struct.pack("<IHHHH", 65001, 0, 1, 0xFFFF, 0xFFFF))),
    "a million empty strings in an MSI": ("msi", lambda: _msi(struct.pack("<I", 65001) + bytes(4 * MB))),
    "gzip of 500 MB": ("gz", lambda: gzip.compress(bytes(500 * MB), 9)),
    "xz with a dictionary of 1 GiB": ("xz", lambda: _xz(30)),
    "xz of 500 MB": ("xz", lambda: lzma.compress(bytes(500 * MB), preset=0)),
    "zstd with a window of 2 GiB": ("zst", lambda: _zst(30)),
    "zstd of 500 MB": ("zst", lambda: zstandard.compress(bytes(500 * MB))),
    "a deb with a control.tar of 500 MB": ("deb", lambda: _deb(gzip.compress(bytes(500 * MB), 9))),
    "DER of 4 GiB": ("authenticode", lambda: b"\x30\x84\xff\xff\xff\xff" + bytes(100)),
    "DER of indefinite length": ("authenticode", lambda: b"\x30\x80" * 1000),
    "DER nested 60 000 deep": ("authenticode", lambda: b"\x30\x83\x03\xff\xff" * 50_000),
    "a packet of 4 GiB": ("openpgp", lambda: b"\xc2\xff\xff\xff\xff\xff" + bytes(100)),
    "a packet in parts": ("openpgp", lambda: b"\xc2\xfe" + bytes(100)),
    "a packet of no length": ("openpgp", lambda: b"\x8b" + bytes(100)),
}


def _deb(control: bytes) -> bytes:
    return packages.ar([("debian-binary", b"2.0\n"), ("control.tar.gz", control), ("data.tar.gz", b"")])


def _unpacked(kind: str) -> Callable[[io.BufferedReader], object]:
    return lambda file: sum(map(len, compressed.decompress(file, kind, limit=64 * MB)))


READERS: dict[str, Callable[[io.BufferedReader], object]] = {
    "rpm": rpm.facts,
    "pe_version": pe_version.facts,
    "pe": pe.SignedImage,
    "ar": ar.members,
    "tar": lambda file: len(list(tar.entries(file, max_content=MB))),
    "msi": msi.facts,
    "gz": _unpacked("gz"),
    "xz": _unpacked("xz"),
    "zst": _unpacked("zst"),
    "deb": deb.facts,
    "authenticode": lambda file: authenticode.read_signature(file.read()),
    "openpgp": lambda file: openpgp_signature.signatures(file.read()),
}


def read(kind: str, path: str) -> str:
    """From an open file, as the program reads: there a count is room that Python makes before it reads."""
    with Path(path).open("rb") as file:
        return str(READERS[kind](file))


@pytest.mark.parametrize("name", CASES)
def test_a_count_that_no_file_has(name, tmp_path):
    kind, make = CASES[name]
    place = tmp_path / "hostile"
    place.write_bytes(make())
    found = limited.call(f"{__name__}:read", kind, str(place), memory=384 * MB, seconds=20)
    assert found.error not in {"", "MemoryError", "OverflowError", "RecursionError", "struct.error"}, found
    assert found.error.endswith("Error")
    assert found.peak < 160 * MB, found
    assert found.seconds < 10, found


def test_the_material_is_what_the_readers_read(tmp_path):
    """The same readers read the good files, so that a refusal above is of the count."""
    for kind, content in {
        "rpm": packages.rpm(),
        "ar": packages.deb(),
        "deb": packages.deb(),
        "msi": material.msi(),
        "tar": packages.tar({"control": b"x"}),
        "gz": gzip.compress(b"a"),
        "xz": lzma.compress(b"a"),
        "zst": zstandard.compress(b"a"),
    }.items():
        place = tmp_path / kind
        place.write_bytes(content)
        assert read(kind, str(place))


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 1000, 65_536, 65_537, 70_000, 140_001])
@pytest.mark.parametrize("text", [b"", b"a", b"ab" * 400])
def test_the_strings_of_an_rpm_tag_end_where_they_end(count, text):
    """Counted by blocks, or one by one."""
    strings = (text + b"\0") * min(count, 140_001 if len(text) < 2 else 2000)
    found = min(count, strings.count(b"\0"))
    assert rpm_header._strings_size(b"x" + strings + b"rest\0\0", 1, 0, found) == len(strings)
    with pytest.raises(rpm_header.RpmError):
        rpm_header._strings_size(b"x" + strings, 1, 0, found + 1)
