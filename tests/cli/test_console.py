"""Every command has help with an example, JSON alone on standard output, and an exit code for each kind of failure."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import click
import pytest

from bundler.cli.main import COMMANDS, cli, main


def run(capsys, *arguments):
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_describes_the_command_with_an_example(capsys, name):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert "Example" in out
    for flag in ("--format", "--quiet", "--verbose", "--no-progress"):
        assert flag in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_has_its_variable_and_none_takes_a_secret(name):
    command = cli.get_command(click.Context(cli), name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            if parameter.name.startswith(
                ("insecure_", "allow_")
            ):  # what weakens a check is said each time, never set somewhere
                assert parameter.envvar is None
                continue
            assert parameter.envvar, parameter.name
            assert parameter.envvar.startswith("ARC_BUNDLER_")
            assert parameter.is_flag or not re.search(r"secret$|password$|token$|passphrase$", parameter.name)


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from bundler.cli.main import main; main(['--help']); "
        "sys.exit(any(m in sys.modules for m in ('requests', 'pydantic', 'cryptography', 'py7zr', 'jinja2', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (("biuld",), 2, "usage"),
        (("build", "--colour"), 2, "usage"),
        (("lock", "-d", "nowhere.yaml"), 3, "definition"),
        (("verify-file", "--at", "yesterday", "x"), 2, "usage"),
        (("verify-file", "--anchors", "nowhere.json", "pyproject.toml"), 2, "usage"),
        (("verify-file", "nowhere.msi"), 2, "usage"),
    ],
)
def test_failures_are_json_too_with_format_json(capsys, arguments, code, kind):
    ended, out, err = run(capsys, *arguments, "--format", "json")
    assert ended == code
    told = json.loads(out)
    assert told["ok"] is False
    assert told["error"]["kind"] == kind
    assert told["error"]["exit_code"] == code
    assert "Traceback" not in err


def test_json_can_be_requested_by_its_variable(capsys, monkeypatch):
    monkeypatch.setenv("ARC_BUNDLER_FORMAT", "json")
    assert json.loads(run(capsys, "lock", "-d", "nowhere.yaml")[1])["ok"] is False


def test_a_misspelt_command_is_answered_with_the_nearest(capsys):
    code, _, err = run(capsys, "verfiy", "x")
    assert code == 2
    assert "'verify'" in err


def test_an_internal_error_is_one_line_and_with_v_a_traceback(capsys, monkeypatch):
    from bundler.flow import inspect

    def broken(*_, **__):
        raise LookupError("unexpected")

    monkeypatch.setattr(inspect, "inspect", broken)
    code, _, err = run(capsys, "inspect", ".")
    assert code == 1
    assert "Traceback" not in err
    assert "-v" in err
    assert "Traceback" in run(capsys, "inspect", ".", "-v")[2]


def test_an_interruption_ends_with_130(capsys, monkeypatch):
    from bundler.flow import inspect

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect, "inspect", interrupted)
    assert run(capsys, "inspect", ".")[0] == 130


def test_a_reader_that_goes_away_is_no_fault():
    script = "import sys; from bundler.cli.main import run; run(['schema'])"
    piped = f'"{sys.executable}" -c "{script}" | head -c 10 >/dev/null; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
    assert "Traceback" not in done.stderr


def test_the_version_is_the_package_s(capsys):
    from bundler import __version__

    assert run(capsys, "--version")[1].strip() == f"arc-bundler {__version__}"


@pytest.mark.parametrize(("shell", "word"), [("bash", "1"), ("zsh", "1"), ("fish", "ver")], ids=["bash", "zsh", "fish"])
def test_completion_knows_commands(shell, word):
    typed = {"_ARC_BUNDLER_COMPLETE": f"{shell}_complete", "COMP_WORDS": "arc-bundler ver", "COMP_CWORD": word}
    done = subprocess.run(
        [sys.executable, "-c", "from bundler.cli.main import run; run()"],
        env={**os.environ, **typed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "verify" in done.stdout


def test_a_refusal_is_no_silence_even_with_q(capsys, tmp_path):
    (tmp_path / "notes.txt").write_text("no package", encoding="utf-8")
    code, out, err = run(capsys, "verify-file", str(tmp_path / "notes.txt"), "-q")
    assert code == 6
    assert out == ""
    assert "REFUSED" in err
    assert "notes.txt" in err
