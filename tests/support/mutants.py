"""Mutants of archives: bytes and blocks changed anywhere, headers changed with their checksums repaired, and streams
packed otherwise.

Each generator goes on for ever, and its chance decides what comes next, so that a run can be repeated. The measure is
in ``tests/pack/test_mutants.py``: a mutant that is accepted must be unpacked by everyone as the original is.
"""

from __future__ import annotations

import itertools
import lzma
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from bundler.formats import sevenzip
from bundler.formats.sevenzip import START
from tests.support import sevenzip_forge, tar_parts, zip_parts
from tests.support.sevenzip_forge import Encrypted, Forge, taken_apart, whole
from tests.support.tar_parts import BLOCK, FIELDS

Mutants = Iterator[bytes]
_TAR_TYPES = b"0\x001234567xgLKSVMDNAZ"
_INTERESTING = (b"\0", b" ", b"0", b"7", b"8", b"/", b"\xff", b"\x80", b"+", b"-", b"=", b"\n", b"a", b"\\", b".")
_ZIP_WIDTHS = {
    **dict.fromkeys(("flags", "method", "time", "date", "disk", "internal"), 16),
    **dict.fromkeys(("crc", "packed", "size", "external", "offset"), 32),
    **dict.fromkeys(("made", "system", "version"), 8),
}
_ZIP_LOCAL = ("version", "flags", "method", "time", "date", "crc", "packed", "size")


def changed(raw: bytes, chance: random.Random, unit: int = 1) -> bytes:
    """``raw`` with one thing changed somewhere: a byte or bit, or whole pieces of a multiple of ``unit`` bytes."""
    at = chance.randrange(max(1, len(raw) // unit)) * unit
    size = unit * chance.choice((1, 1, 2, 3, 4, 8, 16, 60, 200))
    piece = raw[at : at + size]
    other = chance.randrange(max(1, len(raw) // unit)) * unit
    kind = chance.choice(
        ("bit", "bit", "byte", "cut", "insert", "delete", "double", "move", "exchange", "append", "zero")
    )
    if kind == "bit" or (unit > 1 and kind == "byte"):
        where = chance.randrange(len(raw))
        return raw[:where] + bytes([raw[where] ^ 1 << chance.randrange(8)]) + raw[where + 1 :]
    if kind == "byte":
        return raw[:at] + chance.choice((*_INTERESTING, chance.randbytes(1))) + raw[at + 1 :]
    if kind == "cut":
        return raw[:at]
    if kind == "insert":
        return raw[:at] + chance.choice((bytes(size), chance.randbytes(size), b"x" * size)) + raw[at:]
    if kind == "delete":
        return raw[:at] + raw[at + size :]
    if kind == "double":
        return raw[:at] + piece + raw[at:]
    if kind == "move":
        rest = raw[:at] + raw[at + size :]
        return rest[:other] + piece + rest[other:]
    if kind == "exchange":
        first, second = sorted((at, other))
        size = min(size, second - first) or 1
        return (
            raw[:first]
            + raw[second : second + size]
            + raw[first + size : second]
            + raw[first : first + size]
            + raw[second + size :]
        )
    if kind == "zero":
        return raw[:at] + bytes(len(piece)) + raw[at + size :]
    return raw + chance.choice((bytes(size), chance.randbytes(size), raw[-size:], raw))


def every_bit(raw: bytes, step: int) -> Mutants:
    """One bit of every ``step``-th byte, and of each of the first and last forty."""
    for at in range(len(raw)):
        if at % step == 0 or at < 40 or at >= len(raw) - 40:
            yield raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]


def _mixed(chance: random.Random, *kinds: Callable[[], bytes]) -> Mutants:
    while True:
        yield chance.choice(kinds)()


# --- tar.gz


def of_tar(raw: bytes, chance: random.Random) -> Mutants:
    """Mutants of a tar.gz; in all but the plain changes the CRC and length of the gzip are right."""
    tar = zlib.decompress(raw, 31)
    heads = _tar_headers(tar)

    def header() -> bytes:
        at = chance.choice(heads)
        start, room = FIELDS[chance.choice(sorted(FIELDS.keys() - {"checksum"}))]
        old = tar[at + start : at + start + room]
        head = bytearray(tar[at : at + BLOCK])
        head[start : start + room] = _field(old, room, chance)
        return _packed(tar[:at] + _summed(bytes(head)) + tar[at + BLOCK :], chance)

    def another_header() -> bytes:
        at = chance.choice((*heads, len(tar) - chance.randrange(1, 20) * BLOCK))
        kind = chance.choice(_TAR_TYPES)
        held = chance.choice((b"", tar_parts.record("path", "x"), tar_parts.record("size", "0"), b"evil\n"))
        name = chance.choice(("x", "arc-lab-2026.11.22/x", "arc-lab-2026.11.22/install.sh", "././@LongLink"))
        link = chance.choice((b"", b"/etc/passwd", b"install.sh"))
        block = tar_parts.block(name, len(held), type=bytes([kind]), linkname=link)
        return _packed(tar[:at] + block + tar_parts.filled(held) + tar[at:], chance)

    return _mixed(
        chance,
        lambda: changed(raw, chance),
        header,
        header,
        another_header,
        lambda: _packed(changed(tar, chance), chance),
        lambda: _packed(changed(tar, chance, BLOCK), chance),
    )


def _tar_headers(tar: bytes) -> list[int]:
    """The offsets of all headers."""
    found, at = [], 0
    while tar[at : at + 1].strip(b"\0"):
        found.append(at)
        size = int(tar[at + 124 : at + 135], 8)
        at += BLOCK + -(-size // BLOCK) * BLOCK
    return found


def _summed(head: bytes) -> bytes:
    return head[:148] + b"%06o\0 " % tar_parts.checksum(head) + head[156:]


def _field(old: bytes, room: int, chance: random.Random) -> bytes:
    """Another writing of a field, or another value."""
    text = old.rstrip(b"\0 ")
    choices = [
        old.replace(b"\0", b" "),
        text.lstrip(b"0").rjust(room - 1) + b"\0",
        text + b"\0" + b"evil"[: max(0, room - len(text) - 1)],
        b" " + old[:-1],
        old[1:] + b"\0",
        old[:-1] + b" ",
        old[:-1] + b"7",
        bytes(room),
        b"\xff" * room,
        bytes([chance.randrange(256)]) + old[1:],
        old[:-1] + bytes([chance.randrange(256)]),
        chance.randbytes(room),
    ]
    if text.isdigit() and set(text) <= set(b"01234567"):
        number = int(text, 8)
        choices += [
            b"%0*o\0" % (room - 1, abs(number + chance.choice((-1, 1, 512)))),
            b"\x80" + number.to_bytes(room - 1, "big"),
        ]
    return chance.choice(choices)[:room].ljust(room, b"\0")


def _packed(tar: bytes, chance: random.Random) -> bytes:
    return tar_parts.gzip(tar, level=chance.choice((0, 1)))


def tar_packed_otherwise(raw: bytes, chance: random.Random) -> Mutants:
    """The same tar in other deflate streams: levels, strategies, windows, flushes, and stored blocks of any length."""
    tar = zlib.decompress(raw, 31)
    end = struct.pack("<LL", zlib.crc32(tar), len(tar))
    strategies = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)
    flushes = (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_BLOCK)
    while True:
        packer = zlib.compressobj(
            chance.randrange(10),
            zlib.DEFLATED,
            -chance.randrange(9, 16),
            chance.randrange(1, 10),
            chance.choice(strategies),
        )
        pieces = _pieces(tar, chance)
        parts = []
        if chance.random() < 0.3:  # stored by hand
            parts = [struct.pack("<BHH", 0, len(one), len(one) ^ 0xFFFF) + one for one in _short(pieces)]
            pieces = []
        for one in pieces:
            parts += [packer.compress(one), packer.flush(chance.choice(flushes)) if chance.random() < 0.5 else b""]
        yield tar_parts.GZIP_HEADER + b"".join(parts) + packer.flush() + end


def _pieces(held: bytes, chance: random.Random, most: int = 12) -> list[bytes]:
    cuts = sorted(chance.randrange(len(held) + 1) for _ in range(chance.randrange(most)))
    return [held[start:stop] for start, stop in itertools.pairwise([0, *cuts, len(held)])]


def _short(pieces: list[bytes], limit: int = 0xFFFF) -> list[bytes]:
    return [one[at : at + limit] for one in pieces for at in range(0, max(1, len(one)), limit)]


# --- zip


def of_zip(raw: bytes, parts: zip_parts.Zip, chance: random.Random) -> Mutants:
    """Mutants of a zip: in some the headers before the members and those of the directory agree, with right CRCs."""

    def value(field: str, old: int) -> int:
        width = _ZIP_WIDTHS[field]
        return chance.choice(
            (
                old ^ 1 << chance.randrange(width),
                chance.getrandbits(width),
                0,
                (1 << width) - 1,
                (old + 1) % (1 << width),
            )
        )

    def header() -> bytes:
        one = chance.choice(parts.members)
        name = one.name.decode().split("/", 1)[1]
        field = chance.choice(sorted(_ZIP_WIDTHS))
        said = {**one.fields, "packed": len(one.stored), "offset": 0}
        fresh = {field: value(field, int(said[field]))}
        sides = chance.choice(({"central": fresh}, {"local": fresh}, {"central": fresh, "local": fresh}))
        if field not in _ZIP_LOCAL:
            sides = {"central": fresh}
        return parts.with_member(name, **sides).raw()

    def content() -> bytes:
        one = chance.choice(parts.members)
        held = changed(one.content, chance) if one.content else b"x"
        fields = {**one.fields, "crc": zlib.crc32(held), "size": len(held)}
        return parts.with_member(one.name.decode().split("/", 1)[1], content=held, fields=fields).raw()

    def deflated() -> bytes:
        one = chance.choice(parts.members)
        packer = zlib.compressobj(chance.randrange(1, 10), zlib.DEFLATED, -15)
        packed = packer.compress(one.content) + packer.flush()
        return parts.with_member(
            one.name.decode().split("/", 1)[1], packed=packed, fields={**one.fields, "method": 8}
        ).raw()

    def order() -> bytes:
        members = list(parts.members)
        chance.shuffle(members)
        return replace(parts, members=tuple(members), directory_reversed=chance.random() < 0.3).raw()

    def around() -> bytes:
        one = chance.choice(parts.members).name.decode().split("/", 1)[1]
        more = chance.choice((b"x", bytes(4), b"PK\3\4", chance.randbytes(chance.randrange(1, 40))))
        tlv = struct.pack("<HH", chance.getrandbits(16), len(more)) + more
        return chance.choice(
            (
                replace(parts, front=more),
                replace(parts, gap=more),
                replace(parts, behind=more),
                replace(parts, tail=more),
                replace(parts, end={"comment": more}),
                replace(parts, shifted=chance.choice((1, 4, 100))),
                parts.with_member(one, before=more),
                parts.with_member(one, after=more),
                parts.with_member(one, central={"extra": tlv}),
                parts.with_member(one, local={"extra": tlv}),
                parts.both(one, extra=tlv),
                parts.with_member(one, central={"comment": more}),
                parts.with_member(one, listed=False),
                parts.both(one, name=chance.choice((b"x", b"../x", b"arc-lab-2026.11.22/x"))),
                replace(parts, members=(*parts.members, chance.choice(parts.members))),
            )
        ).raw()

    return _mixed(chance, lambda: changed(raw, chance), header, header, content, deflated, order, around)


# --- 7z


def of_sevenzip(raw: bytes, chance: random.Random) -> Mutants:
    """Mutants of a 7z: changed anywhere, or with changed headers, streams or content and right checksums."""
    return _mixed(chance, lambda: changed(raw, chance), *_with_checksums(raw, chance, lambda forge: forge.build()))


def of_encrypted(plain: bytes, raw: bytes, password: str, chance: random.Random) -> Mutants:
    """As :func:`of_sevenzip`, of the encrypted archive ``raw`` and of ``plain``, encrypted after it was changed."""

    def sealed(forge: Forge) -> bytes:
        made = Encrypted(forge, password, chance.randbytes(16))
        if chance.random() < 0.3:
            made.header = lambda header: changed(header, chance)
        if chance.random() < 0.2:
            made.outer = lambda outer: changed(outer, chance)
        if chance.random() < 0.1:
            made.filler = chance.randbytes
        return made.build()

    def apart() -> bytes:
        return sealed(taken_apart(plain))

    return _mixed(chance, lambda: changed(raw, chance), apart, *_with_checksums(plain, chance, sealed))


def _with_checksums(
    raw: bytes, chance: random.Random, build: Callable[[Forge], bytes]
) -> tuple[Callable[[], bytes], ...]:
    start = sevenzip.read_start(raw)
    body, end = raw[START.size : START.size + start.offset], raw[START.size + start.offset :]

    def header() -> bytes:
        return whole(body, changed(end, chance))

    def described() -> bytes:
        """Other parts of the header, which hang together."""
        forge = taken_apart(raw)
        chosen = chance.randrange(6)
        if chosen == 0:
            chance.shuffle(forge.properties)
        elif chosen == 1:
            held = chance.choice((b"", bytes(4), chance.randbytes(9), forge.properties[0][1]))
            forge.properties.insert(chance.randrange(4), (chance.choice((*range(0x0E, 0x1B), 0x40)), held))
        elif chosen == 2:
            at = chance.randrange(3)
            forge.properties[at] = (forge.properties[at][0], changed(forge.properties[at][1], chance))
        elif chosen == 3:
            forge.streams = changed(forge.streams, chance)
        elif chosen == 4:
            forge.count += chance.choice((-1, 1, 7))
        else:
            forge.first, forge.last, forge.behind = chance.choice(
                ((b"x", b"", b""), (b"", b"x", b""), (b"", b"", b"\0"))
            )
        return build(forge)

    def stream() -> bytes:
        forge = taken_apart(raw)
        at = chance.randrange(len(forge.blocks))
        forge.packed[at] = changed(forge.packed[at], chance)
        size = len(forge.packed[at])
        forge.blocks[at] = replace(forge.blocks[at], packed=size, inner=size)
        return build(forge.describe())

    def content() -> bytes:
        """Files with other bytes, names, modes or times, or in another order; all checksums are right."""
        forge = taken_apart(raw)
        at = chance.randrange(len(forge.blocks))
        block = forge.blocks[at]
        held = sevenzip_forge.content(block, forge.packed[at])
        files, offset = [], 0
        for file in block.files:
            files.append((file, held[offset : offset + file.size]))
            offset += file.size
        which = chance.randrange(len(files))
        file, own = files[which]
        chosen = chance.randrange(5)
        if chosen == 0:
            own = changed(own, chance) if own else b"x"
        elif chosen == 1:
            file = replace(file, mode=file.mode ^ 1 << chance.randrange(12))
        elif chosen == 2:
            file = replace(file, time=file.time + chance.choice((-1, 1, 2, 3600)))
        elif chosen == 3:
            file = replace(file, path=file.path + chance.choice(("x", ".", " ", "/x", "\u00ad")))
        files[which] = (replace(file, size=len(own), crc=zlib.crc32(own)), own)
        if chosen == 4:
            chance.shuffle(files)
        held = b"".join(own for _, own in files)
        packed = _lzma2(held, chance) if block.compressed else held
        forge.packed[at] = packed
        forge.blocks[at] = replace(block, files=tuple(file for file, _ in files), packed=len(packed), inner=len(packed))
        return build(forge.describe())

    return header, header, described, stream, stream, content


def sevenzip_packed_otherwise(
    raw: bytes, chance: random.Random, build: Callable[[Forge], bytes] = lambda forge: forge.build()
) -> Mutants:
    """The same files in other LZMA2 streams."""
    while True:
        forge = taken_apart(raw)
        for at, block in enumerate(forge.blocks):
            if block.compressed:
                packed = _lzma2(sevenzip_forge.content(block, forge.packed[at]), chance)
                forge.packed[at] = packed
                forge.blocks[at] = replace(block, packed=len(packed), inner=len(packed))
        yield build(forge.describe())


def _lzma2(held: bytes, chance: random.Random) -> bytes:
    """LZMA2 of pieces: each starts anew, packed by chosen settings or stored (section LZMA2 of xz's documentation)."""
    parts = []
    for one in filter(None, _pieces(held, chance, 6)):
        if chance.random() < 0.3:
            parts += [b"\1" + struct.pack(">H", len(half) - 1) + half for half in _short([one], 0x10000)]
            continue
        lc = chance.randrange(5)
        settings = {
            "id": lzma.FILTER_LZMA2,
            "preset": chance.randrange(10),
            "dict_size": 1 << chance.randrange(12, 23),
            "lc": lc,
            "lp": chance.randrange(5 - lc),
            "pb": chance.randrange(5),
            "mf": chance.choice((lzma.MF_HC3, lzma.MF_HC4, lzma.MF_BT2, lzma.MF_BT3, lzma.MF_BT4)),
            "nice_len": chance.randrange(4, 274),
        }
        # Each stream ends with a zero, which stands here for the end of all.
        parts.append(lzma.compress(one, lzma.FORMAT_RAW, filters=[settings])[:-1])
    return b"".join(parts) + b"\0"
