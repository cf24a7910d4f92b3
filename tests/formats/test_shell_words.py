"""Words that are printed for a shell are read again by the real shell as they were."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats import shell_words
from tests.support import powershell_hosts

WORDS = [
    "plain", "tokyo/bundle.yaml", "two words", "it's", '"quoted"', "$HOME", "${x}", "`id`", "$(id)", "a&b", "a|b",
    "a;b", "<in>", "*", "?", "[a]", "~", "~root", "#no", "a#b", "!", "!!", "a=b", "100%", "%PATH%", "%", "^", "(a)",
    "{a,b}", "a,b", "@splat", "@{}", "-x.y", "--flag", "-", "--", "", " ", "東京 本社.yaml", "caf\u00e9", "\u2019s",
    "\u201cx\u201d", "back\\slash", "C:\\Program Files\\a b.yaml", "C:\\Users\\O'Neil\\$x & y.p12", "ends\\",
    "two\\\\", "1,2", "0x10", "5.",
]  # fmt: skip
ANY = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
UNPRINTABLE = ["tab\there", "line\nbreak", "esc\x1b[2J", "\u202egnp.exe", "caf\udce9", "it's\n\\n"]
"""None of these may steer a terminal, and each still names its file."""


def read_by_sh(shell: str, words: list[str]) -> list[str]:
    line = f"printf '%s\\0' {' '.join(map(shell_words.posix, words))}"
    program = ["busybox", "sh"] if shell == "busybox" else [shell]
    done = subprocess.run([*program, "-c", os.fsencode(line)], capture_output=True, check=True)
    return [os.fsdecode(part) for part in done.stdout.split(b"\0")[:-1]]


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "busybox"])
def test_a_posix_shell_reads_the_words(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    words = [*WORDS, *([] if shell == "sh" else UNPRINTABLE)]
    assert read_by_sh(shell, words) == words


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@given(st.lists(st.text(ANY, min_size=1), min_size=1, max_size=20))
def test_bash_reads_any_word(words: list[str]) -> None:
    assert read_by_sh("bash", words) == words


def test_nothing_that_is_printed_steers_a_terminal() -> None:
    assert all(shell_words.posix(word).isprintable() for word in UNPRINTABLE)


@pytest.mark.parametrize("host", powershell_hosts.hosts(both=True) or ["none"])
def test_powershell_reads_the_words(host: str, tmp_path: Path) -> None:
    program = powershell_hosts.hosts(both=True).get(host)
    if program is None:
        pytest.skip(powershell_hosts.REASON)
    # As arguments of a program: an empty word, and one with double quotes, get lost in Windows PowerShell itself.
    words = [word for word in WORDS if word and '"' not in word]
    lines = ["[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false"]
    forms = (shell_words.powershell, shell_words.windows)
    lines += [f"printf '%s\\0' {' '.join(map(form, words))}" for form in forms]
    script = tmp_path / "words.ps1"
    script.write_text("\n".join(lines), encoding="utf-8-sig")
    done = subprocess.run([program, "-NoProfile", "-File", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words * 2


def test_a_windows_word_is_the_same_in_both_shells_where_that_can_be() -> None:
    for word in ("C:\\Program Files\\a & b.yaml", "東京 本社.yaml", "it's", "a^b"):
        assert shell_words.windows(word) == f'"{word}"'
    assert shell_words.windows("C:\\bundles\\arc-tokyo.zip") == "C:\\bundles\\arc-tokyo.zip"
    assert shell_words.windows("50% of $x") == "'50% of $x'"


def test_a_command_is_for_this_computer_s_shell() -> None:
    line = shell_words.command("arc-bundler", "lock", "--definition", "a b's.yaml")
    expected = '"a b\'s.yaml"' if sys.platform == "win32" else "'a b'\"'\"'s.yaml'"
    assert line == f"arc-bundler lock --definition {expected}"
    assert shell_words.command("x", "a b", on_windows=True) == 'x "a b"'
    assert shell_words.command("x", "a b", on_windows=False) == "x 'a b'"
