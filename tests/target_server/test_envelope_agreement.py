"""install.sh and install.ps1 open the same envelopes, and say the same of every other one."""

from __future__ import annotations

import pytest

from tests.support import bashes
from tests.support import envelope_cases as cases


@pytest.fixture(scope="module", params=[*map(bashes.name, bashes.paths()), "powershell"])
def ask(request):
    """Asks a bundle's own script: each bash's, and PowerShell's."""
    if request.param == "powershell":
        powershell = request.getfixturevalue("powershell")
        return lambda *asked: cases.ask_powershell(powershell, *asked)
    bash = {bashes.name(path): path for path in bashes.paths()}[request.param]
    return lambda *asked: cases.ask_bash(bash, *asked)


@pytest.fixture(scope="module")
def answers(ask, tmp_path_factory):
    """What is said of every row, by its name."""
    found = {}
    for script in cases.SCRIPTS:
        rows = {name: row for name, row in cases.ROWS.items() if row.script == script}
        folder = tmp_path_factory.mktemp("rows")
        said = ask(script, folder, cases.lay(folder, (row.make() for row in rows.values())))
        assert len(said) == len(rows)
        found |= dict(zip(rows, said, strict=True))
    return found


@pytest.mark.parametrize("name", cases.ROWS)
def test_each_envelope_has_its_answer(answers, name):
    row, answer = cases.ROWS[name], answers[name]
    if row.says:
        assert not answer.opened
        assert row.says in answer.said
    else:
        assert answer == cases.Answer(True, row.opens)


def test_no_byte_of_it_can_be_changed(ask, tmp_path):
    said = ask("sealed", tmp_path, cases.lay(tmp_path, cases.tampered(60)))
    assert len(said) == 60
    assert [answer for answer in said if answer.opened] == []
    for answer in said:
        assert answer.said.startswith(cases.CHANGED), answer.said
