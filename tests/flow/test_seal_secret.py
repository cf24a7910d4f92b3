"""`seal-secret`: what it accepts, what it never shows, what it refuses."""

from __future__ import annotations

import pytest

from tests.support import tokens
from tests.support.lab_project import Project
from tests.support.sealers import identity, recipient

CANARY = "eNvElOpE-cAnArY-31"


@pytest.fixture
def given(project: Project) -> tuple[str, ...]:
    key, certificate = identity("LAB sealer", kind="rsa-2048").write(project.folder, "sealer")
    recipient().write(project.folder, "server")
    (project.folder / "secret").write_text(f"{CANARY}\n")
    return "--seal-key", str(key), "--seal-certificate", str(certificate), "--secret-file", "secret"


def test_an_envelope_is_written_without_the_secret_in_clear(project: Project, given: tuple[str, ...]) -> None:
    made = project.run("seal-secret", *given, "--for", "server.pem", "--format", "json")
    assert made.code == 0, made.err
    assert (made.json["envelope"], made.json["bundle"], made.json["kind"]) == (
        "arc-test.envelope",
        "arc-test",
        "secret",
    )
    assert CANARY not in made.out + made.err
    assert CANARY.encode() not in (project.folder / "arc-test.envelope").read_bytes()
    again = project.run("seal-secret", *given, "--for", "server.pem", "--format", "json")
    assert (again.code, again.json["error"]["kind"]) == (7, "write")


def test_a_passphrase_goes_to_a_file_or_a_terminal_and_nowhere_else(project: Project, given: tuple[str, ...]) -> None:
    assert project.run("seal-secret", *given, "--with-passphrase").code == 2
    assert not (project.folder / "arc-test.envelope").exists()
    made = project.run("seal-secret", *given, "--with-passphrase", "--passphrase-out", "words", "--format", "json")
    assert made.code == 0, made.err
    words = (project.folder / "words").read_text().strip()
    assert len(words.split()) == 8
    assert words not in made.out + made.err
    assert (project.folder / "arc-test.envelope.p12").stat().st_size > 1000
    assert (project.folder / "words").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("--for", "nowhere.pem"), 2),
        (("--for", "secret"), 2),
        (("--for", "sealer.pem"), 8),
        (("--for", "server.pem", "--days", "60"), 8),
    ],
)
def test_an_envelope_that_no_one_could_open_is_refused(
    project: Project, given: tuple[str, ...], arguments: tuple[str, ...], code: int
) -> None:
    refused = project.run("seal-secret", *given, *arguments)
    assert refused.code == code, refused.err
    assert not list(project.folder.glob("*.envelope*"))


def test_without_a_sealing_key_or_a_secret_there_is_no_envelope(project: Project, given: tuple[str, ...]) -> None:
    assert project.run("seal-secret", "--secret-file", "secret", "--for", "server.pem").code == 2
    (project.folder / "secret").write_text("two\nlines\n")
    assert project.run("seal-secret", *given, "--for", "server.pem").code == 2
    project.define(authentication="{method: device-code}")
    assert project.run("seal-secret", *given, "--for", "server.pem").code == 2


def test_a_token_is_looked_at_before_it_is_sealed(project: Project, given: tuple[str, ...]) -> None:
    """The lab takes any text for a token, with a warning; what has expired, or is a type's name, is refused."""
    project.define(authentication="{method: access-token}")
    now = int(project.now.timestamp())
    for token, code, said in (
        (tokens.token(exp=now - 60), 2, "expired on"),
        ("System.Security.SecureString", 2, "ConvertFrom-SecureString -AsPlainText"),
        (tokens.token(exp=now + 3600), 0, "valid until"),
    ):
        (project.folder / "secret").write_text(f"{token}\n")
        ran = project.run("seal-secret", *given, "--for", "server.pem")
        assert (ran.code, said in ran.err) == (code, True), ran.err
        assert token.split(".")[1][:20] not in (ran.out + ran.err).replace("System.Security.SecureString", "")
