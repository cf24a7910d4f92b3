"""py7zr finds in our 7z what we packed; what it does not find, our own writer and reader may both be wrong about."""

from __future__ import annotations

import types
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.errors import WriteError
from bundler.model.progress import NullProgress
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import (
    append,
    container,
    content,
    second_reader,
    sevenzip,
    sevenzip_cipher,
    sevenzip_form,
    sevenzip_streams,
)
from tests.pack.test_sevenzip_form import TREES
from tests.support import limited, trees

PASSWORD = "geheim \u79d8\u5bc6"


def _written(tree: Tree, folder: Path, password: str | None = None) -> Path:
    sevenzip.write(tree, folder / "output", NullProgress(), password)
    return folder / "output"


def _refused(archive: Path, tree: Tree, password: str | None = None) -> WriteError:
    with pytest.raises(WriteError) as caught:
        second_reader.require_same(archive, tree, password, name="b-1.7z")
    assert caught.value.exit_code == 7
    assert caught.value.what.startswith("b-1.7z was written, but py7zr")
    return caught.value


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())
def test_what_was_packed_is_found(tree: Tree, tmp_path: Path) -> None:
    second_reader.require_same(_written(tree, tmp_path), tree, None, name="b-1.7z")


@pytest.mark.parametrize("name", ["1 and 1", "3 and 3", "2 and 0", "0 and 1", "an empty package alone", "large"])
def test_what_was_packed_and_encrypted_is_found(name: str, tmp_path: Path) -> None:
    second_reader.require_same(_written(TREES[name], tmp_path, PASSWORD), TREES[name], PASSWORD, name="b-1.7z")
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_neither_the_current_folder_nor_the_way_to_the_archive_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """py7zr refuses names that lead out of a folder through a link that is there."""
    tree = trees.small(tmp_path)
    work, real = tmp_path / "work", tmp_path / "real"
    work.mkdir()
    real.mkdir()
    (work / tree.name).symlink_to(tmp_path)
    (tmp_path / "way").symlink_to(real)
    monkeypatch.chdir(work)
    _written(tree, real)
    second_reader.require_same(tmp_path / "way/output", tree, None, name="b-1.7z")
    monkeypatch.chdir(tmp_path)
    second_reader.require_same(Path("work/../real/output"), tree, None, name="b-1.7z")


def _changed(tree: Tree, **values: object) -> Tree:
    first, *others = tree.entries
    return replace(tree, entries=(replace(first, **values), *others))


CHANGES: dict[str, tuple[Callable[[Tree], Tree], str]] = {
    "name": (lambda tree: _changed(tree, path="D0"), "missing: 'b-1/D0'"),
    "folder": (lambda tree: replace(tree, name="b-2"), "missing: 'b-2/d0'"),
    "content": (lambda tree: _changed(tree, content=b"D0" * 9), "SHA-256"),
    "size": (lambda tree: _changed(tree, content=b"d0" * 8), "18 bytes"),
    "mode": (lambda tree: _changed(tree, mode=0o755), "-rwxr-xr-x"),
    "time": (lambda tree: replace(tree, time=tree.time.replace(second=6)), "time 17"),
    "fewer": (lambda tree: replace(tree, entries=tree.entries[1:]), "not of the bundle: 'b-1/d0'"),
    "more": (lambda tree: replace(tree, entries=(*tree.entries, Entry("z", b""))), "missing: 'b-1/z'"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_difference_is_named(change: str, tmp_path: Path) -> None:
    make, detail = CHANGES[change]
    tree = TREES["3 and 3"]
    assert detail in "\n".join(_refused(_written(tree, tmp_path), make(tree)).details)


def test_many_differences_are_counted(tmp_path: Path) -> None:
    tree = TREES["130 and 20"]
    details = _refused(_written(tree, tmp_path), replace(tree, name="b-2")).details
    assert len(details) == 22
    assert details[-1] == "and 280 more"


@pytest.mark.parametrize("kept", [0, 31, 32, 400, -1])
def test_what_py7zr_cannot_unpack_is_refused(kept: int, tmp_path: Path) -> None:
    archive = _written(TREES["3 and 3"], tmp_path)
    archive.write_bytes(archive.read_bytes()[:kept])
    _refused(archive, TREES["3 and 3"])


def test_another_password_is_refused(tmp_path: Path) -> None:
    archive = _written(TREES["3 and 3"], tmp_path, PASSWORD)
    for password in (None, "geheim"):
        _refused(archive, TREES["3 and 3"], password)


def _wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    right = sevenzip_cipher.key
    monkeypatch.setattr(sevenzip_cipher, "key", lambda password: right(password[::-1]))


WRONG = types.SimpleNamespace(crc32=lambda chunk, start=0: zlib.crc32(chunk, start) ^ 1)
"""``zlib`` with another checksum."""


def _wrong_crc(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sevenzip, sevenzip_streams):
        monkeypatch.setattr(module, "zlib", WRONG)


def _no_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sevenzip_form, "attributes_of", lambda mode: 0x8020 | mode << 16)


def _no_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    right = sevenzip_form.attributes_of
    monkeypatch.setattr(sevenzip_form, "attributes_of", lambda mode: right(mode) & ~0x8000)


def _other_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sevenzip_form, "_EPOCH_1970", sevenzip_form._EPOCH_1970 + 36_000_000_000)


SHARED_FAULTS = {
    "key": (_wrong_key, PASSWORD),
    "checksum": (_wrong_crc, None),
    "type": (_no_type, None),
    "modes": (_no_modes, None),
    "time": (_other_epoch, None),
}


@pytest.mark.parametrize("fault", SHARED_FAULTS)
def test_a_fault_of_writer_and_reader_is_found(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a fault is in the code that both share: our own reader finds everything in order."""
    inject, password = SHARED_FAULTS[fault]
    inject(monkeypatch)
    tree = TREES["3 and 3"]
    archive = _written(tree, tmp_path, password)
    with container.open_bundle(archive, password=lambda: password or "") as opened:
        assert {m.path: (m.mode, b"".join(m.chunks())) for m in opened.walk()} == {
            entry.path: (entry.mode, entry.content) for entry in tree.entries
        }
    _refused(archive, tree, password)


def test_a_7z_that_gets_an_approval_is_read_again_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = TREES["3 and 3"]
    archive = _written(tree, tmp_path).rename(tmp_path / "b-1.7z")
    modes = {entry.path: entry.mode for entry in tree.entries}

    def approve() -> None:
        append.add(
            archive,
            {"approvals/a.p7s": b"approved"},
            modes=modes,
            time=tree.time,
            password=None,
            progress=NullProgress(),
        )

    before = archive.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(sevenzip, "zlib", WRONG)
        with pytest.raises(WriteError, match=r"b-1\.7z was written, but py7zr"):
            approve()
    assert archive.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["b-1.7z"]
    approve()
    assert archive.read_bytes() != before


LARGE = 200 << 20


def _with_package(package: Path, sha256: str) -> Tree:
    documents = (Entry(f"d{at}", b"line\n" * 100_000) for at in range(9))
    return Tree("b-1", (*documents, Entry("payload/p", Blob(package, LARGE, sha256))), trees.TIME)


def read_large(archive: str, package: str, sha256: str, password: str) -> None:
    second_reader.require_same(Path(archive), _with_package(Path(package), sha256), password or None, name="b-1.7z")


@pytest.mark.slow
@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_large_package_is_never_in_memory(password: str, tmp_path: Path) -> None:
    with (tmp_path / "package").open("xb") as file:
        file.truncate(LARGE)
    sha256 = content.file_sha256(tmp_path / "package")
    archive = _written(_with_package(tmp_path / "package", sha256), tmp_path, password or None)
    given = (str(archive), str(tmp_path / "package"), sha256, password)
    outcome = limited.call(f"{__name__}:read_large", *given, memory=100 << 20, seconds=60)
    assert (outcome.error, outcome.message) == ("", "")
    assert outcome.peak < 24 << 20
