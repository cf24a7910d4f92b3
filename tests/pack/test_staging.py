"""An output is complete or absent: on a full disk, when killed anywhere, with two writers, on Windows."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from pyfakefs.fake_filesystem import FakeFilesystem, OSType

from bundler.errors import VerificationError, WriteError
from bundler.integrity.check import check
from bundler.model.progress import NullProgress
from bundler.model.tree import Entry, Tree
from bundler.pack import container, manifest, writers
from bundler.pack.staging import Staging, write_file
from tests.support import trees

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
KINDS: tuple[writers.Format, ...] = ("directory", "zip")


def _tree() -> Tree:
    entries = [
        Entry("install.sh", b"LAB\n", 0o755),
        Entry("payload/a/b.deb", b"deb" * 50_000),
        Entry("evidence/x", b""),
    ]
    return manifest.assemble(trees.describe(), entries, name=trees.NAME, time=trees.TIME)


def _build(final: Path, tree: Tree) -> None:
    with Staging(final) as folder:
        for kind in KINDS:
            written = writers.write(kind, tree, folder / f"b.{kind}", progress=NullProgress())
            (folder / f"b.{kind}.sha256").write_text(f"{written.sha256}\n")


def _whole(final: Path, tree: Tree) -> bool:
    assert sorted(path.name for path in final.iterdir()) == sorted(
        name for kind in KINDS for name in (f"b.{kind}", f"b.{kind}.sha256")
    )
    for kind in KINDS:
        with container.open_bundle(final / f"b.{kind}") as opened:
            assert check(opened.walk()).digest == manifest.bundle_digest(tree)
    return True


def test_an_output_appears_when_the_block_ends(tmp_path: Path) -> None:
    final = tmp_path / "bundles" / "name" / "1"
    with Staging(final) as folder:
        (folder / "x").write_bytes(b"1")
        assert not final.exists()
        assert folder.parent.parent == final.parent
        assert folder.parent.name.startswith(".")
    assert (final / "x").read_bytes() == b"1"
    assert list(final.parent.iterdir()) == [final]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_stays_of_a_failure(error: type[BaseException], tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "x").mkdir()
        (folder / "x" / "y").write_bytes(b"1")
        raise error

    with pytest.raises(error), Staging(tmp_path / "final") as folder:
        fail(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [{"x": b"1"}, {"x": b"2"}, {"x": b"11"}, {"y": b"1"}, {}, {"x": b"1", "y": b""}])
def test_what_is_there_is_never_changed(there: dict[str, bytes], tmp_path: Path) -> None:
    final = tmp_path / "final"
    final.mkdir()
    for name, content in there.items():
        (final / name).write_bytes(content)

    def again() -> None:
        with Staging(final) as folder:
            (folder / "x").write_bytes(b"1")

    if there == {"x": b"1"}:
        again()
    else:
        with pytest.raises(WriteError, match="already exists"):
            again()
    assert {path.name: path.read_bytes() for path in final.iterdir()} == there
    assert list(tmp_path.iterdir()) == [final]


def test_a_file_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "final").write_bytes(b"precious")
    with pytest.raises(WriteError), Staging(tmp_path / "final") as folder:
        (folder / "x").write_bytes(b"1")
    assert (tmp_path / "final").read_bytes() == b"precious"


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_file(tmp_path / "new" / "bundle.lock", content)
        assert (tmp_path / "new" / "bundle.lock").read_bytes() == content
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["bundle.lock"]


# --- full, read-only


def test_space_is_looked_at_before(fs: FakeFilesystem) -> None:
    fs.set_disk_usage(20 << 20)
    with (
        pytest.raises(WriteError, match="not enough space for the output") as refused,
        Staging(Path("/out/final"), needed=10 << 20),
    ):
        pytest.fail("the work was begun")
    assert "free space" in refused.value.do
    with Staging(Path("/out/final"), needed=1 << 20):
        pass


def test_no_space_at_any_stage(fs: FakeFilesystem) -> None:
    tree = _tree()
    final = Path("/out/name/1")
    fs.create_dir("/out")
    total = 4096 + 2 * sum(len(e.content) for e in tree.entries if isinstance(e.content, bytes))
    outcomes = []
    for free in range(0, total + total // 10, total // 40):
        fs.set_disk_usage(fs.get_disk_usage().used + free)
        advice = _advice(lambda: _build(final, tree))
        outcomes.append(advice)
        if not advice:
            break
        assert "space" in advice
        assert not final.exists()
        assert [p for p in Path("/out").rglob("*") if p.name != "name"] == []
    assert _whole(final, tree)
    assert len(outcomes) > 30


def _advice(work: Callable[[], None]) -> str:
    try:
        work()
    except WriteError as error:
        return error.do
    return ""


def test_a_read_only_output(tmp_path: Path, fs: FakeFilesystem) -> None:
    from pyfakefs.fake_filesystem_unittest import set_uid

    fs.create_dir("/out", perm_bits=0o555)
    set_uid(1000)
    try:
        with pytest.raises(WriteError) as refused, Staging(Path("/out/final")):
            pytest.fail("the work was begun")
        with pytest.raises(WriteError):
            write_file(Path("/out/bundle.lock"), b"x")
    finally:
        set_uid(0)
    assert "permission" in refused.value.do


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_every_disk_error_has_advice(number: int, tmp_path: Path) -> None:
    from bundler.fetch.disk import writing

    with pytest.raises(WriteError) as refused, writing(tmp_path):
        raise OSError(number, os.strerror(number))
    assert refused.value.do
    assert os.strerror(number) in refused.value.what


# --- Windows


def test_windows_file_system(fs: FakeFilesystem) -> None:
    fs.os = OSType.WINDOWS
    tree = _tree()
    root = Path("C:\\jump\\bundles")
    _build(root / "name" / "1", tree)
    assert _whole(root / "name" / "1", tree)
    _build(root / "name" / "1", tree)
    (root / "name" / "1" / "b.zip.sha256").write_bytes(b"other")
    with pytest.raises(WriteError, match="already exists"):
        _build(root / "name" / "1", tree)
    (root / "name" / "1" / "b.directory" / "INSTALL.SH").write_bytes(b"changed")
    with pytest.raises(VerificationError), container.open_bundle(root / "name" / "1" / "b.directory") as opened:
        check(opened.walk())
    assert [p.name for p in (root / "name").iterdir()] == ["1"]


# --- killed, and two at once


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except WriteError:
            status = 7
        finally:
            os._exit(status)
    return child


def _killed_at(point: int, work: Callable[[], None]) -> bool:
    """Run ``work`` in a process that kills itself at its ``point``th call of the file system; whether it got there."""
    left = point

    def count(event: str, _: object) -> None:
        nonlocal left
        if event.startswith(("open", "os.", "shutil.", "fcntl.")):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def doomed() -> None:
        sys.addaudithook(count)
        work()

    _, status = os.waitpid(_fork(doomed), 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


@needs_fork
def test_killed_at_every_point(tmp_path: Path) -> None:
    tree = _tree()
    point = 0
    while True:
        point += 1
        final = tmp_path / str(point) / "1"
        killed = _killed_at(point, lambda final=final: _build(final, tree))  # type: ignore[misc]
        assert not final.exists() or _whole(final, tree), point
        _build(final, tree)
        assert _whole(final, tree)
        assert [p.name for p in final.parent.iterdir()] == ["1"], point
        if not killed:
            break
    assert point > 40


@needs_fork
def test_a_lock_file_killed_at_every_point(tmp_path: Path) -> None:
    path = tmp_path / "bundle.lock"
    write_file(path, b"old")
    point = 0
    while True:
        point += 1
        killed = _killed_at(point, lambda: write_file(path, b"new"))
        assert path.read_bytes() in (b"old", b"new")
        write_file(path, b"old")
        assert [p.name for p in tmp_path.iterdir()] == ["bundle.lock"]
        if not killed:
            break
    assert point > 8


def test_a_name_with_a_lock_that_another_process_holds_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["looked-at", "free"])
    monkeypatch.setattr("bundler.pack.staging.secrets.token_hex", lambda _: next(names))
    with FileLock(tmp_path / ".arc-bundler-looked-at.lock"), Staging(tmp_path / "final") as folder:
        assert folder.parent.name == ".arc-bundler-free.partial"


@needs_fork
@pytest.mark.parametrize("different", [False, True])
def test_many_at_once(different: bool, tmp_path: Path) -> None:
    final = tmp_path / "name" / "1"

    def work(number: int) -> None:
        with Staging(final) as folder:
            for name in range(20):
                (folder / str(name)).write_bytes(b"%d" % (number if different else 0) * 1000)

    children = [_fork(lambda number=number: work(number)) for number in range(8)]  # type: ignore[misc]
    ends = [os.WEXITSTATUS(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(ends) == ([0] + [7] * 7 if different else [0] * 8)
    assert [p.name for p in final.parent.iterdir()] == ["1"]
    assert len({path.read_bytes() for path in final.iterdir()}) == 1
    assert len(list(final.iterdir())) == 20
