"""Small debs and rpms made for a test, signed or not, with every fault that it wants (deb(5); rpm format 4)."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import struct
import tarfile
from collections.abc import Mapping, Sequence
from datetime import timedelta

import zstandard

from bundler.lab.openpgp import armor
from tests.support.package_signing import NOW, Key

BUILT = NOW - timedelta(days=50)
PACK = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}

Members = list[tuple[str, bytes]]


def control(
    version: str = "1.67.03504.1320", architecture: str = "amd64", name: str = "azcmagent", more: str = ""
) -> str:
    return (
        f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
        "Maintainer: LAB <lab@localhost>\nInstalled-Size: 12\nDepends: libc6 (>= 2.17),\n passwd\n"
        f"{more}Description: LAB package\n More of it.\n"
    )


def tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def ar(members: Sequence[tuple[str, bytes]]) -> bytes:
    out = b"!<arch>\n"
    for name, content in members:
        out += f"{name:<16}{1700000000:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    return out


def deb_members(text: str = "", suffix: str = ".gz", data: bytes = b"data of the package\n" * 20) -> Members:
    return [
        ("debian-binary", b"2.0\n"),
        (f"control.tar{suffix}", PACK[suffix](tar({"./control": (text or control()).encode()}))),
        ("data.tar.gz", gzip.compress(tar({"./opt/lab": data}), mtime=0)),
    ]


def signed_members(members: Members, key: Key) -> Members:
    signature = key.detached(b"".join(content for _, content in members), BUILT)
    return [*members, ("_gpgorigin", armor("SIGNATURE", signature).encode())]


def deb(key: Key | None = None, **more) -> bytes:
    members = deb_members(**more)
    return ar(signed_members(members, key) if key else members)


INT32, INT64, STRING, BIN, STRING_ARRAY = 4, 5, 6, 7, 8
Fields = dict[int, tuple[int, object]]


def _packed(kind: int, value) -> tuple[bytes, int]:
    if kind == BIN:
        return value, len(value)
    if kind == STRING:
        return value.encode() + b"\0", 1
    if kind == STRING_ARRAY:
        return b"".join(text.encode() + b"\0" for text in value), len(value)
    return struct.pack(f">{len(value)}{'I' if kind == INT32 else 'Q'}", *value), len(value)


def header(fields: Fields, region: int, dribbles: Fields | None = None) -> bytes:
    """A header with its region; ``dribbles`` are entries after it, which no signature covers."""
    entries, store = [], b""
    for tag, (kind, value) in sorted(fields.items()):
        content, count = _packed(kind, value)
        store += bytes(-len(store) % {INT32: 4, INT64: 8}.get(kind, 1))
        entries.append(struct.pack(">IiiI", tag, kind, len(store), count))
        store += content
    index = struct.pack(">IiiI", region, BIN, len(store), 16) + b"".join(entries)
    store += struct.pack(">IiiI", region, BIN, -len(index), 16)
    for tag, (kind, value) in sorted((dribbles or {}).items()):
        content, count = _packed(kind, value)
        index += struct.pack(">IiiI", tag, kind, len(store), count)
        store += content
    return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(index) // 16, len(store)) + index + store


def lead(name: str = "azcmagent-1.67.03504-1320") -> bytes:
    return struct.pack(">4sBBHH66sHH16s", b"\xed\xab\xee\xdb", 3, 0, 0, 1, name.encode(), 1, 5, b"")


def header_fields(payload: bytes, version: str = "1.67.03504", release: str = "1320", arch: str = "x86_64") -> Fields:
    return {
        1000: (STRING, "azcmagent"),
        1001: (STRING, version),
        1002: (STRING, release),
        1009: (INT32, [4711]),
        1011: (STRING, "LAB"),
        1014: (STRING, "LAB licence"),
        1022: (STRING, arch),
        1048: (INT32, [12, 0, 0x0100000A]),
        1049: (STRING_ARRAY, ["glibc", "shadow-utils", "rpmlib(CompressedFileNames)"]),
        1050: (STRING_ARRAY, ["2.17", "", "3.0.4-1"]),
        5092: (STRING_ARRAY, [hashlib.sha256(payload).hexdigest()]),
        5093: (INT32, [8]),
    }


PAYLOAD = gzip.compress(b"070701 a payload that nobody unpacks here\n" * 20, mtime=0)


def rpm_with(main: bytes, signature: Fields, payload: bytes = PAYLOAD) -> bytes:
    front = header(signature, 62)
    return lead() + front + bytes(-len(front) % 8) + main + payload


def rpm(key: Key | None = None, payload: bytes = PAYLOAD, **more) -> bytes:
    main = header(header_fields(payload, **more), 63)
    return rpm_with(main, signature_fields(main, payload, key), payload)


def signature_fields(main: bytes, payload: bytes, key: Key | None) -> Fields:
    fields: Fields = {
        269: (STRING, hashlib.sha1(main).hexdigest()),
        273: (STRING, hashlib.sha256(main).hexdigest()),
        1000: (INT32, [len(main) + len(payload)]),
        1004: (BIN, hashlib.md5(main + payload).digest()),
    }
    if key:
        fields[268] = (BIN, key.detached(main, BUILT))
    return fields
