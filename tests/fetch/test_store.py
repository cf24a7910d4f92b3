"""The store: content has the digest of its name, or is not used."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyfakefs.fake_filesystem import FakeFilesystem, OSType

from bundler.errors import UpstreamError, VerificationError, WriteError
from bundler.fetch import disk
from bundler.fetch.store import Store
from tests.support.downloads import Bench, Heard
from tests.support.misbehaving_server import File

CONTENT = b"the agent" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_put_and_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "not" / "there" / "yet")
    assert not store.holds(SHA256)
    assert not store.check(SHA256)
    assert store.put(CONTENT) == SHA256
    assert store.put(CONTENT) == SHA256
    assert store.path(SHA256) == store.root / "objects" / SHA256[:2] / SHA256
    assert store.path(SHA256).read_bytes() == CONTENT
    assert store.holds(SHA256)
    assert store.holds(SHA256, len(CONTENT))
    assert not store.holds(SHA256, len(CONTENT) + 1)
    assert store.check(SHA256)
    with store.open_verified(SHA256) as file:
        assert file.read() == CONTENT


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=3000))
def test_any_content_round_trips(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    with store.open_verified(store.put(content)) as file:
        assert file.read() == content
    assert not list((store.root / "partial").glob("*.part"))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", "\u0660" * 64])
def test_only_a_digest_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        Store(tmp_path).path(name)


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, len(CONTENT) - 1), flip=st.integers(1, 255))
def test_any_changed_byte_is_detected(tmp_path_factory: pytest.TempPathFactory, at: int, flip: int) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.put(CONTENT)
    damaged = bytearray(CONTENT)
    damaged[at] ^= flip
    store.path(SHA256).write_bytes(damaged)
    with pytest.raises(VerificationError) as raised:
        store.open_verified(SHA256)
    assert raised.value.reason == "store-damaged"
    assert not store.holds(SHA256)
    assert (store.root / "damaged" / SHA256).read_bytes() == damaged
    store.put(CONTENT)
    assert store.check(SHA256)


def test_a_missing_object_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(VerificationError):
        Store(tmp_path).open_verified(SHA256)


@pytest.mark.parametrize("damage", [b"", CONTENT[:-1], CONTENT + b"x"], ids=["emptied", "cut", "grown"])
def test_a_damaged_object_is_moved_away_reported_and_downloaded_again(bench: Bench, damage: bytes) -> None:
    bench.server.plan["/x"] = [File(CONTENT)]
    request = bench.request("/x", sha256=SHA256, size=len(CONTENT))
    with bench.downloader() as downloader:
        downloader.fetch(request)
        downloader.fetch(request)
        assert len(bench.server.asked) == 1
        bench.store.path(SHA256).write_bytes(damage)
        assert downloader.fetch(request).path.read_bytes() == CONTENT
    assert len(bench.server.asked) == 2
    assert bench.heard.said("damaged")


def test_a_damaged_object_is_not_used_offline(bench: Bench) -> None:
    bench.store.put(CONTENT)
    bench.store.path(SHA256).write_bytes(b"else")
    with bench.downloader(offline=True) as downloader, pytest.raises(UpstreamError) as raised:
        downloader.fetch(bench.request("/x", sha256=SHA256))
    assert "--offline" in raised.value.do


def test_put_replaces_a_damaged_object(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(CONTENT)
    store.path(SHA256).write_bytes(CONTENT[::-1])
    store.put(CONTENT)
    assert store.path(SHA256).read_bytes() == CONTENT


def test_import_copies_and_keeps_the_source(tmp_path: Path) -> None:
    source = tmp_path / "agent (1).msi"
    source.write_bytes(CONTENT)
    heard = Heard()
    store = Store(tmp_path / "store")
    for _ in range(2):
        received = store.import_file(source, heard)
        assert (received.sha256, received.size, received.url) == (SHA256, len(CONTENT), source.as_uri())
        assert received.path.read_bytes() == CONTENT
    assert source.read_bytes() == CONTENT
    assert len(heard.tasks) == 1


def test_import_of_unreadable_or_large_files_fails(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(UpstreamError):
        store.import_file(tmp_path / "nothing")
    with pytest.raises(UpstreamError):
        store.import_file(tmp_path)
    (tmp_path / "large").write_bytes(CONTENT)
    with pytest.raises(UpstreamError, match="at most 10"):
        store.import_file(tmp_path / "large", max_size=10)


def test_many_threads_put_the_same(tmp_path: Path) -> None:
    store = Store(tmp_path)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            assert store.put(CONTENT) == SHA256
        except BaseException as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert store.check(SHA256)


# --- other file systems ---------------------------------------------------------------------------------------------


def test_missing_space_is_detected_before_writing(fs: FakeFilesystem) -> None:
    fs.create_dir("/cache")
    fs.set_disk_usage(50_000_000, "/cache")
    disk.require(Path("/cache/not/there"), 20_000_000, "the agent")
    with pytest.raises(WriteError) as raised:
        disk.require(Path("/cache/not/there"), 40_000_000, "the agent")
    assert "not enough space for the agent" in raised.value.what
    assert raised.value.do


def test_no_space_while_writing_leaves_no_name(fs: FakeFilesystem) -> None:
    fs.create_dir("/cache")
    fs.set_disk_usage(1000, "/cache")
    store = Store(Path("/cache/store"))
    with pytest.raises(WriteError) as raised:
        store.put(CONTENT)
    assert "free space" in raised.value.do
    assert not store.holds(SHA256)
    fs.set_disk_usage(10_000_000, "/cache")
    assert store.put(CONTENT) == SHA256


@pytest.mark.skipif("sys.platform == 'win32'", reason="modes are POSIX's")
def test_a_store_that_cannot_be_written(fs: FakeFilesystem) -> None:
    from pyfakefs.helpers import set_uid

    fs.create_dir("/cache")
    fs.chmod("/cache", 0o555)
    set_uid(1)
    try:
        with pytest.raises(WriteError) as raised:
            Store(Path("/cache/store")).put(CONTENT)
    finally:
        set_uid(0)
    assert "permission" in raised.value.do


def test_windows(fs: FakeFilesystem) -> None:
    fs.os = OSType.WINDOWS
    store = Store(Path("C:\\Users\\Zo\u00eb\\AppData\\Local\\arc-bundler\\store"))
    assert store.put(CONTENT) == SHA256
    assert store.check(SHA256)
    assert store.path(SHA256).read_bytes() == CONTENT
    store.path(SHA256).write_bytes(b"else")
    assert not store.check(SHA256)
    assert not store.holds(SHA256)
    assert store.put(CONTENT) == SHA256
    # Every name that was made is one that Windows takes.
    made = [path.name for path in store.root.rglob("*")]
    assert SHA256 in made
    assert not [name for name in made if set(name) & set('<>:"|?*')]
