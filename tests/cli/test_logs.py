"""The log: what is in it, where it goes, and that no secret gets into it, wherever the secret comes from."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import click
import pytest

from bundler.cli import secrets
from bundler.cli.console import Console, common, define_command, option
from bundler.cli.envelope_secret import read_secret as secret_of_envelope
from bundler.cli.main import main
from bundler.cli.options import password_source
from bundler.cli.script_signing_options import ScriptSettings, script_key
from bundler.cli.secret_variables import SECRET_VARIABLES
from bundler.cli.signing_options import SealSettings, sealer
from bundler.errors import BundlerError

# With letters that each spelling (URL, JSON, repr) writes differently.
SECRET = "gehe\"im/ü %+\\\\'7"
LOG = logging.getLogger("bundler.flow.tests")


def spellings(secret: str) -> list[str]:
    return [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret), repr(secret)]


def run_logged(work, arguments=(), **variables) -> str:
    """Run ``work`` in a command with a log; returns the log after ``work`` logged the secret in every spelling."""

    @define_command("probe", "arc-bundler probe")
    @option("--proxy", section="Network", help="Proxy.")
    @common
    def probe(console: Console, *, proxy: str | None) -> None:
        work(console)
        for spelled in spellings(SECRET):
            LOG.debug("a request to https://example.org/?key=%s failed", spelled)
        LOG.info("caught", exc_info=LookupError(SECRET))

    from click.testing import CliRunner

    result = CliRunner().invoke(probe, ["--log-file", "log", *arguments], env=variables, catch_exceptions=False)
    assert result.exit_code == 0
    return Path("log").read_text(encoding="utf-8")


def file_with(secret: str) -> Path:
    place = Path("secret-file")
    place.write_text(f"{secret}\n", encoding="utf-8")
    place.chmod(0o600)
    return place


def nothing(_: Console) -> None:
    return None


NO_SEAL = dict.fromkeys(SealSettings.__dataclass_fields__) | {"seal_timeout": 1.0}


def read_key(console: Console, **given) -> None:
    with pytest.raises(BundlerError):
        sealer(console, SealSettings(**NO_SEAL | given))


def read_script_key(console: Console, place: Path | None) -> None:
    chosen = ScriptSettings(False, encrypted_key(), None, place)
    with pytest.raises(BundlerError):
        script_key(console, chosen, None)


def encrypted_key() -> Path:
    from tests.support import signing_keys as made

    place = Path("encrypted.key")
    if not place.exists():
        made.private_file(place, made.key_pem(made.key("p256"), "another passphrase"))
    return place


SOURCES = {
    "servers' secret, file": (
        lambda console: secrets.read(console, file_with(SECRET), secrets.SERVERS_SECRET, what="the file"),
        {},
    ),
    "servers' secret, variable": (nothing, {"ARC_BUNDLER_SECRET": SECRET}),
    "envelope, file": (lambda console: secret_of_envelope(console, file_with(SECRET), "secret"), {}),
    "envelope, certificate": (
        lambda console: secret_of_envelope(console, file_with(f"-----BEGIN KEY-----\n{SECRET}"), "certificate"),
        {},
    ),
    "password, file": (lambda console: password_source(console, file_with(SECRET))(), {}),
    "password, variable": (nothing, {"ARC_BUNDLER_PASSWORD": SECRET}),
    "sealing passphrase, file": (
        lambda console: read_key(console, seal_key=encrypted_key(), seal_passphrase_file=file_with(SECRET)),
        {},
    ),
    "sealing passphrase, variable": (nothing, {"ARC_BUNDLER_SEAL_PASSPHRASE": SECRET}),
    "OpenPGP passphrase, variable": (nothing, {"ARC_BUNDLER_OPENPGP_PASSPHRASE": SECRET}),
    "script passphrase, file": (lambda console: read_script_key(console, file_with(SECRET)), {}),
    "script passphrase, variable": (nothing, {"ARC_BUNDLER_SCRIPT_PASSPHRASE": SECRET}),
    "proxy, its variable": (nothing, {"ARC_BUNDLER_PROXY": f"http://someone:{quote(SECRET, safe='')}@proxy:3128"}),
    "proxy, HTTPS_PROXY": (nothing, {"HTTPS_PROXY": f"http://someone:{quote(SECRET, safe='')}@proxy:3128"}),
    "proxy, https_proxy": (nothing, {"https_proxy": f"http://someone:{quote(SECRET, safe='')}@proxy:3128"}),
    "proxy, HTTP_PROXY without a scheme": (nothing, {"HTTP_PROXY": f"someone:{quote(SECRET, safe='')}@proxy:3128"}),
    "proxy, ALL_PROXY": (nothing, {"ALL_PROXY": f"socks5://someone:{quote(SECRET, safe='')}@proxy:3128"}),
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("work", "variables"), SOURCES.values(), ids=SOURCES)
def test_a_secret_is_taken_out_in_every_spelling(work, variables):
    log = run_logged(work, **variables)
    assert log.count("[redacted]") >= len(spellings(SECRET)) + 1
    for spelled in spellings(SECRET):
        assert spelled.strip("\"'") not in log


def test_a_proxys_password_from_the_command_line():
    log = run_logged(nothing, ["--proxy", f"http://someone:{quote(SECRET, safe='')}@proxy:3128"])
    for spelled in spellings(SECRET):
        assert spelled.strip("\"'") not in log


@pytest.mark.parametrize("source", ["password", "seal", "script"])
def test_a_secret_from_a_prompt(source, monkeypatch):
    monkeypatch.setattr(click, "prompt", lambda *_, **__: SECRET)

    def work(console: Console) -> None:
        monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": staticmethod(lambda: True)})())
        if source == "password":
            assert password_source(console, None)() == SECRET
        elif source == "seal":
            read_key(console, seal_key=encrypted_key())
        else:
            read_script_key(console, None)

    log = run_logged(work)
    for spelled in spellings(SECRET):
        assert spelled.strip("\"'") not in log


def test_without_a_source_the_text_is_in_the_log():
    """So that the tests above can fail."""
    assert repr(SECRET) in run_logged(nothing)


def test_every_secret_option_and_variable_is_among_the_sources():
    from bundler.cli.main import COMMANDS, cli

    found = {
        parameter.name
        for name in COMMANDS
        for parameter in cli.get_command(click.Context(cli), name).params
        if parameter.name.endswith(("secret_file", "password_file", "passphrase_file"))
    }
    named = {f"{one.lower()}_file" for one in SECRET_VARIABLES}
    assert found == named


def test_a_command_logs_its_steps_and_how_it_ended():
    assert main(["verify", "--insecure-no-seal", os.curdir, "--log-file", "log"]) == 6
    log = Path("log").read_text(encoding="utf-8")
    given = log.partition("given: ")[2].partition("\n")[0]
    assert {"bundle", "insecure_no_seal"} <= set(given.split(", "))
    assert "bundler.cli.logs: ended with VerificationError" in log
    assert "Traceback" in log
    assert stat.S_IMODE(Path("log").stat().st_mode) == 0o600 or os.name != "posix"


def test_a_second_run_appends_and_a_run_without_a_log_adds_nothing():
    for _ in range(2):
        main(["schema", "--to", "x.json", "--log-file", "log"])
    once = Path("log").read_text(encoding="utf-8")
    assert once.count("ended well") == 2
    main(["schema", "--to", "x.json"])
    LOG.info("nothing listens")
    assert Path("log").read_text(encoding="utf-8") == once


def test_two_v_show_the_log_on_standard_error_and_one_does_not(capsys):
    main(["schema", "-vv"])
    told = capsys.readouterr()
    assert "INFO bundler.cli.logs: arc-bundler" in told.err
    json.loads(told.out)
    main(["schema", "-v"])
    assert capsys.readouterr().err == ""


def test_a_log_file_that_cannot_be_written_ends_with_7(capsys):
    assert main(["schema", "--log-file", "no-folder/log", "--format", "json"]) == 7
    assert "cannot be written" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_line_steers_no_terminal():
    run_logged(lambda _: LOG.info("a title \x1b]0;x\x07\u202e"))
    assert not any(letter in Path("log").read_text(encoding="utf-8") for letter in "\x1b\x07\u202e")
