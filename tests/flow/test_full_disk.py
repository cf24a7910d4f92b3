"""A volume that is full, at any point of a command: it ends with 7, leaves nothing unfinished, and can be run again."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bundler.cli.main import main
from bundler.errors import WriteError
from bundler.flow import seal_secret
from bundler.pack import staging
from tests.support.lab_project import Project
from tests.support.sealers import identity, recipient

ROOT = Path(__file__).resolve().parents[2]
UNFINISHED = ("**/.arc-bundler-*", "**/*.envelope*", "words")


@pytest.fixture
def sealing(project: Project) -> list[str]:
    key, certificate = identity("LAB sealer", kind="rsa-2048").write(project.folder, "sealer")
    recipient().write(project.folder, "server")
    (project.folder / "secret").write_text("eNvElOpE-cAnArY-31\n")
    given = ["seal-secret", "--seal-key", str(key), "--seal-certificate", str(certificate), "--secret-file", "secret"]
    return [*given, "--for", "server.pem", "--with-passphrase", "--passphrase-out", "words"]


def bounded(project: Project, size: int, *arguments: str) -> int:
    """The exit code where no file may be larger than ``size``: the system reports EFBIG for every further byte."""
    resource = pytest.importorskip("resource", reason="only POSIX bounds a file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        return project.run(*arguments).code
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [1, 3000, 20_000])
def test_files_cannot_grow(project: Project, sealing: list[str], size: int) -> None:
    assert bounded(project, size, "lock") == 7
    assert not project.lock.exists()
    assert project.run("lock").code == 0
    assert bounded(project, size, "build") == 7
    if size < 1000:
        assert bounded(project, size, *sealing) == 7
    assert [path for form in UNFINISHED for path in project.folder.glob(form)] == []
    assert project.run("build").code == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root, to mount a small volume")
@pytest.mark.parametrize(
    ("size", "command"), [("0", "lock"), ("64k", "lock"), ("600k", "build"), ("4k", "seal-secret")]
)
def test_a_volume_is_full(project: Project, sealing: list[str], size: str, command: str) -> None:
    """For real: store, output and temporary folder are on a volume of this size."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    if command == "build":
        assert project.run("lock").code == 0
    small = project.folder / "small"
    small.mkdir()
    arguments = {"seal-secret": [*sealing, "--output", "small/x.envelope"], "build": ["build", "--output", "small"]}
    line = [sys.executable, "-m", "bundler", *arguments.get(command, [command])]
    pages = "nr_inodes=0" if size != "0" else "nr_inodes=2"
    mount = f'mount -t tmpfs -o size={size if size != "0" else "64k"},{pages} none small && exec "$@"'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if command == "lock":
        environment |= {"ARC_BUNDLER_STORE": "small/store", "TMPDIR": "small"}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", *line],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in done.stderr and "denied" in done.stderr:
        pytest.skip("may not mount")
    assert done.returncode == 7, done.stderr
    assert "internal error" not in done.stderr


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG])
def test_an_error_of_the_system_that_no_place_explains_ends_with_7(monkeypatch, capsys, number) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "somewhere")

    monkeypatch.setattr("bundler.cli.main.cli.main", full)
    assert main(["build"]) == 7
    what = "read or written" if number == errno.EACCES else "written"
    assert f"somewhere cannot be {what}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fails_at", "error"),
    [(0, KeyboardInterrupt), (1, KeyboardInterrupt), (2, KeyboardInterrupt), (1, OSError(errno.ENOSPC, "no space"))],
)
def test_an_interrupted_seal_secret_leaves_nothing(project: Project, sealing, monkeypatch, fails_at, error) -> None:
    """Interrupted while it names its files, one after the other."""
    flush, seen = staging._flush, []

    def interrupted(path: Path) -> None:
        seen.append(path)
        if len(seen) == fails_at + 1:
            raise error
        flush(path)

    with monkeypatch.context() as patched:
        patched.setattr(staging, "_flush", interrupted)
        assert project.run(*sealing).code == (130 if error is KeyboardInterrupt else 7)
    assert [path for form in UNFINISHED for path in project.folder.glob(form)] == []
    assert project.run(*sealing).code == 0


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_a_signal_while_files_are_written(project: Project, sealing, name) -> None:
    """What SIGKILL leaves, the next run removes."""
    program = (
        "import sys, time; from bundler.pack import staging; flush = staging._flush\n"
        "def slow(path): print('here', flush=True); time.sleep(20)\n"
        "staging._flush = slow\n"
        "from bundler.cli.main import run; run(sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, *sealing],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "here\n"
    time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=30)
    assert process.returncode == (-signal.SIGKILL if name == "SIGKILL" else 130), said
    if name != "SIGKILL":
        assert [path for form in UNFINISHED for path in project.folder.glob(form)] == []
    made = project.run(*sealing)
    assert made.code == 0, made.err
    assert sorted(path.name for path in project.folder.glob(".arc-bundler-*")) == []


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    files = [seal_secret._File(tmp_path / "one", b"1"), seal_secret._File(tmp_path / "no" / ("x" * 300), b"2")]
    with pytest.raises(WriteError):
        seal_secret._write_all(files)
    assert not (tmp_path / "one").exists()
