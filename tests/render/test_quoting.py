"""Every value comes back unchanged through a real bash and a real PowerShell, or is refused."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bundler.render import quoting
from bundler.render.quoting import Quoted, QuotingError

HOSTILE = (
    "",
    " ",
    "'",
    "''",
    '"',
    "`",
    "`n$(touch pwned)`$x",
    "$(touch pwned)",
    "$HOME ${PATH} $env:PATH @args",
    "\\",
    "\\'",
    "a\\",
    "\n",
    "\r\n",
    "a\nb\rc\td",
    "\x01\x1b[31m\x7f",
    "-n",
    "--%",
    "-e",
    "\u2018\u2019\u201a\u201b",
    "\u201c\u201d\u201e",
    "it\u2019s'\u2018",
    "東京リージョン",
    "表ソ能",
    "e\u0301 é \u200b\ufeff",
    "😀\U0010ffff",
    "\u0085\u2028\u2029",
    "%PATH% %s %%",
    "!!",
    "*?[a]~",
    "#> <# #",
    "{{ x }} {% y %}",
    "; rm -rf / &",
    "EOF\n'@\n\"@",
    "a" * 5000 + "'",
)
TEXTS = st.lists(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
    | st.text("'\"`$\\()\n\r\u2018\u2019\u201a\u201b-x ", max_size=12),
    min_size=1,
    max_size=60,
)


def through_bash(words: str, locale: str = "C") -> list[str]:
    """The items of an array of ``words``, as a script's header has it."""
    script = f"row=(\n{words}\n)\nprintf '%s\\0' \"${{row[@]}}\"\n"
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on PATH")
    done = subprocess.run(
        [bash, "-s"], input=script.encode("ascii"), capture_output=True, check=True, env={"LC_ALL": locale}
    )
    # A locale that is not installed is worth a warning to bash, and nothing more.
    assert b"syntax" not in done.stderr
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=40, deadline=None)
@given(TEXTS)
@example(list(HOSTILE))
def test_bash_gives_every_value_back(values):
    assert through_bash(" ".join(map(quoting.bash, values))) == values


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(24, 140))
@example(list(HOSTILE), 24)
@example(list(HOSTILE), 140)
def test_bash_gives_every_row_back_in_short_lines(values, width):
    row = quoting.bash_row(values, width)
    assert through_bash(row) == values
    assert max(map(len, row.split("\n"))) <= width


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(64, 140))
@example(list(HOSTILE), 64)
def test_bash_gives_every_folded_value_back_in_short_lines(values, width):
    folded = [quoting.bash_value(value, width) for value in values]
    assert through_bash("\n".join(folded)) == values
    assert max(len(line) for one in folded for line in one.split("\n")) <= width


@pytest.mark.parametrize("locale", ["C.UTF-8", "ja_JP.SJIS", "nowhere"])
def test_bash_gives_every_value_back_in_any_locale(locale):
    assert through_bash(" ".join(map(quoting.bash, HOSTILE)), locale) == list(HOSTILE)
    assert through_bash(quoting.bash_row(HOSTILE), locale) == list(HOSTILE)


# UTF-16 code units in JSON: nothing on the way can decode them otherwise.
SHOW = "function Show($Value) { '[' + ((@($Value.ToCharArray() | ForEach-Object { [int]$_ })) -join ',') + ']' }\n"


def through_powershell(powershell, folder, script: str) -> list[str]:
    """What a script shows, one value a line."""
    file = folder / "values.ps1"
    file.write_bytes((SHOW + script).encode("ascii"))
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", file]
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    units = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return [b"".join(unit.to_bytes(2, "little") for unit in line).decode("utf-16-le") for line in units]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
@example(list(HOSTILE))
def test_powershell_gives_every_value_back(powershell, tmp_path, values):
    # As an argument of a command: the place where PowerShell reads a literal most freely.
    script = "".join(f"Show {quoting.powershell(value)}\r\n" for value in values)
    assert through_powershell(powershell, tmp_path, script) == values


def test_powershell_takes_a_whole_list(powershell, tmp_path):
    script = f"{quoting.powershell_list(HOSTILE)} | ForEach-Object {{ Show $_ }}"
    assert through_powershell(powershell, tmp_path, script) == list(HOSTILE)


def test_powershell_gives_folded_values_back(powershell, tmp_path):
    values = [*HOSTILE, "'" * 100, "it's " * 40, "x" * 24, "x" * 25]
    script = "".join(f"Show {quoting.powershell_folded(value, 24)}\r\n" for value in values)
    script += f"{quoting.powershell_list_folded(values, 24)} | ForEach-Object {{ Show $_ }}"
    assert through_powershell(powershell, tmp_path, script) == [*values, *values]


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=200), st.integers(32, 80))
def test_a_folded_literal_keeps_to_its_width(value, width):
    lines = quoting.powershell_folded(value, width).split("\n")
    # The first line has "('' + " before its parts, the last ")" behind them.
    assert all(len(line.strip()) <= width + 6 for line in lines)
    assert all(line.isascii() and line.isprintable() for line in lines)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))
def test_a_literal_is_printable_ascii_on_one_line(value):
    for literal in (quoting.bash(value), quoting.powershell(value)):
        assert literal.isascii()
        assert literal.isprintable()


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))
def test_text_stays_on_one_line(value):
    assert len(quoting.text(value).splitlines()) <= 1


@pytest.mark.parametrize("quote", [quoting.bash, quoting.powershell, quoting.text])
@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x\udfffy", None, 3, b"bytes", Quoted("'once'")])
def test_what_no_script_can_carry_is_refused(quote, value):
    with pytest.raises(QuotingError):
        quote(value)
