"""Every container gives back what was put in, and the same tree has the same bytes everywhere."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.errors import UsageError, VerificationError, WriteError
from bundler.integrity.check import check
from bundler.integrity.names import name_faults
from bundler.model.progress import NullProgress
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import container, manifest, writers
from tests.support import trees

FORMATS = ("directory", "zip", "tar.gz", "7z")
ARCHIVES = FORMATS[1:]
PASSWORD = "geheim \u79d8\u5bc6"

_part = st.one_of(
    st.sampled_from(["payload", "evidence", "a", "b.txt", "install.sh"]),
    st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=12),
)
_path = st.lists(_part, min_size=1, max_size=4).map("/".join)
_paths = st.lists(_path, min_size=1, max_size=6, unique=True).filter(
    lambda paths: not name_faults([*paths, "SHA256SUMS"])
)


def _write(kind: str, tree: Tree, out: Path, password: str | None = None) -> writers.Written:
    return writers.write(kind, tree, out, progress=NullProgress(), password=password)  # type: ignore[arg-type]


def _read(path: Path, password: str | None = None) -> dict[str, tuple[int | None, bytes]]:
    ask = None if password is None else lambda: password
    with container.open_bundle(path, password=ask) as opened:
        return {member.path: (member.mode, b"".join(member.chunks())) for member in opened.walk()}


def _content(entry: Entry) -> bytes:
    return entry.content.path.read_bytes() if isinstance(entry.content, Blob) else entry.content


# Not the encrypted 7z: deriving its keys takes half a second, on purpose.
@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_tree_comes_back(kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tree")
    paths = data.draw(_paths)
    entries = []
    for number, path in enumerate(sorted([*paths, "SHA256SUMS"], key=str.encode)):
        content = data.draw(st.binary(max_size=2000))
        in_a_file = path != "SHA256SUMS" and data.draw(st.booleans())
        held = trees.blob(folder / str(number), content) if in_a_file else content
        entries.append(Entry(path, held, data.draw(st.sampled_from([0o644, 0o755]))))
    tree = Tree("bundle-1", tuple(entries), trees.TIME)
    out = folder / "out"
    written = _write(kind, tree, out)
    if kind != "directory":
        assert written.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
        assert written.size == out.stat().st_size
    given_back = _read(out)
    assert {path: content for path, (_, content) in given_back.items()} == {e.path: _content(e) for e in entries}
    if kind != "directory":
        assert {path: mode for path, (mode, _) in given_back.items()} == {e.path: e.mode for e in entries}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_bundle_checks_from_any_container(kind: str, tmp_path: Path) -> None:
    tree = trees.small(tmp_path)
    _write(kind, tree, tmp_path / "out")
    with container.open_bundle(tmp_path / "out") as opened:
        assert opened.format == kind
        found = check(opened.walk())
    assert found.digest == manifest.bundle_digest(tree)
    assert found.manifest.lab
    assert found.documents["evidence/ubuntu/22.04/amd64/InRelease"] == b"Origin: LAB\n"


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize(("documents", "packages"), [(1, 1), (1, 2), (2, 1), (1, 3), (0, 2), (2, 0), (0, 1), (1, 0)])
def test_any_number_of_files_in_the_two_blocks_of_a_7z(
    documents: int, packages: int, password: str | None, tmp_path: Path
) -> None:
    names = [f"d{n}" for n in range(documents)] + [f"payload/p{n}" for n in range(packages)]
    tree = Tree("b", tuple(Entry(name, name.encode() * 9) for name in names), trees.TIME)
    _write("7z", tree, tmp_path / "out", password)
    assert {path: content for path, (_, content) in _read(tmp_path / "out", password).items()} == {
        name: name.encode() * 9 for name in names
    }


def test_pieces_of_any_length_survive_encryption(tmp_path: Path) -> None:
    contents = {f"payload/{size}": bytes(range(251)) * (size // 251) for size in (999, 3_000_003, 2_097_152)}
    tree = Tree("b", tuple(Entry(name, content) for name, content in sorted(contents.items())), trees.TIME)
    _write("7z", tree, tmp_path / "out", PASSWORD)
    assert {path: content for path, (_, content) in _read(tmp_path / "out", PASSWORD).items()} == contents


# --- the same bytes anywhere

_GOLDEN = Tree(
    "golden-1",
    (
        Entry("a/\u00e9\u8cc7\u6599.txt", b"text " * 5000),
        Entry("empty", b""),
        Entry("long/" + "n" * 120 + "/file", b"x", 0o755),
        Entry("payload/one", bytes(range(256)) * 600),
        Entry("payload/two", b"2" * 65535),
    ),
    datetime(2026, 11, 22, 3, 4, 5, tzinfo=timezone.utc),
)
# Taken once; every Python from 3.10 on, with any zlib, must make these bytes again. The 7z's depend on
# liblzma's encoder too: should one ever differ, this says so before two builds of a user do (docs/decisions/0005).
_GOLDEN_SHA256 = {
    "zip": "29ec4ccc0844fde2c1d08b79f587b2ba7d3e98e767735ecc14ecbe7dfdfe25f8",
    "tar.gz": "6e9f124d0a00c75768619f04cdf508a5a8857919045df923acf54f144f490476",
    "7z": "53b38b5d45986a990d95d3b373cb5fe3e2271857854800280a99f1f18232c39b",
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_the_bytes_are_those_of_every_other_machine(kind: str, tmp_path: Path) -> None:
    assert _write(kind, _GOLDEN, tmp_path / "out").sha256 == _GOLDEN_SHA256[kind]


_ELSEWHERE = """
import os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
os.umask(int(sys.argv[2], 8))
from tests.support import trees
from bundler.model.progress import NullProgress
from bundler.pack import writers
tree = trees.small(Path.cwd())
for kind in ("zip", "tar.gz", "7z"):
    print(writers.write(kind, tree, Path("out." + kind), progress=NullProgress()).sha256)
writers.write("directory", tree, Path("folder"), progress=NullProgress())
"""


def _state(folder: Path) -> dict[str, tuple[int, float, bytes]]:
    paths = [folder, *sorted(folder.rglob("*"))]
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            path.stat().st_mtime,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in paths
    }


def test_place_time_zone_umask_and_locale_change_nothing(tmp_path: Path) -> None:
    results = []
    for number, (zone, language, umask) in enumerate(
        [("UTC", "C", "022"), ("Asia/Tokyo", "ja_JP.UTF-8", "077"), ("America/New_York", "C.UTF-8", "000")]
    ):
        place = tmp_path / f"place{number}" / ("deeper" * number)
        place.mkdir(parents=True)
        environment = os.environ | {"TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": str(number)}
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        command = [sys.executable, "-c", _ELSEWHERE, str(Path(__file__).parents[2]), umask]
        run = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=True)
        results.append((run.stdout.split(), _state(place / "folder")))
    assert len(results[0][0]) == 3
    assert results[0] == results[1] == results[2]


def test_modes_and_times_come_from_the_tree(tmp_path: Path) -> None:
    tree = trees.small(tmp_path)
    _write("directory", tree, tmp_path / "folder")
    for entry in tree.entries:
        status = (tmp_path / "folder" / entry.path).stat()
        assert status.st_mtime == trees.TIME.timestamp()
        if os.name == "posix":
            assert stat.S_IMODE(status.st_mode) == entry.mode
    _write("zip", tree, tmp_path / "zip")
    with zipfile.ZipFile(tmp_path / "zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2026, 11, 22, 3, 4, 4)}
        assert archive.getinfo(f"{trees.NAME}/install.sh").external_attr >> 16 == 0o100755
    _write("tar.gz", tree, tmp_path / "tar")
    with tarfile.open(tmp_path / "tar") as archive:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in archive} == {(trees.TIME.timestamp(), 0, 0, "", "")}


def test_an_encrypted_archive_shows_no_name_and_never_repeats(tmp_path: Path) -> None:
    tree = trees.small(tmp_path)
    first, second = (_write("7z", tree, tmp_path / name, PASSWORD) for name in ("one", "two"))
    assert first.sha256 != second.sha256
    for form in ("utf-8", "utf-16-le"):
        assert "install.sh".encode(form) not in (tmp_path / "one").read_bytes()
    with pytest.raises(UsageError, match="encrypted") as no_password, container.open_bundle(tmp_path / "one") as opened:
        list(opened.walk())
    assert "--password-file" in no_password.value.do
    for wrong in ("", "wrong", PASSWORD + " "):
        with pytest.raises(VerificationError) as refused:
            _read(tmp_path / "one", wrong)
        assert refused.value.reason == "wrong-password"
    assert _read(tmp_path / "one", PASSWORD) == _read(tmp_path / "two", PASSWORD)


def test_a_plain_7z_never_asks_for_a_password(tmp_path: Path) -> None:
    _write("7z", trees.small(tmp_path), tmp_path / "out")

    def ask() -> str:
        raise AssertionError

    with container.open_bundle(tmp_path / "out", password=ask) as opened:
        check(opened.walk())


@pytest.mark.parametrize("kind", ["directory", "zip", "tar.gz"])
def test_only_7z_is_encrypted(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        _write(kind, trees.small(tmp_path), tmp_path / "out", PASSWORD)
    with pytest.raises(UsageError):
        _write("7z", trees.small(tmp_path), tmp_path / "out", "")
    assert not (tmp_path / "out").exists()


# --- what others make of it


def _unpackers() -> list[tuple[str, list[str]]]:
    return [
        ("zip", ["unzip", "-q", "{archive}", "-d", "{folder}"]),
        ("zip", ["7zz", "x", "-bd", "-o{folder}", "{archive}"]),
        ("zip", ["busybox", "unzip", "-q", "{archive}", "-d", "{folder}"]),
        ("tar.gz", ["tar", "xzf", "{archive}", "-C", "{folder}"]),
        ("tar.gz", ["bsdtar", "xf", "{archive}", "-C", "{folder}"]),
        ("tar.gz", ["busybox", "tar", "xzf", "{archive}", "-C", "{folder}"]),
        ("7z", ["7zz", "x", "-bd", "-o{folder}", "{archive}"]),
        ("7z encrypted", ["7zz", "x", "-bd", "-p" + PASSWORD, "-o{folder}", "{archive}"]),
    ]


@pytest.mark.parametrize(
    ("kind", "command"), _unpackers(), ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_a_real_unpacker_reads_it(kind: str, command: list[str], tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    tree = trees.small(tmp_path)
    archive = tmp_path / "archive"
    _write(kind.split(maxsplit=1)[0], tree, archive, PASSWORD if "encrypted" in kind else None)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    filled = [part.format(archive=archive, folder=folder) for part in command]
    subprocess.run(filled, check=True, capture_output=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
    with container.open_bundle(folder / tree.name) as opened:
        assert check(opened.walk()).digest == manifest.bundle_digest(tree)
    assert (folder / tree.name / "install.sh").stat().st_mode & 0o100
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder / tree.name, check=True)


# --- what can go wrong while writing


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("change", ["content", "shorter", "longer"])
def test_a_file_that_changed_since_it_was_verified_is_not_packed(kind: str, change: str, tmp_path: Path) -> None:
    tree = trees.small(tmp_path)
    held = tmp_path / "agent.deb"
    old = held.read_bytes()
    held.write_bytes({"content": b"X" + old[1:], "shorter": old[:-1], "longer": old + b"X"}[change])
    with pytest.raises(VerificationError) as refused:
        _write(kind, tree, tmp_path / "out")
    assert refused.value.reason == "changed-underneath"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_gone_is_reported(kind: str, tmp_path: Path) -> None:
    tree = trees.small(tmp_path)
    (tmp_path / "agent.deb").unlink()
    with pytest.raises(WriteError, match=r"agent\.deb"):
        _write(kind, tree, tmp_path / "out")


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_is_written_over(kind: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"precious")
    with pytest.raises(WriteError):
        _write(kind, trees.small(tmp_path), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"precious"


def test_names_and_the_manifest_are_part_of_assembling(tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        manifest.assemble(trees.describe(), [Entry("a", b""), Entry("A", b"")], name="x", time=trees.TIME)
    with pytest.raises(WriteError):
        manifest.assemble(trees.describe(), [Entry("manifest.JSON", b"")], name="x", time=trees.TIME)
    with pytest.raises(WriteError):
        manifest.assemble(trees.describe(), [], name="a/b", time=trees.TIME)
    tree = trees.small(tmp_path)
    assert [e.path for e in tree.entries] == sorted((e.path for e in tree.entries), key=str.encode)
