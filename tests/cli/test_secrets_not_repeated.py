"""The command line repeats no secret: not a bare argument, not a value in the wrong place, not one that it holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bundler.cli import held_secrets
from bundler.cli.console import Console, common, define_command
from bundler.cli.main import COMMANDS, main
from bundler.errors import SigningError
from tests.support import secret_forms as cases

SECRET = cases.PLAIN


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    held_secrets.clear()


def said(capsys, *arguments: str, code: int | None = 2) -> str:
    ended = main([*arguments])
    shown = capsys.readouterr()
    assert ended == code if code else ended
    assert SECRET not in shown.out + shown.err
    return shown.out + shown.err


@pytest.mark.parametrize("form", ["text", "json"])
# verify-file takes any number of paths, and names those that it cannot read.
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "verify-file"])
def test_a_bare_argument(capsys, command, form):
    Path("a").touch()
    assert "not shown" in said(capsys, command, "a", "a", "a", SECRET, "--format", form)


def test_a_bare_argument_in_place_of_a_command(capsys):
    assert "there is no such command" in said(capsys, SECRET)
    assert "Did you mean 'build'?" in said(capsys, "biuld")


@pytest.mark.parametrize(
    "arguments",
    [
        (f"--seal-key-passphrase={SECRET}",),
        (f"--passphrase={SECRET}",),
        (f"-P{SECRET}",),
        ("--timeout", SECRET),
        (f"--timeout={SECRET}",),
        ("--format", SECRET),
        ("--seal-passphrase-file", SECRET, "--seal-key", "key.pem"),
    ],
)
def test_a_secret_in_the_place_of_another_value(capsys, arguments):
    said(capsys, "build", *arguments, code=None)


@pytest.mark.parametrize("option", ["--secret-file", "--seal-passphrase-file"])
def test_a_secret_in_the_place_of_its_file_s_path(capsys, option):
    from bundler.cli.secrets import line
    from bundler.errors import UsageError

    with pytest.raises(UsageError, match="does not exist") as refused:
        line(Path(SECRET), "the passphrase's file")
    assert SECRET not in refused.value.what + refused.value.do


WAYS = {name: output for name, output in cases.repeated(SECRET).items() if b"\0" not in output}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_that_is_held_in_an_error(capsys, monkeypatch, form):
    """As of a token's or a program's: its words are not ours."""

    @define_command("probe", "arc-bundler probe")
    @common
    def probe(console: Console) -> None:
        console.info("\n".join(output.decode() for output in WAYS.values()))
        raise SigningError("no", details=[output.decode() for output in WAYS.values()])

    monkeypatch.setenv("ARC_BUNDLER_SEAL_PASSPHRASE", SECRET)
    monkeypatch.setattr("bundler.cli.main.cli", probe)
    monkeypatch.setattr(click, "style", lambda text, **_: text)
    assert main(["--format", form]) == 8
    shown = capsys.readouterr()
    assert cases.remnants(SECRET, (shown.out + shown.err).encode()) == []
    assert shown.err.count("[redacted]") >= 2 * len(WAYS)
    if form == "json":
        assert json.loads(shown.out)["error"]["exit_code"] == 8


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_redacted(way):
    held_secrets.remember(SECRET)
    text = held_secrets.redact(f"before {WAYS[way].decode()} after")
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert cases.remnants(SECRET, text.encode()) == []


def test_a_secret_that_is_no_utf8_does_not_break_a_character_beside_it():
    """Its one byte occurs within the euro sign: the message must be shown all the same."""
    held_secrets.clear()
    held_secrets.remember(b"\x82")
    assert held_secrets.redact("costs 5 \u20ac") == "costs 5 \\xe2[redacted]\\xac"
    held_secrets.clear()


def test_the_text_beside_it_stays():
    held_secrets.remember(SECRET)
    text = "line \u6771\u4eac \udcff 1\n\tline 2"
    assert held_secrets.redact(text) == text
    held_secrets.clear()
    held_secrets.remember("ab1")
    assert held_secrets.redact("ab1 ab12") == "[redacted] ab12"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("stream", ["stdout", "stderr", "log"])
def test_an_output_that_is_full_ends_with_7(stream):
    with Path("/dev/full").open("wb") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        arguments = ["schema"]
        if stream == "log":
            arguments += ["--log-file", "/dev/full"]
        elif stream == "stderr":
            arguments = ["verify", "nowhere"]
            streams["stderr"] = full
        else:
            streams["stdout"] = full
        done = subprocess.run(
            [sys.executable, "-m", "bundler", *arguments], check=False, env={**os.environ, "COLUMNS": "100"}, **streams
        )
    assert done.returncode == (2 if stream == "stderr" else 7), done
