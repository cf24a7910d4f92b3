"""The poorest server that the scripts promise to run on: bash, busybox for everything else, and stand-ins.

A folder to chroot into, made in a second: no Debian, no network. dpkg, apt-get and systemctl are stand-ins; what
"apt-get" installs is the lab's agent, behind a wrapper that notes with which arguments and environment it was started.

The bash in it is whichever the test says: the fixture ``bash`` has all that there are.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

import bundler.lab.agents
from tests.support import sample_bundles

UBUNTU = 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'

# Notes how it was started, then is the agent. A file /slow makes connecting slow, so that it can be interrupted.
WRAPPER = """#!/bin/bash
{ printf 'ARGUMENTS'; printf ' [%s]' "$@"; echo; env; echo; } >>/seen
[[ $1 != connect || ! -e /slow ]] || { : >/connecting; sleep 30; }
exec /opt/azcmagent/bin/lab-agent "$@"
"""

APT_GET = """#!/bin/bash
printf 'apt-get %s\\n' "$*" >>/packages
env >>/seen
if [[ " $* " == *" purge "* ]]; then rm -rf /opt/azcmagent /dpkg-version; exit 0; fi
[[ ! -e /apt-fails ]] || { echo "E: Unmet dependencies" >&2; exit 100; }
mkdir -p /opt/azcmagent/bin
cp /stand-in/agent /opt/azcmagent/bin/lab-agent
cp /stand-in/wrapper /opt/azcmagent/bin/azcmagent
chmod 755 /opt/azcmagent/bin/*
sha256sum <"${!#}" >/installed-sum
cp /stand-in/version /dpkg-version
"""

DPKG_QUERY = """#!/bin/bash
[[ -e /dpkg-version ]] || exit 1
status=installed
[[ ! -e /dpkg-status ]] || status=$(</dpkg-status)
printf '%s %s' "$status" "$(</dpkg-version)"
"""

DPKG = """#!/bin/bash
printf 'dpkg %s\\n' "$*" >>/packages
[[ $1 != --configure ]] || { [[ ! -e /dpkg-breaks ]] && rm -f /dpkg-status; }
"""

NOTHING = "#!/bin/bash\nexit 0\n"


def need() -> None:
    """Skip where no such folder can be entered."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("needs root, to enter a root folder of its own")
    for tool in ("bash", "busybox", "chroot", "ldd", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")


def put(path: Path, text: str, mode: int = 0o755) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _copy_program(root: Path, program: str, path: str | None = None) -> None:
    path = path or shutil.which(program)
    libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for found in re.findall(r"(/\S+)", libraries):
        target = root / found.lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, target)
    shutil.copy(path, root / "bin" / program)


def make(root: Path, agent_version: str, bash: str) -> SmallRoot:
    """A fresh one below ``root``, with the program ``bash``."""
    for folder in ("bin", "dev", "etc", "opt", "root", "run/systemd/system", "tmp", "usr/bin", "var/tmp"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (root / "dev/null").chmod(0o666)
    _copy_program(root, "bash", bash)
    _copy_program(root, "busybox")
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in {*applets} - {"bash", "busybox", "dpkg", "rpm", "dpkg-deb"}:
        (root / "bin" / applet).symlink_to("busybox")
    put(root / "etc/os-release", UBUNTU, 0o644)
    for name, text in (("systemctl", NOTHING), ("dpkg", DPKG), ("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET)):
        put(root / "usr/bin" / name, text)
    agent = (Path(bundler.lab.agents.__file__).parent / "azcmagent.sh").read_text()
    put(root / "stand-in/agent", agent.replace("@LAB-AGENT-VERSION@", agent_version))
    put(root / "stand-in/wrapper", WRAPPER)
    put(root / "stand-in/version", agent_version)
    return SmallRoot(root)


@dataclass
class Ended:
    code: int
    out: str
    seen: bytes
    """Every command line and environment of a process in the root that was seen while it ran."""


@dataclass
class SmallRoot:
    root: Path
    network: str = ""
    """Path of a network namespace to run in; empty: one without any network."""
    processes: bool = False
    """Whether /proc and /dev/stdin are there, as on every server."""

    def __truediv__(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def add(self, program: str) -> None:
        """This machine's ``program``, with its libraries."""
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
        _copy_program(self.root, program)

    def with_processes(self) -> None:
        """What openssl reads its standard input by, when it is to be a file."""
        self.processes = True
        (self.root / "proc").mkdir()
        (self.root / "dev/stdin").symlink_to("/proc/self/fd/0")
        (self.root / "dev/fd").symlink_to("/proc/self/fd")

    def start(self, *arguments: str, environment=None, stdin=subprocess.DEVNULL, script="install.sh", user=""):
        as_user = [f"--userspec={user}"] if user else []
        enter = ["nsenter", f"--net={self.network}"] if self.network else ["unshare", "--net"]
        if self.processes:
            mount = 'mount -t proc proc "$1/proc" && shift && exec "$@"'
            enter = [*enter, "unshare", "--mount", "sh", "-c", mount, "sh", self.root]
        return subprocess.Popen(
            [*enter, shutil.which("chroot"), *as_user, self.root, "/bin/bash", f"/bundle/{script}", *arguments],
            env={"PATH": "/bin:/usr/bin", "HOSTNAME": "srv.example", **(environment or {})},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, *arguments: str, stdin: bytes | None = None, watch: bool = False, **more) -> Ended:
        process = self.start(*arguments, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, **more)
        with _Watch(process.pid) if watch else contextlib.nullcontext() as watched:
            out, _ = process.communicate(stdin, timeout=60)
        return Ended(process.returncode, out.decode(errors="replace"), bytes(watched.seen) if watched else b"")

    def agent(self, *arguments: str) -> str:
        """What the installed agent says."""
        command = [shutil.which("chroot"), self.root, "/opt/azcmagent/bin/lab-agent", *arguments]
        return subprocess.run(command, env={"PATH": "/bin"}, capture_output=True, text=True, check=False).stdout

    def files(self) -> dict[str, bytes]:
        """Every file below the root but programs, with its content."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
            and not path.is_symlink()
            and path.parts[len(self.root.parts)] not in {"bin", "lib", "lib64"}
        }


class _Watch:
    """Reads the command lines and environments of one process' descendants again and again, but not its own."""

    def __init__(self, process: int) -> None:
        self.process, self.seen = process, bytearray()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.001):
            for entry in Path("/proc").iterdir():
                # Smaller ones too: numbers begin anew after the largest.
                if entry.name.isdigit() and int(entry.name) != self.process:
                    self._read(entry)

    def _read(self, entry: Path) -> None:
        try:
            if os.getsid(int(entry.name)) == self.process:
                line = (entry / "cmdline").read_bytes()
                self.seen += line
                # The script and its forks keep, in the kernel's eyes, the environment that they were started with;
                # so does what prepares their root.
                if b"/bundle/install.sh" not in line and not line.startswith((b"mount\0", b"sh\0-c\0mount ")):
                    self.seen += (entry / "environ").read_bytes()
        except OSError:
            pass


def with_lab_bundle(path: Path, bash: str) -> SmallRoot:
    """A root with a LAB bundle in ``/bundle``, and a secret for it in ``/root/secret``."""
    need()
    root = make(path, sample_bundles.LINUX_VERSION, bash)
    sample_bundles.write(root / "bundle", lab=True)
    put(root / "root/secret", "a-secret-of-this-test\n", 0o600)
    return root
