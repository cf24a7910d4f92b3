"""The stand-in agents answer as one table states.

``azcmagent.sh`` is run as it is, ``azcmagent.c`` compiled for this machine; the committed ``azcmagent.exe`` is run in
``tests/target_server``, where there is a Wine.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bundler.lab import agents
from tests.support.agent_cases import CASES, ONE, SIGNED, VERSION, Case, Machine, Step, check
from tests.support.target_machine import missing

SOURCES = Path(agents.__file__).parent
BUILD = "-std=c11 -Os -s -municode -Wl,--no-insert-timestamp"
COMPILER = "x86_64-w64-mingw32-gcc"


@pytest.fixture(scope="session")
def shell(tmp_path_factory) -> list[str]:
    program = tmp_path_factory.mktemp("sh") / "azcmagent"
    program.write_bytes(agents.linux(VERSION))
    return ["bash", str(program)]


@pytest.fixture(scope="session")
def native(tmp_path_factory) -> list[str]:
    if shutil.which("cc") is None:
        missing("a C compiler (apt install gcc libc6-dev)")
    program = tmp_path_factory.mktemp("c") / "azcmagent"
    flags = [
        "-std=c11",
        "-D_GNU_SOURCE",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsanitize=undefined",
        "-fno-sanitize-recover",
    ]
    source = (SOURCES / "azcmagent.c").read_text().replace("@LAB-AGENT-VERSION@", VERSION)
    program.with_suffix(".c").write_text(source)
    subprocess.run(["cc", *flags, "-o", program, program.with_suffix(".c")], check=True)
    return [str(program)]


@pytest.mark.parametrize("name", CASES)
def test_shell_answers(name, shell, tmp_path):
    check(Machine(shell, tmp_path, CASES[name]), CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_c_answers_the_same(name, native, tmp_path):
    check(Machine(native, tmp_path, CASES[name]), CASES[name])


def test_both_say_the_same_words(shell, native, tmp_path):
    """Word for word, but for what is drawn by lot or by the clock."""
    said = []
    for name, command in (("sh", shell), ("c", native)):
        root = tmp_path / name
        root.mkdir()
        machine = Machine(command, root, Case(()))
        steps = [
            ("help",),
            ("connect", "-h"),
            ("config", "set", "-h"),
            ("show",),
            ("show", "-j"),
            ("config", "info"),
            ("config", "set", "config.mode", "monitor"),
            ("config", "list"),
            ("config", "list", "-j"),
            ("check", "-l", "westus3"),
            ("check", "-l", "usgovvirginia", "--cloud", "AzureUSGovernment", "-j"),
            ("connect", *SIGNED, "--correlation-id", ONE),
            ("connect", *SIGNED),
            ("connect", *SIGNED, "-j"),
            ("show", "Resource Id", "OS", "--os"),
        ]
        said.append([machine.run(Step(step)) for step in steps])
        assert (machine.state / "localconfig.json").read_bytes() == (
            tmp_path / "sh/var/opt/azcmagent/localconfig.json"
        ).read_bytes()
    assert said[0] == said[1]


def test_shell_is_clean():
    if shutil.which("shellcheck") is None:
        missing("shellcheck (apt install shellcheck)")
    subprocess.run(["shellcheck", "--shell=bash", SOURCES / "azcmagent.sh"], check=True)


@pytest.mark.parametrize("version", ["", "1.67\n", "1" * 32, "1.67-LAB", "x"])
def test_what_is_no_version(version):
    with pytest.raises(ValueError, match="version"):
        agents.linux(version)
    with pytest.raises(ValueError, match="version"):
        agents.windows(version)


def test_a_version_fills_its_place_alone():
    before, after = (SOURCES / "azcmagent.exe").read_bytes(), agents.windows("1" * 31)
    at = before.index(b"@LAB-AGENT-VERSION@")
    assert after[at : at + 32] == b"1" * 31 + b"\0"
    assert before[:at] + before[at + 32 :] == after[:at] + after[at + 32 :]
    assert before.count(b"@LAB-AGENT-VERSION@") == 1


def test_executable_is_what_its_source_makes(tmp_path):
    if shutil.which(COMPILER) is None:
        missing(f"{COMPILER} (apt install gcc-mingw-w64-x86-64)")
    assert f"{COMPILER} {BUILD} -o azcmagent.exe azcmagent.c" in (SOURCES / "BUILD.md").read_text()
    source = tmp_path / "azcmagent.c"
    source.write_bytes((SOURCES / "azcmagent.c").read_bytes())
    subprocess.run([COMPILER, *BUILD.split(), "-o", "azcmagent.exe", "azcmagent.c"], cwd=tmp_path, check=True)
    named = subprocess.run([COMPILER, "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    if f"GCC {named}" not in (SOURCES / "BUILD.md").read_text():
        pytest.skip(f"the committed executable was built by another compiler than {named}")
    assert (tmp_path / "azcmagent.exe").read_bytes() == (SOURCES / "azcmagent.exe").read_bytes()


def test_executable_is_small():
    assert (SOURCES / "azcmagent.exe").stat().st_size < 100_000
