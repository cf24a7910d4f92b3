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
from bundler.cli.main import COMMANDS, cli, main
from bundler.cli.secret_variables import looks_secret
from bundler.errors import SigningError
from tests.support import secret_forms as cases
from tests.support import small_definition

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


@pytest.mark.parametrize("around", ["[{}", "{}#", "/{}", "a]{}["])
@pytest.mark.parametrize("address", ["http://me:{}@proxy:8080", "me:{}@proxy:8080", "http://[::1{}"])
def test_a_proxy_s_password_with_any_character(capsys, monkeypatch, address, around):
    proxy = address.format(around.format(SECRET))
    assert main(["init"]) == 0
    said(capsys, "lock", "--proxy", proxy, code=3)  # what is not filled in comes first
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    said(capsys, "plan", "--format", "json", code=3)


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


def looks_like_a_secret_s() -> list[tuple[str, str]]:
    """Each command with each of its variables that may hold a secret, and with those that people make up."""
    made_up = ("ARC_BUNDLER_PIN", "ARC_BUNDLER_API_TOKEN", "ARC_BUNDLER_PASSWD", "ARC_BUNDLER_SEALKEY")
    found = []
    for command in COMMANDS:
        options = cli.get_command(click.Context(cli), command).params
        variables = {str(one.envvar) for one in options if one.envvar and looks_secret(str(one.envvar))}
        found += [(command, variable) for variable in sorted({*variables, *made_up, "ARC_BUNDLER_PASSPHRASE"})]
    return found


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("value", [SECRET, "471147114711", f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n", SECRET * 30])
def test_a_variable_that_looks_like_a_secret_s_is_never_echoed(capsys, monkeypatch, form, value):
    Path("a").touch()
    Path("bundle.yaml").write_text(small_definition.WITH_SECRET)
    for command, variable in looks_like_a_secret_s():
        monkeypatch.setenv(variable, value)
        arguments = [command, *(["a"] * _ARGUMENTS.get(command, 0)), "--format", form]
        if command == "lab":
            arguments += ["--port", "99999"]
        main(arguments)
        shown = capsys.readouterr()
        for part in (value, SECRET, "4711"):
            if part in value:
                assert part not in shown.out + shown.err, (command, variable)
        monkeypatch.delenv(variable)


_ARGUMENTS = {"verify": 1, "verify-file": 1, "approve": 1, "inspect": 1, "diff": 2}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("value", [SECRET, "1", "true", ""])
def test_the_former_name_of_an_option_is_answered_with_the_new_one(capsys, monkeypatch, form, value):
    monkeypatch.setenv("ARC_BUNDLER_PASSPHRASE", value)
    shown = said(capsys, "seal-secret", "--format", form)
    assert "--with-passphrase" in shown
    assert "ARC_BUNDLER_WITH_PASSPHRASE=1" in shown
    monkeypatch.delenv("ARC_BUNDLER_PASSPHRASE")
    assert "--passphrase is now --with-passphrase" in said(capsys, "seal-secret", "--passphrase", "--format", form)
    assert "is now --with-passphrase" in said(capsys, "seal-secret", f"--passphrase={SECRET}", "--format", form)


def test_a_number_out_of_range_is_not_repeated(capsys):
    assert "4711" not in said(capsys, "seal-secret", "--days", "4711")


def test_the_path_of_a_key_that_exists_is_named(capsys, monkeypatch):
    Path("sealer.pem").write_text("not a key\n")
    Path("bundle.yaml").write_text(small_definition.WITH_SECRET)
    monkeypatch.setenv("ARC_BUNDLER_SEAL_KEY", "sealer.pem")
    assert "sealer.pem holds no PEM key" in said(capsys, "build", code=8)
    monkeypatch.setenv("ARC_BUNDLER_SEAL_KEY", "no-such-file.pem")
    assert "no-such-file" not in said(capsys, "build", code=8)


@pytest.mark.parametrize(("given", "is_named"), [("seler.pem", True), ("keys/sealer", True), ("hunter2", False)])
def test_a_key_that_is_missing_is_named_where_it_looks_like_a_path(capsys, given, is_named):
    Path("bundle.yaml").write_text(small_definition.WITH_SECRET)
    assert (given in said(capsys, "build", "--seal-key", given, code=8)) == is_named
    pasted = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n"
    assert "[redacted]" in said(capsys, "build", "--seal-key", pasted, code=8)


def test_a_directory_for_a_key_is_not_named(capsys):
    Path(SECRET).mkdir()
    assert "is a directory" in said(capsys, "build", "--seal-key", SECRET)
