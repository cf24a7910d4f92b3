"""Root never follows a link that another user has put where install.sh writes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.support import small_root
from tests.support.machine_digits import digits
from tests.support.small_root import put

OTHER = 1000
DIGITS = digits("srv")
"""A root without a machine id is known by its host name."""
PRECIOUS = "of root's, and to stay as it is\n"
KINDS = ["link", "dangling", "link to a folder", "hard link", "fifo", "folder"]


@pytest.fixture
def server(tmp_path, bash):
    root = small_root.with_lab_bundle(tmp_path / "root", bash)
    put(root / "precious/file", PRECIOUS, 0o600)
    return root


def shared(server, sticky: bool) -> Path:
    folder = server / "shared"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o1777 if sticky else 0o777)
    return folder


def plant(server, path: Path, kind: str) -> None:
    """As the user OTHER would."""
    target = {"link": "/precious/file", "dangling": "/precious/new", "link to a folder": "/precious"}.get(kind)
    if target:
        path.symlink_to(target)
    elif kind == "hard link":
        path.hardlink_to(server / "precious/file")
        return
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    os.lchown(path, OTHER, OTHER)


def untouched(server) -> None:
    assert (server / "precious/file").read_text() == PRECIOUS
    assert [path.name for path in (server / "precious").iterdir()] == ["file"]
    assert (server / "precious/file").stat().st_mode & 0o777 == 0o600


def moments() -> list[str]:
    """The stamps of the next minute and a half."""
    now = datetime.now(timezone.utc)
    return [(now + timedelta(seconds=second)).strftime("%Y%m%dT%H%M%SZ") for second in range(90)]


@pytest.mark.parametrize("sticky", [True, False])
def test_a_receipt_of_that_name_is_replaced_and_not_followed(server, sticky):
    for kind in KINDS:
        replaced_receipt(server, kind, sticky)


def replaced_receipt(server, kind, sticky):
    folder = shared(server, sticky)
    for stamp in moments():
        for name in (f"receipt-srv-{DIGITS}-{stamp}.json", f"receipt-srv-{DIGITS}-{stamp}.json.part"):
            plant(server, folder / name, kind)
    ended = server.run("--check", "--record-dir", "/shared")
    untouched(server)
    written = [path for path in folder.glob("receipt-*.json") if path.is_file() and not path.is_symlink()]
    ours = [path for path in written if path.stat().st_nlink == 1]
    if kind != "folder":
        assert len(ours) == 1, ended.out
        assert json.loads(ours[0].read_bytes())["mode"] == "check"
    assert len(list(folder.glob("install-*.log"))) == 1
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("sticky", [True, False])
def test_collected_logs_go_to_no_link(server, sticky):
    for kind in KINDS:
        collected(server, kind, sticky)


def collected(server, kind, sticky):
    folder = shared(server, sticky)
    for stamp in moments():
        for name in (f"arc-logs-srv-{DIGITS}-{stamp}.tar.gz", f"arc-logs-srv-{DIGITS}-{stamp}.tar.gz.part"):
            plant(server, folder / name, kind)
    ended = server.run("--collect-logs", "/shared")
    untouched(server)
    regular = [path for path in folder.glob("*.gz") if path.is_file() and not path.is_symlink()]
    made = [path for path in regular if path.stat().st_size > 99]
    if kind == "folder":
        assert ended.code == 202, ended.out
        assert not made
    else:
        assert ended.code == 0, ended.out
        assert len(made) == 1
        assert made[0].stat().st_mode & 0o777 == 0o600
        with tarfile.open(made[0]) as archive:
            assert "arc-logs/host/os-release" in archive.getnames()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@contextlib.contextmanager
def exchanging(server, folder: Path):
    """Another user, who puts a link in the place of every file that appears, as often as that is possible."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            os.setgid(OTHER)
            os.setuid(OTHER)
            while True:
                for entry in folder.iterdir():
                    with contextlib.suppress(OSError):
                        if not entry.is_symlink():
                            entry.unlink()
                            entry.symlink_to("/precious/file")
        os._exit(0)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("arguments", [("--check", "--record-dir", "/shared"), ("--collect-logs", "/shared")])
@pytest.mark.parametrize("sticky", [True, False])
def test_what_is_exchanged_while_it_is_written_is_not_followed(server, arguments, sticky):
    folder = shared(server, sticky)
    # Who exchanges files must reach the folder; pytest's own are root's alone.
    with reachable(folder), exchanging(server, folder):
        ended = server.run(*arguments)
    untouched(server)
    if sticky:
        assert [path for path in folder.iterdir() if path.is_symlink()] == []
    elif "--check" in arguments:
        assert [path for path in folder.iterdir() if path.is_symlink()] != []
    assert ended.code in {0, 202, 203}, ended.out


@contextlib.contextmanager
def reachable(folder: Path):
    changed = []
    for parent in folder.parents:
        mode = parent.stat().st_mode & 0o7777
        if not mode & 0o001:
            changed.append((parent, mode))
            parent.chmod(mode | 0o111)
    try:
        yield
    finally:
        for parent, mode in changed:
            parent.chmod(mode)


@pytest.mark.parametrize("flag", ["--record-dir", "--collect-logs"])
def test_another_users_link_is_refused_and_roots_own_is_followed(server, flag):
    folder = shared(server, True)
    (folder / "here").symlink_to("/precious")
    os.lchown(folder / "here", OTHER, OTHER)
    (server / "elsewhere").mkdir()
    for path in ("/shared/here", "/shared/here/../precious/below", "/shared/here/new"):
        ended = server.run(*(() if "collect" in flag else ("--check",)), flag, path)
        assert ended.code == 202, ended.out
        assert "/shared/here is a link of another user" in ended.out
        untouched(server)
    (server / "link").symlink_to("elsewhere")
    server.run(*(() if "collect" in flag else ("--check",)), flag, "/link")
    assert list((server / "elsewhere").iterdir())


def test_a_log_stays_with_the_file_that_was_created(server):
    """The folder is another user's, who moves the log away and puts a link there: the rest goes to the moved one."""
    folder = shared(server, False)
    put(server / "slow", "")
    process = server.start("--secret-file", "/root/secret", "--record-dir", "/shared")
    deadline = time.monotonic() + 30
    while not (server / "connecting").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    (log,) = folder.glob("install-*.log")
    log.rename(folder / "moved")
    log.symlink_to("/precious/file")
    subprocess.run(["pkill", "-g", str(process.pid), "sleep"], check=False)
    out, _ = process.communicate(timeout=60)
    untouched(server)
    assert "connected to" in (folder / "moved").read_text(), out.decode()
    assert log.is_symlink()


def test_what_a_killed_run_left_is_removed_where_it_is_this_machines(server):
    folder = shared(server, True)
    dead = subprocess.Popen(["true"])
    dead.wait()
    ours = folder / f".receipt-srv-{DIGITS}-20261130T000000Z.json.{dead.pid}-abcdef"
    others = folder / f".receipt-other-{DIGITS}-20261130T000000Z.json.{dead.pid}-abcdef"
    for path in (ours, others):
        path.write_text("half")
    link = folder / f".receipt-srv-{DIGITS}-20261130T000001Z.json.{dead.pid}-abcdef"
    plant(server, link, "link")
    server.run("--check", "--record-dir", "/shared")
    assert not ours.exists()
    assert others.exists()
    untouched(server)
