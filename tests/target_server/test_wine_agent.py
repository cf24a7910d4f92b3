"""The committed azcmagent.exe answers as the table says, under Wine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bundler.lab import agents
from tests.support import wine_prefix
from tests.support.agent_cases import CASES, PRINCIPAL, VERSION, WHERE, Case, Machine, Step, check

pytestmark = [pytest.mark.wine, pytest.mark.slow]


@pytest.fixture(scope="module")
def wine(prefixes):
    """How a program is started, in a Windows that is up."""
    prefix = wine_prefix.copy_prefix(prefixes / "prefix", prefixes / "agent")
    program = prefixes / "azcmagent.exe"
    program.write_bytes(agents.windows(VERSION))
    with wine_prefix.running(prefix):
        yield ["env", "-u", "DISPLAY", f"WINEPREFIX={prefix}", "WINEDEBUG=-all", "wine", str(program)]
    shutil.rmtree(prefix)


class Started(Machine):
    """One whose programs are started by Wine: a start that Wine itself says has failed is no answer, and is made again.

    The case is tried once. Whatever the program answers, a crash among it, stands.
    """

    def run(self, step: Step) -> tuple[int, str]:
        answer = super().run(step)
        if not step.args[0].startswith("@") and wine_prefix.did_not_start(self.out.encode(), self.problems):
            return super().run(step)
        return answer


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.wine])
def test_executable_answers_the_same(name, wine, tmp_path):
    check(Started(wine, tmp_path, CASES[name], "windows"), CASES[name])


def test_a_start_that_fails_is_told_from_an_answer(wine, tmp_path):
    """By Wine's own words; an answer that is a failure is not one of its."""
    nowhere = [f"WINEPREFIX={tmp_path}/none/none" if word.startswith("WINEPREFIX=") else word for word in wine]
    machine = Machine(nowhere, tmp_path, Case(()), "windows")
    assert machine.run(Step(("version",)))[0] == 1
    assert wine_prefix.did_not_start(machine.out.encode(), machine.problems), machine.problems
    machine.command = wine
    assert machine.run(Step(("config", "get", "no-such-key")))[0] == 23
    assert not wine_prefix.did_not_start(machine.out.encode(), machine.problems), machine.problems


def test_thumbprint_of_a_windows_store(wine, tmp_path):
    """What only Windows has: the table's stand-ins for Linux refuse it."""
    for thumbprint, code in (("0" * 40, 0), ("0" * 39, 23), ("x" * 40, 23)):
        root = tmp_path / str(len(thumbprint)) / thumbprint[0]
        root.mkdir(parents=True)
        step = Step(("connect", *WHERE, *PRINCIPAL, "--service-principal-cert-thumbprint", thumbprint), code)
        check(Machine(wine, root, Case(()), "windows"), Case((step,)))


def test_it_lives_in_program_data(wine, tmp_path):
    """Without the tests' own folder it keeps its state where Windows says."""
    (tmp_path / "x").mkdir()
    machine = Machine([*wine[:4], "AZCMAGENT_LAB_ROOT=", *wine[4:]], tmp_path / "x", Case(()), "windows")
    assert machine.run(Step(("config", "set", "config.mode", "full")))[0] == 0
    state = Path(wine[3].partition("=")[2], "drive_c/ProgramData/AzureConnectedMachineAgent")
    assert "config.mode" in (state / "Config/localconfig.json").read_text()
