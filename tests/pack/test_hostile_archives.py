"""Hostile archives: each is refused with its own reason, before any of its content is used."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import py7zr
import pytest

from bundler.errors import BundlerError, UsageError, VerificationError
from bundler.model.progress import NullProgress
from bundler.pack import container, manifest, members, writers, zip_form
from tests.support import trees

TOP = trees.NAME


def _reason(path: Path) -> str:
    with pytest.raises(VerificationError) as refused:
        trees.digest_of(path)
    assert refused.value.do
    return refused.value.reason


def _bundle(kind: str, folder: Path) -> Path:
    out = folder / "bundle"
    writers.write(kind, trees.small(folder), out, progress=NullProgress())  # type: ignore[arg-type]
    return out


# --- zip


def _zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")
        for info, content in members:
            archive.writestr(info, content)
    return path


def _unix(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def _reparse() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{TOP}/a")
    info.create_system = 0
    info.external_attr = 0x400
    return info


def _other_name() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{TOP}/a")
    info.extra = struct.pack("<HHBL", 0x7075, 9, 1, 0) + b"evil"
    return info


ZIPS: dict[str, tuple[list[tuple[str | zipfile.ZipInfo, bytes]], str]] = {
    "symlink": ([(_unix(f"{TOP}/a", stat.S_IFLNK | 0o777), b"/etc/passwd")], "link"),
    "reparse-point": ([(_reparse(), b"x")], "link"),
    "device": ([(_unix(f"{TOP}/a", stat.S_IFCHR | 0o666), b"")], "special-file"),
    "fifo": ([(_unix(f"{TOP}/a", stat.S_IFIFO | 0o666), b"")], "special-file"),
    "folder-with-content": ([(_unix(f"{TOP}/a/", stat.S_IFDIR | 0o755), b"x")], "special-file"),
    "absolute": ([("/etc/passwd", b"x")], "unsafe-name"),
    "drive": ([("C:/x", b"x")], "unsafe-name"),
    "escaping": ([(f"{TOP}/../../x", b"x")], "unsafe-name"),
    "backslash": ([(f"{TOP}\\..\\x", b"x")], "unsafe-name"),
    "reserved": ([(f"{TOP}/NUL.txt", b"x")], "unsafe-name"),
    "duplicate": ([(f"{TOP}/a", b"x"), (f"{TOP}/a", b"y")], "duplicate-name"),
    "beside": ([("a", b"x")], "wrong-folder"),
    "two-folders": ([(f"{TOP}/a", b"x"), ("other/a", b"x")], "wrong-folder"),
    "extra-folder": ([(f"{TOP}/a", b"x"), (f"{TOP}/empty/", b"")], "extra-folder"),
    "unicode-path": ([(_other_name(), b"x")], "headers-disagree"),
    "case": ([(f"{TOP}/a", b"x"), (f"{TOP}/A", b"x")], "unsafe-name"),
    "no-manifest": ([(f"{TOP}/a", b"x")], "missing-manifest"),
    "empty": ([], "missing-manifest"),
}


@pytest.mark.parametrize(("members", "reason"), ZIPS.values(), ids=ZIPS.keys())
def test_a_hostile_zip(members: list[tuple[str | zipfile.ZipInfo, bytes]], reason: str, tmp_path: Path) -> None:
    assert _reason(_zip(tmp_path / "x.zip", *members)) == reason


def test_a_zip_compressed_as_windows_cannot_read_it(tmp_path: Path) -> None:
    assert _reason(_zip(tmp_path / "x", (f"{TOP}/a", b"x" * 99), method=zipfile.ZIP_LZMA)) == "unknown-method"


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x", (f"{TOP}/a", bytes(80 << 20)), method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    assert _reason(path) == "bomb"


def test_a_zip_of_very_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_MEMBERS", 50)
    assert _reason(_zip(tmp_path / "x", *((f"{TOP}/{n}", b"") for n in range(51)))) == "bomb"


def test_an_overlapping_zip(tmp_path: Path) -> None:
    """As in Fifield's "A better zip bomb" (WOOT 2019): two directory entries for the same bytes."""
    path = _zip(tmp_path / "x", (f"{TOP}/a", b"x" * 50), (f"{TOP}/b", b"x" * 50))
    raw = bytearray(path.read_bytes())
    second = raw.rindex(b"PK\x01\x02")
    raw[second + 42 : second + 46] = bytes(4)
    path.write_bytes(raw)
    assert _reason(path) in ("foreign-data", "headers-disagree")


@pytest.mark.parametrize(
    ("offset", "field"),
    [(6, "flags"), (8, "method"), (14, "crc"), (18, "packed"), (22, "size"), (30, "name"), (26, "name length")],
)
def test_a_zip_with_headers_that_disagree(offset: int, field: str, tmp_path: Path) -> None:
    path = _bundle("zip", tmp_path)
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 1
    path.write_bytes(raw)
    assert _reason(path) in ("headers-disagree", "foreign-data", "damaged-archive"), field


def _shifted(raw: bytes) -> bytes:
    """The same zip with foreign bytes in front, its offsets put right, so that it is a polyglot in good order."""
    head = b"#!/bin/sh\necho owned; exit\n"
    out = bytearray(raw)
    position = raw.index(b"PK\x01\x02")
    start = position
    while raw[position : position + 4] == b"PK\x01\x02":
        (offset,) = struct.unpack_from("<L", out, position + 42)
        struct.pack_into("<L", out, position + 42, offset + len(head))
        position += 46 + sum(struct.unpack_from("<3H", raw, position + 28))
    struct.pack_into("<L", out, position + 16, start + len(head))
    return head + bytes(out)


def test_bytes_before_a_zip(tmp_path: Path) -> None:
    path = _bundle("zip", tmp_path)
    shifted = _shifted(path.read_bytes())
    path.write_bytes(b"PK\x03\x04" + bytes(26) + path.read_bytes())
    assert _reason(path) == "foreign-data"
    path.write_bytes(shifted)
    assert _reason(path) == "unknown-container"
    with path.open("rb") as file:  # even where the first bytes were not looked at
        from bundler.pack import from_zip

        with pytest.raises(VerificationError) as refused:
            list(from_zip.walk(file, len(shifted)))
    assert refused.value.reason == "foreign-data"


def test_bytes_between_members_of_a_zip(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x", (f"{TOP}/a", b"x" * 50))
    raw = path.read_bytes()
    start = raw.index(b"PK\x01\x02")
    longer = bytearray(raw[:start] + b"hidden" + raw[start:])
    struct.pack_into("<L", longer, len(longer) - 6, start + 6)
    path.write_bytes(longer)
    assert _reason(path) == "foreign-data"


_END_OF_A_ZIP_WITHIN = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, 46, 31, 0)


@pytest.mark.parametrize("tail", [b"\0", b"PK\x05\x06" + bytes(18)])
def test_bytes_after_a_zip(tail: bytes, tmp_path: Path) -> None:
    path = _bundle("zip", tmp_path)
    path.write_bytes(path.read_bytes() + tail)
    assert _reason(path) in ("trailing-data", "foreign-data")


@pytest.mark.parametrize("size", [100, 70_000, (1 << 20) - 11, 3 << 20])
def test_a_zip_with_much_behind_its_end(size: int, tmp_path: Path) -> None:
    path = _bundle("zip", tmp_path)
    path.write_bytes(path.read_bytes() + bytes(size))
    assert _reason(path) == "trailing-data"


@pytest.mark.parametrize("missing", [1, 22, 300])
def test_a_zip_that_was_cut_is_damaged_and_no_forgery(missing: int, tmp_path: Path) -> None:
    """It holds another zip as a package might: whose end is no end of this one."""
    path = _bundle("zip", tmp_path)
    path.write_bytes(path.read_bytes()[:60] + _END_OF_A_ZIP_WITHIN + path.read_bytes()[60:-missing])
    assert _reason(path) == "damaged-archive"


def test_a_zip_with_a_comment(tmp_path: Path) -> None:
    path = _bundle("zip", tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"hello"
    assert _reason(path) == "trailing-data"


def test_a_large_zip_is_read_by_its_large_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zip64 begins at 4 GiB; here the writer is told that it begins at 1000 bytes."""
    monkeypatch.setattr(zip_form, "ZIP64_LIMIT", 1000)
    path = _bundle("zip", tmp_path)
    raw = path.read_bytes()
    assert b"PK\x06\x06" in raw
    assert b"\xff" * 8 in raw
    assert trees.digest_of(path) == manifest.bundle_digest(trees.small(tmp_path))
    end = raw.index(b"PK\x06\x06")
    for offset, reason in [
        (24, "headers-disagree"),
        (32, "headers-disagree"),
        (40, "headers-disagree"),
        (48, "headers-disagree"),
        (4, "foreign"),
    ]:
        path.write_bytes(raw[: end + offset] + bytes([raw[end + offset] ^ 1]) + raw[end + offset + 1 :])
        assert _reason(path).startswith((reason, "damaged")), offset
    for offset in range(end, len(raw)):
        path.write_bytes(raw[:offset] + bytes([raw[offset] ^ 16]) + raw[offset + 1 :])
        with _only_our_errors():
            trees.digest_of(path)


def test_an_encrypted_zip(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x", (f"{TOP}/a", b"x" * 50))
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert _reason(path) == "encrypted"


def test_a_bundle_zipped_again_by_another_tool_is_rewrapped(tmp_path: Path) -> None:
    path = _bundle("zip", tmp_path)
    trees.digest_of(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "again", "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(_unix(info.filename, info.external_attr >> 16), old.read(info))
    assert _reason(tmp_path / "again") == "rewrapped"
    # … and streamed, with data descriptors behind the members
    with (
        zipfile.ZipFile(path) as old,
        (tmp_path / "stream").open("wb") as raw,
        zipfile.ZipFile(_Unseekable(raw), "w") as new,  # type: ignore[arg-type]
    ):
        for info in old.infolist():
            new.writestr(_unix(info.filename, info.external_attr >> 16), old.read(info), zipfile.ZIP_DEFLATED)
    assert _reason(tmp_path / "stream") == "rewrapped"


class _Unseekable(io.RawIOBase):
    def __init__(self, file: io.BufferedWriter) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._file.write(data)


# --- tar.gz


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], tail: bytes = b"") -> Path:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(gzip.compress(raw.getvalue() + tail))
    return path


def _info(name: str = f"{TOP}/a", size: int = 0, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    info.type = kind
    for field, value in more.items():
        setattr(info, field, value)
    return info


TARS: dict[str, tuple[list[tuple[tarfile.TarInfo, bytes]], str]] = {
    "symlink": ([(_info(kind=tarfile.SYMTYPE, linkname="/etc/passwd"), b"")], "link"),
    "hardlink": ([(_info(f"{TOP}/b", 1), b"x"), (_info(kind=tarfile.LNKTYPE, linkname=f"{TOP}/b"), b"")], "link"),
    "character-device": ([(_info(kind=tarfile.CHRTYPE), b"")], "special-file"),
    "block-device": ([(_info(kind=tarfile.BLKTYPE), b"")], "special-file"),
    "fifo": ([(_info(kind=tarfile.FIFOTYPE), b"")], "special-file"),
    "contiguous": ([(_info(kind=tarfile.CONTTYPE), b"")], "special-file"),
    "gnu-sparse": ([(_info(kind=tarfile.GNUTYPE_SPARSE), b"")], "special-file"),
    "pax-sparse": (
        [(_info(pax_headers={"GNU.sparse.size": "9", "GNU.sparse.map": "0,1", "GNU.sparse.realsize": "9"}), b"")],
        "special-file",
    ),
    "unknown-type": ([(_info(kind=b"Z"), b"")], "special-file"),
    "absolute": ([(_info("/etc/passwd", 1), b"x")], "unsafe-name"),
    "escaping": ([(_info(f"{TOP}/../../x", 1), b"x")], "unsafe-name"),
    "escaping-by-pax": ([(_info(pax_headers={"path": "../x"}), b"")], "unsafe-name"),
    "here": ([(_info(f"./{TOP}/x", 1), b"x")], "unsafe-name"),
    "reserved": ([(_info(f"{TOP}/con", 1), b"x")], "unsafe-name"),
    "duplicate": ([(_info(size=1), b"x"), (_info(size=1), b"y")], "duplicate-name"),
    "two-folders": ([(_info(size=1), b"x"), (_info("other/a", 1), b"y")], "wrong-folder"),
    "extra-folder": ([(_info(f"{TOP}/d", kind=tarfile.DIRTYPE), b"")], "extra-folder"),
    "huge-pax-header": ([(_info(pax_headers={"comment": "x" * 200_000}), b"")], "bomb"),
    "no-manifest": ([(_info(size=1), b"x")], "missing-manifest"),
    "case": ([(_info(size=1), b"x"), (_info(f"{TOP}/A", 1), b"x")], "unsafe-name"),
}


@pytest.mark.parametrize(("members", "reason"), TARS.values(), ids=TARS.keys())
def test_a_hostile_tar(members: list[tuple[tarfile.TarInfo, bytes]], reason: str, tmp_path: Path) -> None:
    assert _reason(_tar(tmp_path / "x", *members)) == reason


def test_a_tar_that_declares_more_than_any_bundle_holds(tmp_path: Path) -> None:
    info = _info(size=1 << 40)
    raw = gzip.compress(info.tobuf(tarfile.PAX_FORMAT) + bytes(2048))
    (tmp_path / "x").write_bytes(raw)
    assert _reason(tmp_path / "x") == "bomb"


def test_a_gzip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(_info(size=80 << 20).tobuf() + bytes(80 << 20)))
    assert _reason(path) == "bomb"


def test_a_gzip_bomb_behind_the_end_of_the_tar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "SMALL", 1 << 20)
    monkeypatch.setattr("bundler.pack.from_tar.MAX_MEMBERS", 1)
    assert _reason(_tar(tmp_path / "x", (_info(size=1), b"x"), tail=bytes(8 << 20))) == "bomb"


@pytest.mark.parametrize("tail", [b"x", bytes(512) + b"x" * 512])
def test_bytes_after_the_end_of_a_tar(tail: bytes, tmp_path: Path) -> None:
    assert _reason(_tar(tmp_path / "x", (_info(size=1), b"x"), tail=tail)) == "trailing-data"


@pytest.mark.parametrize("tail", [b"x", bytes(9), gzip.compress(b"", mtime=0), gzip.compress(bytes(512), mtime=0)])
def test_bytes_after_the_end_of_a_gzip(tail: bytes, tmp_path: Path) -> None:
    path = _bundle("tar.gz", tmp_path)
    path.write_bytes(path.read_bytes() + tail)
    assert _reason(path) == "trailing-data"


# --- 7z


def _sevenzip(path: Path, *members: tuple[str, bytes, int | None]) -> Path:
    with py7zr.SevenZipFile(path, "w") as archive:
        for number, (name, content, attributes) in enumerate(members):
            archive.writestr(content, f"plain{number}")
            properties = archive.files[number].file_properties()
            properties["filename"] = name
            if attributes is not None:
                properties["attributes"] = attributes
    return path


def _kind(mode: int) -> int:
    return 0x8000 | mode << 16


SEVENZIPS: dict[str, tuple[list[tuple[str, bytes, int | None]], str]] = {
    "symlink": ([(f"{TOP}/a", b"/etc/passwd", _kind(stat.S_IFLNK | 0o777))], "link"),
    "reparse-point": ([(f"{TOP}/a", b"x", 0x400)], "link"),
    "junction": ([(f"{TOP}/a", b"C:\\", 0x400 | 0x10)], "link"),
    "device": ([(f"{TOP}/a", b"x", _kind(stat.S_IFCHR | 0o666))], "special-file"),
    "socket": ([(f"{TOP}/a", b"x", _kind(stat.S_IFSOCK | 0o666))], "special-file"),
    "absolute": ([("/etc/passwd", b"x", None)], "unsafe-name"),
    "drive": ([("C:/x", b"x", None)], "unsafe-name"),
    "escaping": ([(f"{TOP}/../../x", b"x", None)], "unsafe-name"),
    "backslash": ([(f"{TOP}\\..\\..\\x", b"x", None)], "unsafe-name"),
    "reserved": ([(f"{TOP}/NUL.", b"x", None)], "unsafe-name"),
    "duplicate": ([(f"{TOP}/a", b"x", None), (f"{TOP}/a", b"y", None)], "unsafe-name"),
    "case": ([(f"{TOP}/a", b"x", None), (f"{TOP}/A", b"y", None)], "unsafe-name"),
    "two-folders": ([(f"{TOP}/a", b"x", None), ("other/a", b"y", None)], "wrong-folder"),
    "no-manifest": ([(f"{TOP}/a", b"x", None)], "missing-manifest"),
}


@pytest.mark.parametrize(("members", "reason"), SEVENZIPS.values(), ids=SEVENZIPS.keys())
def test_a_hostile_7z(members: list[tuple[str, bytes, int | None]], reason: str, tmp_path: Path) -> None:
    assert _reason(_sevenzip(tmp_path / "x.7z", *members)) == reason


def test_an_empty_7z(tmp_path: Path) -> None:
    with py7zr.SevenZipFile(tmp_path / "x", "w"):
        pass
    assert _reason(tmp_path / "x") in ("missing-manifest", "damaged-archive")


def test_a_7z_bomb(tmp_path: Path) -> None:
    path = _sevenzip(tmp_path / "x", (f"{TOP}/a", bytes(80 << 20), None))
    assert path.stat().st_size < 100_000
    assert _reason(path) == "bomb"


def test_bytes_after_a_7z(tmp_path: Path) -> None:
    path = _bundle("7z", tmp_path)
    path.write_bytes(path.read_bytes() + b"x")
    assert _reason(path) == "trailing-data"


# --- directories


def test_links_and_devices_in_a_directory(tmp_path: Path) -> None:
    path = _bundle("directory", tmp_path)
    wanted = trees.digest_of(path)
    link = path / "link"
    try:
        link.symlink_to("install.sh")
    except OSError:
        pytest.skip("no symbolic links here")
    assert _reason(path) == "link"
    link.unlink()
    link.symlink_to("config", target_is_directory=True)
    assert _reason(path) == "link"
    link.unlink()
    os.mkfifo(link)
    assert _reason(path) == "special-file"
    link.unlink()
    link.mkdir()
    assert _reason(path) == "extra-folder"
    link.rmdir()
    assert trees.digest_of(path) == wanted


# --- damage


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z"])
def test_an_archive_cut_short_anywhere(kind: str, tmp_path: Path) -> None:
    path = _bundle(kind, tmp_path)
    raw = path.read_bytes()
    cuts = {0, 1, 5, 8, 20, 31, 32, len(raw) - 1, len(raw) - 4, *range(40, len(raw), max(1, len(raw) // 60))}
    for cut in sorted(cuts):
        path.write_bytes(raw[:cut])
        assert _reason(path), cut


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z", "7z encrypted"])
def test_no_changed_byte_of_an_archive_gives_other_content(kind: str, tmp_path: Path) -> None:
    """Any byte: refused, or (a time, a comment that no reader shows) the very same bundle."""
    password = "geheim" if "encrypted" in kind else None
    tree = trees.small(tmp_path, payload=b"package")
    path = tmp_path / "bundle"
    writers.write(kind.split(maxsplit=1)[0], tree, path, progress=NullProgress(), password=password)  # type: ignore[arg-type]
    raw = path.read_bytes()
    wanted = manifest.bundle_digest(tree)
    # Deriving the keys of an encrypted 7z takes its time on purpose, so there fewer are tried.
    step, edge = (301, 2) if password else (31 if kind == "tar.gz" else 7, 40)
    offsets = {*range(edge), *range(len(raw) - edge, len(raw)), *range(edge, len(raw), step), *range(0, 32, 5)}
    refused = 0
    for offset in sorted(offsets):
        path.write_bytes(raw[:offset] + bytes([raw[offset] ^ (1 << offset % 8)]) + raw[offset + 1 :])
        try:
            assert trees.digest_of(path, password) == wanted
        except (VerificationError, UsageError):
            refused += 1
    assert refused > len(offsets) * 0.8


def test_any_changed_byte_of_a_directory_is_refused(tmp_path: Path) -> None:
    path = _bundle("directory", tmp_path)
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        raw = file.read_bytes()
        for offset in {0, len(raw) - 1, *range(0, len(raw), max(1, len(raw) // 40))}:
            file.write_bytes(raw[:offset] + bytes([raw[offset] ^ (1 << offset % 8)]) + raw[offset + 1 :])
            assert _reason(path), (file, offset)
        file.write_bytes(raw)
    trees.digest_of(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z"])
def test_noise_is_refused_in_our_own_words(kind: str, tmp_path: Path) -> None:
    path = _bundle(kind, tmp_path)
    raw = path.read_bytes()
    chance = random.Random(4)
    for _ in range(150):
        noisy = bytearray(raw)
        for _ in range(chance.randrange(1, 12)):
            noisy[chance.randrange(len(raw))] = chance.randrange(256)
        if chance.random() < 0.3:
            cut = chance.randrange(8, len(raw))
            noisy[cut:] = chance.randbytes(chance.randrange(200))
        path.write_bytes(noisy)
        with _only_our_errors():
            trees.digest_of(path)


class _only_our_errors:  # noqa: N801
    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, BundlerError)


@pytest.mark.parametrize("start", [b"", b"x", b"PK", b"<html>", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"PK\x03\x04"])
def test_what_is_no_archive(start: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(start)
    assert _reason(tmp_path / "x") in ("unknown-container", "damaged-archive")
    (tmp_path / "x").write_bytes(start + bytes(range(256)) * 8)
    assert _reason(tmp_path / "x")


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        trees.digest_of(tmp_path / "missing")
    with pytest.raises(UsageError):
        container.sha256(tmp_path / "missing")


# --- the iterator's own manners


@pytest.mark.parametrize("kind", ["directory", "zip", "tar.gz", "7z"])
def test_reading_may_stop_at_any_point(kind: str, tmp_path: Path) -> None:
    path = _bundle(kind, tmp_path)
    for stop in range(4):
        with container.open_bundle(path) as opened:
            for number, member in enumerate(opened.walk()):
                if number == stop:
                    next(member.chunks(), None)
                    break
    _raise_inside(path)


def _raise_inside(path: Path) -> None:
    def stop() -> None:
        raise OSError("the reader's own")

    with pytest.raises(OSError, match="the reader's own"), container.open_bundle(path) as opened:
        [stop() for _ in opened.walk()]
