"""An archive that is not complete says what it is: cut short, empty, one part of several, still being copied."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.model.progress import NullProgress
from bundler.model.tree import Entry, Tree
from bundler.pack import container, writers
from tests.support import trees

ARCHIVES = ("zip", "tar.gz", "7z")


def nested() -> bytes:
    """A zip within the bundle, stored: its end record is in the bytes of the outer zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("setup.exe", b"MZ" + bytes(100))
    return held.getvalue()


def nested64() -> bytes:
    """As :func:`nested`, with an end record that refers to a Zip64 one, as large installers have."""
    zipped = nested()
    end = zipped.rindex(b"PK\x05\x06")
    _, _, _, _, members, length, offset, _ = struct.unpack("<4s4H2LH", zipped[end:])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, members, members, length, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return zipped[:end] + record + locator + last


@pytest.fixture(params=ARCHIVES)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    contents = {
        "SHA256SUMS": b"0" * 64 + b"  a\n",
        "payload/windows/nested.zip": nested(),
        "payload/windows/nested64.zip": nested64() + b"PK\x05\x06" + bytes(18) + b"PK\x05\x06" + b"\xff" * 18,
        "payload/windows/agent.msi": bytes(range(256)) * 100,
    }
    tree = Tree("bundle-1", tuple(Entry(path, text, 0o644) for path, text in sorted(contents.items())), trees.TIME)
    path = tmp_path / f"bundle.{request.param}"
    writers.write(request.param, tree, path, progress=NullProgress(), password=None)
    return path


def read(path: Path, meanwhile: Callable[[], object] = lambda: None) -> int:
    with container.open_bundle(path) as opened:
        meanwhile()
        return sum(len(chunk) for member in opened.walk() for chunk in member.chunks())


def refusal(path: Path, meanwhile: Callable[[], object] = lambda: None) -> VerificationError:
    with pytest.raises(VerificationError) as refused:
        read(path, meanwhile)
    return refused.value


def test_any_cut_is_called_cut_short(archive: Path) -> None:
    whole = archive.read_bytes()
    part = archive.with_name(f"part-{archive.name}")
    for size in sorted({*range(1, 80), *range(80, len(whole), 37), *range(len(whole) - 120, len(whole))}):
        part.write_bytes(whole[:size])
        assert refusal(part).what == "the archive is cut short", size


def test_something_behind_the_end_is_not_called_cut_short(archive: Path) -> None:
    with archive.open("ab") as file:
        file.write(b"more")
    assert refusal(archive).reason == "trailing-data"


def test_an_empty_file_and_a_web_page_are_named(tmp_path: Path) -> None:
    for name in ("bundle.zip", "bundle.7z", "bundle.tar.gz", "bundle"):
        path = tmp_path / name
        path.touch()
        assert "is empty: it has 0 bytes" in refusal(path).what
        for page in (b"<!DOCTYPE html><p>", b"\xef\xbb\xbf\r\n  <html>", b"<?xml version='1.0'?><html>", b"<HTML>"):
            path.write_bytes(page)
            assert "this is a web page" in refusal(path).what


def test_other_files_are_named(tmp_path: Path) -> None:
    for content, what in (
        (b"MZ\x90", "a Windows program"),
        (b"-----BEGIN X", "a certificate or key"),
        (b"hi", "a text"),
    ):
        (tmp_path / "x.zip").write_bytes(content)
        assert what in refusal(tmp_path / "x.zip").what


def test_an_archive_that_is_still_being_copied_is_named(archive: Path) -> None:
    whole = archive.read_bytes()
    half = whole[: len(whole) // 2]
    archive.write_bytes(half + bytes(len(whole) - len(half)))  # a program that reserved the space at first
    assert any("ends with zeros" in line for line in refusal(archive).details)
    archive.write_bytes(bytes(len(whole)))
    assert "begins with zeros" in refusal(archive).what
    for ending in (".part", ".crdownload", ".filepart"):
        loading = archive.with_name(archive.name + ending)
        loading.write_bytes(half)
        assert any(ending in line and "not done" in line for line in refusal(loading).details)


def test_an_archive_that_grows_is_named(archive: Path) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-200])

    def grow() -> None:
        with archive.open("ab") as file:
            file.write(whole[-200:-100])

    assert any("still being written" in line for line in refusal(archive, grow).details)


@pytest.mark.parametrize("size", [5000, 20_000])
def test_parts_are_joined_by_the_command_that_is_printed(archive: Path, tmp_path: Path, size: int) -> None:
    whole = archive.read_bytes()
    folder = tmp_path / "two words"
    folder.mkdir()
    name = f"it's {archive.name}"
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    for number, piece in enumerate(pieces, 1):
        (folder / f"{name}.{number:03}").write_bytes(piece)
    for number in (1, len(pieces)) if len(pieces) > 1 else ():
        error = refusal(folder / f"{name}.{number:03}")
        assert "is one part of an archive that was split" in error.what
        assert not error.details
    if len(pieces) < 3 or not shutil.which("sh"):
        return
    subprocess.run(["sh", "-c", error.do.split("`")[1]], cwd=folder, check=True)
    assert (folder / name).read_bytes() == whole
    (folder / f"{name}.002").write_bytes(pieces[1][:-1])
    assert refusal(folder / f"{name}.001").details == (f"Shorter than others: {name}.002",)
    (folder / f"{name}.001").unlink()
    error = refusal(folder / f"{name}.002")
    assert f"Missing: {name}.001" in error.details
    assert "get all parts again" in error.do


def test_a_whole_archive_with_a_part_s_name_is_read(archive: Path) -> None:
    renamed = archive.rename(archive.with_name(f"{archive.name}.001"))
    assert read(renamed) > 0


@pytest.mark.parametrize("ending", ["20261130", "99999999999"])
def test_a_date_at_the_end_of_a_name_numbers_no_part(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"bundle.{ending}"
    path.write_bytes(b"PK\x03\x04" + bytes(40))
    assert "part of an archive" not in refusal(path).what


def test_of_many_missing_parts_some_are_named(tmp_path: Path) -> None:
    path = tmp_path / "bundle.7z.999"
    path.write_bytes(b"x" * 40)
    (tmp_path / "bundle.7z.20261130").write_bytes(b"y")
    details = refusal(path).details
    assert details[0] == "Missing: bundle.7z.001"
    assert details[-1] == "Missing: 988 more"
    assert len(details) == 11
