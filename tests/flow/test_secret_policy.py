"""A secret is in a bundle only where definition and command line both demand it, and the bundle is encrypted."""

from __future__ import annotations

import base64

import pytest

from tests.support.lab_project import Project

CANARY = "q7E8Q~eMbeDdEd.cAnArY-0123456789abcdefgh"
EMBEDDED = (
    "{method: service-principal-secret, service_principal_id: 33333333-3333-4333-8333-333333333333, secret: embedded}"
)
ENCRYPTED = "[{format: 7z, encrypted: true}]"


def kind(ran) -> object:
    return 0 if ran.code == 0 else (ran.code, ran.json["error"]["kind"])


def test_it_needs_the_definition_and_the_command_and_the_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "of the archive")
    project.define(authentication=EMBEDDED, outputs=ENCRYPTED)
    assert kind(project.run("build", "--format", "json")) == (9, "policy")
    assert kind(project.run("build", "--allow-embedded-secret", "--format", "json")) == (9, "policy")
    (project.folder / "secret").write_text(f"{CANARY}\n")
    unasked = project.run("build", "--secret-file", "secret", "--format", "json")
    assert kind(unasked) == (9, "policy")
    assert "does not allow it" in unasked.json["error"]["message"]
    assert not (project.folder / "bundles").exists()
    built = project.run("build", "--allow-embedded-secret", "--secret-file", "secret", "--format", "json")
    assert kind(built) == 0, built.err
    archive = project.made(".7z")
    assert CANARY.encode() not in archive.read_bytes()
    assert CANARY not in built.out + built.err
    verified = project.run(
        "verify", str(archive), "--insecure-no-seal", "--anchors", "lab/authority/anchors.json", "--format", "json"
    )
    assert any("HOLDS A SECRET" in line for line in verified.json["unusual"])
    beside = archive.with_name("arc-test-1.0.manifest.json").read_text()
    assert "HOLDS A SECRET" in beside
    assert CANARY not in beside


def test_plan_and_build_say_that_a_secret_is_inside(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "of the archive")
    monkeypatch.setenv("ARC_BUNDLER_SECRET", CANARY)
    project.define(authentication=EMBEDDED, outputs=ENCRYPTED)
    assert project.run("lock").code == 0
    assert "config/secret" in project.run("plan").out
    assert "unusual: HOLDS A SECRET" in project.run("build", "--allow-embedded-secret").out
    again = project.run("build", "--allow-embedded-secret", "--format", "json")
    assert again.json["unchanged"]
    assert any("HOLDS A SECRET" in line for line in again.json["unusual"])


def test_an_output_that_is_not_encrypted_is_a_fault_of_the_definition(project: Project) -> None:
    project.define(authentication=EMBEDDED, outputs="[{format: zip}]")
    assert kind(project.run("plan", "--format", "json")) == (3, "definition")


def test_the_switch_alone_embeds_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARC_BUNDLER_SECRET", CANARY)
    assert kind(project.run("build", "--allow-embedded-secret", "--format", "json")) == (9, "policy")
    project.define(outputs="[{format: directory}]")
    assert kind(project.run("build", "--format", "json")) == 0
    for file in (project.folder / "bundles").rglob("*"):
        assert file.is_dir() or CANARY.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    "written",
    [
        "a plain " + "opaque-value-42",
        base64.b64encode(b"opaque-value-42").decode(),
        base64.b64encode(b"x" + b"opaque-value-42" + b"yz").decode(),
        base64.b64encode("opaque-value-42".encode("utf-16-le")).decode(),
    ],
)
def test_a_known_secret_in_any_form_stops_the_build(
    project: Project, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("ARC_BUNDLER_SECRET", "opaque-value-42")
    project.define(tags=f"{{note: '{written}'}}", outputs="[{format: directory}]")
    ran = project.run("build", "--format", "json")
    assert kind(ran) == (9, "policy"), ran.out
    assert "opaque-value-42" not in ran.out + ran.err
    assert not (project.folder / "bundles").exists()
