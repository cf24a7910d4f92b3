"""A Windows to run install.ps1 on: PowerShell's engine from the bench, Windows Installer and programs from Wine.

What this is not: the engine runs on this machine's own system, so three things stand between it and Wine. ``msiexec``
and ``icacls`` in the folder that the script takes for System32 are shell scripts: the first hands its arguments to
Wine's msiexec with paths in Windows' words, the second only notes them, for there are no Windows rights here. And
because a shell cannot start a Windows program, the first puts a shell script in the installed ``azcmagent.exe``'s place
that starts it under Wine; Windows does that by itself. The registry that the script reads is the bench's file.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import powershell_hosts
from tests.support.target_machine import MARK, Outcome, Sampler, missing
from tests.support.windows_bench import RIGHTS

# Wine's own words for a server that is late or gone, and for a program that is not loaded (8.0: dlls/ntdll/unix).
_NOT_STARTED = re.compile(
    rb"^(wine client error:|wineserver:|wine: (could not|failed to|cannot|chdir|connect|socket) )", re.MULTILINE
)

QUIET = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=d"}

MSIEXEC = """#!/bin/bash
# Windows Installer is Wine's; what is installed is started by a script in its place.
printf '%s\\n' "$*" >>{log}
programs={prefix}'/drive_c/Program Files/AzureConnectedMachineAgent'
if [[ -e $programs/azcmagent.real.exe ]]; then mv -f "$programs/azcmagent.real.exe" "$programs/azcmagent.exe"; fi
arguments=()
for argument; do
    if [[ $argument == /*/* ]]; then argument="Z:${{argument//\\//\\\\}}"; fi
    arguments+=("$argument")
done
# Into a file: what Wine starts besides would keep a pipe open for as long as it lives.
wine msiexec "${{arguments[@]}}" >{log}.out 2>&1 </dev/null
code=$?
cat {log}.out
if [[ -e $programs/azcmagent.exe ]]; then
    mv "$programs/azcmagent.exe" "$programs/azcmagent.real.exe"
    cp {agent} "$programs/azcmagent.exe"
fi
exit $code
"""

AGENT = """#!/bin/bash
arguments=()
for argument; do
    if [[ $argument == /*/* && -e $argument ]]; then argument="Z:${argument//\\//\\\\}"; fi
    arguments+=("$argument")
done
said=$(mktemp)
wine "${BASH_SOURCE[0]%/*}/azcmagent.real.exe" "${arguments[@]}" >"$said" 2>"$said.err" </dev/null
code=$?
cat "$said"
cat "$said.err" >&2
rm -f "$said" "$said.err"
exit $code
"""

ICACLS = """#!/bin/bash
printf '%s|' "$@" >>{log}
"""

REGISTRY = {
    "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion": {
        "ProductName": "Windows Server 2022 Standard",
        "CurrentBuildNumber": "20348",
        "InstallationType": "Server",
    },
    "HKLM\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full": {"Release": 528449},
}


def need_wine() -> None:
    """Skip where there is no Wine."""
    if shutil.which("wine") is None:
        missing("Wine (apt install wine wine64)")


def make_prefix(prefix: Path) -> Path:
    """What Wine takes for a Windows, freshly set up."""
    prefix.mkdir()
    _wine(prefix, "wineboot", "-i")
    _wine(prefix, "wineserver", "-w")
    if not (prefix / "drive_c/windows/system32/msiexec.exe").is_file():
        missing("a Wine that sets up a prefix")
    return prefix


def copy_prefix(prefix: Path, to: Path) -> Path:
    """Another one: programs are linked, nothing writes into them; the registry is copied."""
    subprocess.run(["cp", "-al", prefix, to], check=True)
    for name in ("system.reg", "user.reg", "userdef.reg"):
        (to / name).unlink()
        shutil.copy2(prefix / name, to / name)
    return to


@contextmanager
def running(prefix: Path) -> Iterator[None]:
    """Keep this Windows up: its services would else be started, and their end waited for, with every single program."""
    waiting = subprocess.Popen(
        ["wine", "cmd", "/c", "set /p held="],
        env=_environment(prefix),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _come_up(prefix)
        yield
    finally:
        waiting.communicate(b"\r\n")
        _wine(prefix, "wineserver", "-k")  # this prefix' own server and nothing else


def _come_up(prefix: Path) -> None:
    """Wait until a program runs and its code arrives; a Windows that does not come up is not the test's finding."""
    for _ in range(3):
        done = _wine(prefix, "wine", "cmd", "/c", "exit 7")
        if done.returncode == 7:
            return
    pytest.fail(f"Wine does not come up: {done.returncode}, {done.stderr.decode(errors='replace')}")


def did_not_start(said: bytes, problems: bytes) -> bool:
    """Whether Wine itself says that it could not start a program, which then has said nothing.

    A program that crashes is told in other words ("wine: Unhandled ..."), and is the program's finding.
    """
    return not said and _NOT_STARTED.search(problems) is not None


def _environment(prefix: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    return {**ours, **QUIET, "WINEPREFIX": str(prefix)}


def _wine(prefix: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    # Into a file: what Wine starts besides would keep a pipe open for as long as it lives.
    with tempfile.TemporaryFile() as problems:
        done = subprocess.run(
            command,
            env=_environment(prefix),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=problems,
            check=False,
            timeout=120,
        )
        problems.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, b"", problems.read())


@dataclass(frozen=True)
class Windows:
    """One machine: a prefix, and the folder that the script takes for Windows'."""

    root: Path
    powershell: str

    def __truediv__(self, path: str) -> Path:
        return self.root / path

    def prepare(self) -> None:
        """Put in place what only Windows has."""
        system = self / "Windows/System32"
        system.mkdir(parents=True)
        (self / "agent.sh").write_text(AGENT)
        (self / "agent.sh").chmod(0o755)
        quoted = {name: shlex.quote(str(self / name)) for name in ("prefix", "agent.sh", "msiexec.log", "icacls.log")}
        for name, text in {
            "msiexec.exe": MSIEXEC.format(log=quoted["msiexec.log"], prefix=quoted["prefix"], agent=quoted["agent.sh"]),
            "icacls.exe": ICACLS.format(log=quoted["icacls.log"]),
        }.items():
            (system / name).write_text(text)
            (system / name).chmod(0o755)
        (self / "registry.json").write_text(json.dumps(REGISTRY))
        (self / "rights.ps1").write_text(RIGHTS.format(root=self.root))

    @property
    def programs(self) -> Path:
        """``%ProgramFiles%``."""
        return self / "prefix/drive_c/Program Files"

    @property
    def data(self) -> Path:
        """``%ProgramData%``."""
        return self / "prefix/drive_c/ProgramData"

    @property
    def agent(self) -> Path:
        """The installed agent."""
        return self.programs / "AzureConnectedMachineAgent/azcmagent.exe"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a process on this machine finds."""
        return {
            **QUIET,
            "WINEPREFIX": str(self / "prefix"),
            "ProgramW6432": str(self.programs),
            "ProgramFiles": str(self.programs),
            "ProgramData": str(self.data),
            "SystemRoot": str(self / "Windows"),
            "PROCESSOR_ARCHITECTURE": "AMD64",
            "BENCH_REGISTRY": str(self / "registry.json"),
            "HOME": str(self.root),
            "XDG_CACHE_HOME": powershell_hosts.CACHE,
            "PATH": os.environ["PATH"],
            **(more or {}),
        }

    def run(
        self, script: Path, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run a script with the bench's PowerShell."""
        command = [self.powershell, "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass"]
        command += ["-Prelude", self / "rights.ps1", "-File", script]
        with Sampler() as sampler:
            done = subprocess.run(
                [*command, *arguments],
                input=stdin,
                env=self.environment(environment),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
                timeout=180,
            )
        return Outcome(done.returncode, done.stdout.decode(errors="replace"), sampler.seen)

    def ask(self, *arguments: str) -> subprocess.CompletedProcess:
        """Ask the installed agent."""
        return subprocess.run(
            [self.agent, *arguments], env=self.environment(), capture_output=True, check=False, timeout=60
        )

    def shown(self) -> dict:
        """What the agent says of itself."""
        return json.loads(self.ask("show", "-j").stdout)

    def holding(self, mark: bytes = MARK) -> list[str]:
        """Every file that holds the secret, but for Windows' own."""
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not (name == "windows" and folder.endswith("drive_c"))]
            for name in names:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink() and mark in path.read_bytes():
                    found.append(str(path.relative_to(self.root)))
        return found

    def tree(self) -> dict[str, bytes]:
        """Programs, their state and the registry's file."""
        folders = (self.programs / "AzureConnectedMachineAgent", self.data)
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in [*files, self / "registry.json"]}
