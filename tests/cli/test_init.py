"""`init` and `schema`: a definition to start from, without prompts where there is no terminal."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bundler.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_terminal_it_prompts_for_nothing_and_lists_what_to_fill_in(folder, capsys):
    assert main(["init", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["to_fill_in"] == [
        "tenant",
        "subscription",
        "resource_group",
        "location",
    ]
    first = (folder / "bundle.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=bundle.schema.json"
    assert (folder / "bundle.schema.json").exists()
    assert main(["plan"]) == 3


def test_with_the_answers_the_definition_is_right(folder):
    answers = ("--tenant", "11111111-1111-4111-8111-111111111111", "--resource-group", "servers")
    more = ("--subscription", "22222222-2222-4222-8222-222222222222", "--location", "japaneast")
    assert main(["init", *answers, *more, "--target", "windows", "--target", "rhel/9/x64"]) == 0
    assert main(["plan"]) == 0


def test_a_definition_that_is_there_is_never_replaced(folder):
    (folder / "bundle.yaml").write_text("mine")
    assert main(["init"]) == 7
    assert (folder / "bundle.yaml").read_text() == "mine"


def test_a_target_that_is_none_is_a_usage_error(folder):
    assert main(["init", "--target", "a/b/c/d"]) == 2
    assert not (folder / "bundle.yaml").exists()


@pytest.mark.parametrize("word", ["1" * 5000, "0", "01", "99", "\u0663", "\u00b2"])
def test_a_number_that_is_no_choice_is_a_usage_error(folder, word):
    assert main(["init", "--profile", word]) == 2
    assert not (folder / "bundle.yaml").exists()


def test_a_lab_that_does_not_run_is_named(folder, capsys):
    assert main(["init", "--lab", "lab"]) == 2
    assert "arc-bundler lab" in capsys.readouterr().err


def test_schema_is_what_init_writes_beside(folder, capsys):
    main(["init", "-q"])
    capsys.readouterr()
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == (folder / "bundle.schema.json").read_text()
    assert main(["schema", "--to", "other.json"]) == 0
    assert (folder / "other.json").read_bytes() == (folder / "bundle.schema.json").read_bytes()


GROUP = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/g/providers/Microsoft.HybridCompute"
SCOPE, GATEWAY = f"{GROUP}/privateLinkScopes/pls", f"{GROUP}/gateways/gw"
GUID = "33333333-3333-4333-8333-333333333333"
AZURE = ("--tenant", "11111111-1111-4111-8111-111111111111", "--resource-group", "servers")
AZURE += ("--subscription", "22222222-2222-4222-8222-222222222222", "--location", "Japan East")


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("--profile", "microsoft-peering", "--proxy-url", "http://proxy:8080"),
        ("--profile", "private-link", "--private-link-scope", SCOPE),
        ("--profile", "private-link", "--private-link-scope", SCOPE, "--proxy-url", "http://proxy:8080"),
        ("--profile", "GATEWAY", "--gateway-id", GATEWAY, "--proxy-url", "http://proxy:8080"),
        ("--sign-in", "service-principal-secret", "--service-principal-id", GUID),
        ("--service-principal-id", GUID),
        ("--sign-in", "service-principal-certificate", "--service-principal-id", GUID, "--certificate", "/etc/a.pem",
         "--target", "rhel/9"),
        ("--sign-in", "service-principal-certificate", "--service-principal-id", GUID, "--certificate", "ab" * 20,
         "--target", "windows"),
        ("--sign-in", "access-token"),
        ("--sign-in", "interactive", "--target", "win2022"),
        ("--sql-server", "paid", "--target", "windows"),
        ("--sql-server", "Disabled", "--target", "debian/12"),
        ("--cloud", "AzureUSGovernment", "--location", "usgovvirginia"),
        ("--target", "almalinux 9.4", "--target", "ubuntu/22.04/arm64"),
        ("--name", "tokyo+osaka", "--output-format", "7z"),
    ],
)  # fmt: skip
def test_each_answer_has_an_option_and_what_is_written_passes(folder, capsys, given):
    assert main(["init", *AZURE, *given, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["to_fill_in"] == []
    assert main(["plan", "--format", "json"]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    expected = 1 if {"access-token", "interactive"} & {*given} else 0
    assert len([one for one in warnings if not one.startswith("note: ")]) == expected, warnings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--profile", "peering"), "--profile: 'peering' is not one of them (public, microsoft-peering"),
        (("--profile", "gateway", "--gateway-id", "gw"), "--gateway-id: 'gw' is not a valid ARM id"),
        (("--gateway-id", GATEWAY), "--gateway-id does not go with the other answers"),
        (("--profile", "gateway", "--private-link-scope", SCOPE), "--private-link-scope does not go with"),
        (("--proxy-url", "http://u:hunter2@p:1"), "--proxy-url: contains a user name"),
        (("--proxy-url", "p:8080"), "--proxy-url: 'p:8080' is not a valid proxy address"),
        (("--sign-in", "device-code", "--service-principal-id", GUID), "--service-principal-id does not go with"),
        (("--sign-in", "service-principal-secret", "--service-principal-id", "x"), "'x' is not a valid GUID"),
        (("--sign-in", "interactive"), "needs a browser, which a Linux server (rhel, ubuntu) usually lacks"),
        (("--certificate", "/etc/a.pem"), "--certificate: device-code does not use a certificate"),
        (("--tenant", "contoso.com"), "--tenant: 'contoso.com' is not a valid GUID"),
        (("--location", "japaneest"), "did you mean 'japaneast'?"),
        (("--resource-group", "a."), "--resource-group: "),
        (("--sql-server", "no"), "--sql-server: 'no' is not one of them (Disabled, Paid"),
        (("--target", "ubunto/22.04"), "--target: 'ubunto' is not supported; did you mean 'ubuntu'?"),
        (("--cloud", "AzureUSGovernment", "--profile", "gateway", "--gateway-id", GATEWAY), "gateway exists only"),
        (("--name", "con"), "the answers do not fit together"),
        (("--answer", "colour=red"), "has no question 'colour'"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_reason_and_nothing_is_written(folder, capsys, given, words):
    assert main(["init", *given]) == 2
    told = capsys.readouterr().err
    assert words in told, told
    assert "hunter2" not in told
    assert list(folder.iterdir()) == []


def test_an_unknown_region_is_a_warning_in_text_and_json(folder, capsys):
    assert main(["init", *AZURE[:-1], "atlantisnorth", "--format", "json"]) == 0
    told = capsys.readouterr()
    assert any("atlantisnorth" in one for one in json.loads(told.out)["warnings"])
    assert "warning: " in told.err


@pytest.mark.skipif(not shutil.which("openssl") or os.name != "posix", reason="needs openssl and a POSIX shell")
@pytest.mark.parametrize("name", ["arc-tokyo", "tokyo+osaka_1.0"])
def test_the_printed_lines_make_a_key_that_seals(folder, capsys, name):
    """The commands are run by a shell as they are printed; the passphrase alone is given differently."""
    from bundler.cli.console import Console
    from bundler.cli.signing_options import SealSettings, sealer

    assert main(["init", *AZURE, "--name", name, "--format", "json"]) == 0
    lock, key, certificate, build = json.loads(capsys.readouterr().out)["next"]
    assert lock == "arc-bundler lock"
    assert build == "arc-bundler build --locked --seal-key seal-key.pem --seal-certificate seal-certificate.pem"
    subprocess.run(["sh", "-c", f"{key} -pass pass:secret"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["sh", "-c", f"{certificate} -passin pass:secret"], check=True, stderr=subprocess.DEVNULL)
    now = datetime.now(timezone.utc)
    console = Console("text", True, 0, False, now, {"ARC_BUNDLER_SEAL_PASSPHRASE": "secret"})
    made = sealer(
        console, SealSettings(Path("seal-key.pem"), Path("seal-certificate.pem"), *[None] * 3, 1.0, None, None)
    )
    assert made is not None
    assert made.key.certificates[0].subject.rfc4514_string() == f"CN={name.replace('+', '-')} sealer"


def test_the_text_names_the_same_commands(folder, capsys):
    assert main(["init", *AZURE, "-d", "two words.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "     arc-bundler lock --definition 'two words.yaml'\n" in shown
    assert "     openssl genpkey -algorithm RSA " in shown
    assert "     openssl req -new -x509 " in shown
    assert "--locked --definition 'two words.yaml' --seal-key seal-key.pem" in shown


class Terminal:
    """A person at a terminal, who answers each prompt."""

    def __init__(self, folder: Path, answers: list[str], *arguments: str) -> None:
        import pty

        child, self._screen = pty.fork()
        if not child:
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, "-m", "bundler", "init", *arguments])
        self.text = ""
        self._interrupted = False
        left = [f"{answer}\n" for answer in answers]
        while chunk := self._read():
            self.text += chunk
            if re.search(r"  >( \[.*\])? $", self.text) and left:
                answer = left.pop(0)
                keys = {"^C\n": b"\x03", "^D\n": b"\x04"}.get(answer, answer.encode())
                os.write(self._screen, keys)
                self._interrupted = keys == b"\x03"
        self.code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(self._screen)

    def _read(self) -> str:
        # Python loses a signal that comes between its look for one and its read: a person presses again.
        while self._interrupted and not select.select([self._screen], [], [], 1)[0]:
            os.write(self._screen, b"\x03")
        try:
            return os.read(self._screen, 4096).decode("utf-8", "replace")
        except OSError:  # the terminal's other side is closed
            return ""


needs_terminal = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")


@needs_terminal
def test_on_a_terminal_the_network_is_asked_first_and_a_wrong_answer_again(folder):
    answers = [
        "gatewy", "4", "gw", GATEWAY, "http://u:hunter2@x:1", "", "win2019, ubunto/22.04", "win2019, rhel 9.4", "1",
        "id", GUID, *AZURE[1::2][:1], AZURE[5], "servers", "japaneest", "japaneast", "",
    ]  # fmt: skip
    person = Terminal(folder, answers)
    assert person.code == 0, person.text
    questions = re.findall(r"(?m)^[A-Z].*\S(?=\r\n  (?:1|>))", person.text)
    assert questions[0] == "How do the servers reach Azure?"
    assert "Operating systems" in questions[3]
    assert questions[-1].startswith("If a server has SQL Server")
    reasons = re.findall(r"Not accepted: ([^\r]*)", person.text)
    assert len(reasons) == 6, reasons
    assert "did you mean 'japaneast'?" in reasons[-1]
    assert main(["plan", "--strict"]) == 0
    written = (folder / "bundle.yaml").read_text()
    assert 'os: windows, version: "2019"' in written
    assert 'ArcSQLServerExtensionDeployment: "Disabled"' in written


@needs_terminal
@pytest.mark.parametrize("end", ["^C", "^D"])
@pytest.mark.parametrize("before", [[], ["", "", ""]])
def test_an_interruption_leaves_nothing(folder, end, before):
    person = Terminal(folder, [*before, end])
    assert person.code == 130, person.text
    assert "nothing was written" in person.text
    assert "Traceback" not in person.text
    assert list(folder.iterdir()) == []


@needs_terminal
def test_an_existing_file_is_named_before_anything_is_asked(folder):
    (folder / "bundle.yaml").write_text("mine")
    person = Terminal(folder, [])
    assert person.code == 7
    assert "already exists" in person.text
    assert "How do" not in person.text


@needs_terminal
def test_what_options_give_is_not_asked(folder):
    person = Terminal(folder, ["", "", "", "", ""], *AZURE)
    assert person.code == 0, person.text
    assert "Tenant" not in person.text
