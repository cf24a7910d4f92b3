"""A certificate that ends before what it signs, and a password that is soon guessed: warnings, in text and JSON."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from tests.support.lab_project import Project
from tests.support.sealers import identity, recipient


def key(project: Project, days: float) -> list[str]:
    """The options of a sealing key with a certificate that ends in so many days."""
    ends = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)
    paths = identity(f"sealer of {days}", ends=ends).write(project.folder, "sealer")
    return ["--seal-key", str(paths[0]), "--seal-certificate", str(paths[1])]


def warnings(project: Project, *arguments: str) -> list[str]:
    ran = project.run(*arguments, "--format", "json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)["warnings"]
    assert all(f"warning: {one}" in ran.err for one in told if not one.startswith("note: "))
    return [one for one in told if "SQL Server" not in one]


@pytest.mark.parametrize(
    ("lives", "valid_days", "words"),
    [
        (365, None, []),
        (365, 360, []),
        (365, 400, ["before the bundle does"]),
        (60, 90, ["before the bundle does"]),
        (31, None, []),
        (29, None, ["from then on servers refuse"]),
        (0.5, None, ["within two days"]),
        (10, 20, ["days: from then on", "before the bundle does"]),
    ],
)
def test_a_sealing_certificate_that_ends_too_soon(project: Project, lives, valid_days, words) -> None:
    if valid_days:
        project.define(seal=f"{{valid_days: {valid_days}}}")
    found = warnings(project, "build", *key(project, lives))
    assert len(found) == len(words), found
    assert all(word in one and "sealing certificate" in one for one, word in zip(found, words, strict=True))


def test_an_envelope_that_outlives_the_certificate(project: Project) -> None:
    recipient().write(project.folder, "server")
    (project.folder / "secret").write_text("eNvElOpE-cAnArY-31\n")
    given = ["seal-secret", *key(project, 20), "--secret-file", "secret", "--for", "server.pem"]
    assert len(warnings(project, *given, "--days", "10")) == 1  # the certificate is near its end
    found = warnings(project, *given, "--days", "25", "-o", "b.envelope")
    assert "before the envelope does" in found[1]


@pytest.mark.parametrize(
    ("password", "is_weak"), [("Summer2026!", True), ("x", True), ("wagon-orbit-velvet-canyon-mulch", False)]
)
def test_a_weak_password_of_a_7z_is_said_and_not_shown(project: Project, password: str, is_weak: bool) -> None:
    project.define(outputs="[{format: 7z, encrypted: true}]")
    (project.folder / "password").write_text(f"{password}\n")
    ran = project.run("build", "--password-file", "password", "--format", "json")
    assert ran.code == 0, ran.err
    found = [one for one in json.loads(ran.out)["warnings"] if "the password of the 7z is weak" in one]
    assert len(found) == int(is_weak)
    assert len(password) < 3 or password not in ran.out + ran.err


def test_a_password_that_only_opens_is_not_told(project: Project) -> None:
    """Who receives the bundle did not choose it."""
    project.define(outputs="[{format: 7z, encrypted: true}]")
    (project.folder / "password").write_text("x\n")
    assert project.run("build", "--password-file", "password").code == 0
    made = str(project.made(".7z"))
    ran = project.run("inspect", made, "--password-file", "password")
    assert "weak" not in ran.err
