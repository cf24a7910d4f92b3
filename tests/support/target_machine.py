"""A server to run a bundle's script on: a Debian root of its own, without network, init or anything of this machine.

The roots are made by debootstrap once and kept as archives in a cache (``$ARC_BUNDLER_TEST_CACHE``, otherwise the
user's). What is not as on a server: no systemd runs (``/run/systemd/system`` and ``systemctl`` are stand-ins that only
say that it is there), the kernel is this machine's, and the "RHEL" and "SLES" roots are Debian's userland with Debian's
rpm, dnf and zypper on an empty package database.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock

SUITE = "bookworm"
GENERATION = 4
"""Part of the cached archives' names: raise it when the roots are made in another way."""
INSIDE = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c")
MOUNTS = 'mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" &&'
MARK = f"cAn4ry.{os.getpid()}.".encode()
"""Of this test process alone: ``Sampler`` reads the command lines of the whole machine, and the tests that run beside
this one hand secrets of their own to processes of theirs."""
SECRET = MARK.decode() + "~`$(touch /pwned)'\"\\ \u79d8\u5bc6"
"""Stands nowhere but where a secret may stand."""

SYSTEMCTL = """#!/bin/sh
# Stand-in of the tests: there is no systemd in this root.
exit 0
"""

RHEL_RELEASE = """NAME="Red Hat Enterprise Linux"
VERSION="9.4 (Plow)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="9.4"
PRETTY_NAME="Red Hat Enterprise Linux 9.4 (Plow)"
"""

RHEL7_RELEASE = """NAME="Red Hat Enterprise Linux Server"
VERSION="7.9 (Maipo)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="7.9"
PRETTY_NAME="Red Hat Enterprise Linux Server 7.9 (Maipo)"
"""

SLES_RELEASE = """NAME="SLES"
VERSION="15-SP5"
VERSION_ID="15.5"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP5"
ID="sles"
ID_LIKE="suse"
"""

MACROS = "%_dbpath /var/lib/rpm\n"

UBUNTU_RELEASE = """PRETTY_NAME="Ubuntu 22.04.4 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
ID=ubuntu
ID_LIKE=debian
"""


def missing(what: str) -> None:
    """Skip, but fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"in CI this must be there: {what}")
    pytest.skip(what)


def cache_folder() -> Path:
    """Where roots and Wine's prefix are kept between runs."""
    named = os.environ.get("ARC_BUNDLER_TEST_CACHE")
    folder = Path(named) if named else platformdirs.user_cache_path("arc-bundler-tests")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def base_archive(name: str, make: Callable[[Path], None], scratch: Path) -> Path:
    """The archive of a root, made when it is not there yet; safe with several test runs at once."""
    archive = cache_folder() / f"{SUITE}-{name}-{GENERATION}.tar"
    with FileLock(f"{archive}.lock"):
        if not archive.is_file():
            root = scratch / f"make-{name}"
            make(root)
            partial = archive.with_suffix(".partial")
            subprocess.run(["tar", "--numeric-owner", "--one-file-system", "-cf", partial, "-C", root, "."], check=True)
            partial.replace(archive)
            shutil.rmtree(root)
    return archive


def need_roots() -> None:
    """Skip where no root can be made."""
    if os.name != "posix" or os.geteuid() != 0:
        missing("root, to make a Debian root")
    for tool, package in (("debootstrap", "debootstrap"), ("unshare", "util-linux"), ("chroot", "coreutils")):
        if shutil.which(tool) is None:
            missing(f"{tool} (apt install {package})")
    if subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], check=False).returncode != 0:
        missing("the right to make namespaces (unshare)")


def make_debian(root: Path) -> None:
    """Debian's minimal root, with the openssl that nearly every server has."""
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=openssl", SUITE, root],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        missing(f"a Debian mirror that debootstrap reaches: {made.stdout[-500:]}{made.stderr[-500:]}")
    _prepare(root)


def make_rpm(root: Path, debian: Path) -> None:
    """Debian's root with real rpm and dnf in it, an empty package database, and RHEL's name."""
    copied(debian, root)
    # Debian's rpm keeps its database in root's home; here it is where RHEL 9 has it.
    (root / "etc/rpm").mkdir()
    (root / "etc/rpm/macros").write_text(MACROS)
    _install(root, "rpm", "dnf")
    subprocess.run(["chroot", root, "rpm", "--initdb"], check=True)
    (root / "etc/os-release").unlink()
    (root / "etc/os-release").write_text(RHEL_RELEASE)
    _prepare(root)


def make_zypper(root: Path, rpm: Path) -> None:
    """The root with rpm and dnf, with real zypper beside them, and SLES' name."""
    copied(rpm, root)
    _install(root, "zypper")
    (root / "etc/os-release").write_text(SLES_RELEASE)
    _prepare(root)


def _install(root: Path, *packages: str) -> None:
    """Debian packages, from its mirror."""
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-q", "--yes", "--no-install-recommends", *packages],
        ["apt-get", "clean"],
    ):
        done = subprocess.run(
            ["chroot", root, *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            missing(f"a Debian mirror with {' and '.join(packages)}: {done.stdout[-500:]}{done.stderr[-500:]}")


def _prepare(root: Path) -> None:
    for path in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(root / path, ignore_errors=True)
    for path in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "run/systemd/system"):
        (root / path).mkdir(parents=True, exist_ok=True)
    (root / "usr/bin/systemctl").write_text(SYSTEMCTL)
    (root / "usr/bin/systemctl").chmod(0o755)


def unpack(archive: Path, root: Path) -> Path:
    """Make a root from its archive."""
    root.mkdir()
    subprocess.run(["tar", "--numeric-owner", "-xpf", archive, "-C", root], check=True)
    return root


def fast_folder() -> Path | None:
    """Memory to keep roots in, where there is enough of it and programs may run from it."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC or shutil.disk_usage(memory).free < 4 << 30:
        return None
    return memory


def copied(root: Path, to: Path) -> Path:
    """Make a root from another one."""
    subprocess.run(["cp", "-a", "--reflink=auto", root, to], check=True)
    return to


@dataclass
class Outcome:
    """How a script ended."""

    code: int
    out: str
    seen: set[str] = field(default_factory=set)
    """Every command line that was seen on this machine while it ran and that held the secret."""


class Sampler:
    """Reads all command lines again and again: a secret in one of them would be everybody's."""

    def __init__(self, mark: bytes = MARK):
        self.mark, self.seen, self.rounds = mark, set(), 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.is_set():
            self.rounds += 1
            for process in Path("/proc").glob("[0-9]*"):
                self._read(process / "cmdline")
            self._end.wait(0.002)

    def _read(self, path: Path) -> None:
        try:
            line = path.read_bytes()
        except OSError:
            return
        if self.mark in line:
            self.seen.add(line.decode(errors="replace"))


@dataclass(frozen=True)
class Machine:
    """One root and how to run something in it."""

    root: Path

    def run(
        self,
        *command: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        user: str = "",
        timeout: float = 120,
    ) -> Outcome:
        """Run a command inside, without network and terminal."""
        inside = f'{MOUNTS} exec chroot {f"--userspec={user}" if user else ""} "$@"'
        with Sampler() as sampler:
            done = subprocess.run(
                [*INSIDE, inside, "sh", self.root, *command],
                input=stdin if stdin is not None else b"",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
                timeout=timeout,
            )
        assert sampler.rounds > 0
        return Outcome(done.returncode, done.stdout.decode(errors="replace"), sampler.seen)

    def start(self, *command: str, environment: Mapping[str, str]) -> subprocess.Popen:
        """Start a command that a test will signal; its own first process is the command itself."""
        return subprocess.Popen(
            ["unshare", "--mount", "--net", "sh", "-c", f'{MOUNTS} exec chroot "$@"', "sh", self.root, *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __truediv__(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def tree(self, *without: str) -> dict[str, tuple]:
        """Everything below the root, but for some folders: mode, owner, size, time and where a link points."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            place = "/" + str(Path(folder).relative_to(self.root)).removeprefix(".")
            folders[:] = [name for name in folders if f"{place.rstrip('/')}/{name}" not in without]
            # SQLite's lock is touched by whoever reads rpm's database.
            for name in (*folders, *(name for name in names if name != "rpmdb.sqlite-shm")):
                path = Path(folder, name)
                info = path.lstat()
                link = str(path.readlink()) if path.is_symlink() else ""
                time = 0 if stat.S_ISDIR(info.st_mode) else info.st_mtime_ns
                size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
                found[f"{place.rstrip('/')}/{name}"] = (info.st_mode, info.st_uid, size, time, link)
        return found

    def holding(self, mark: bytes = MARK) -> list[str]:
        """Every file that holds the secret."""
        found = []
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink() and mark in path.read_bytes():
                    found.append(str(path.relative_to(self.root)))
        return found


def end(process: subprocess.Popen, which: signal.Signals) -> tuple[int, str]:
    """Signal a started command and its children, as a terminal or systemd does, and say how it ended."""
    os.killpg(process.pid, which)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out.decode(errors="replace")
