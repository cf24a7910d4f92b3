"""A lock or manifest of another release is refused with the command that helps; an old lock is written again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.flow.test_attacks import rewrite

FORMER = {"created": "taken"}


def change_lock(project, **changes) -> dict:
    document = json.loads(project.lock.read_text())
    project.lock.write_text(json.dumps(document | changes))
    return document


def first_schema(document: dict) -> dict:
    """The lock in the form of schema 1, which says neither what the definition held nor when upstream was asked."""
    pins = [{key: value for key, value in pin.items() if key != "asked"} for pin in document["pins"]]
    kept = {key: value for key, value in document.items() if key != "fields"}
    return kept | {"schema": "arc-bundler/lock/1", "pins": pins}


def former_lock(project) -> dict:
    """Give the lock the keys that it had before 0.2.0."""
    document = first_schema(json.loads(project.lock.read_text()))
    project.lock.write_text(json.dumps({FORMER.get(key, key): value for key, value in document.items()}))
    return document


def error_of(ran) -> tuple[int, dict]:
    return ran.code, ran.json["error"]


def test_a_lock_from_before_0_2_0_is_refused_and_lock_writes_it_again(project):
    assert project.run("lock").code == 0
    document = former_lock(project)
    for command in (("build", "--locked"), ("plan",), ("diff", str(project.lock), str(project.lock))):
        code, error = error_of(project.run(*command, "--format", "json"))
        assert code == 4, command
        assert "was written before 0.2.0" in error["message"]
        assert error["do"] == "run `arc-bundler lock`"
    again = project.run("lock", "--format", "json")
    assert (again.code, again.json["changed"]) == (0, True)
    assert json.loads(project.lock.read_text()) == document


def test_a_lock_from_before_0_2_0_still_protects_from_a_rollback(project):
    assert project.run("lock").code == 0
    former_lock(project)
    later = json.loads(project.lock.read_text())["taken"].replace("20", "29", 1)
    project.lock.write_text(json.dumps(json.loads(project.lock.read_text()) | {"taken": later}))
    before = project.lock.read_bytes()
    assert error_of(project.run("lock", "--format", "json"))[0] == 4
    assert project.lock.read_bytes() == before


@pytest.mark.parametrize("command", ["lock", "build", "plan"])
def test_a_lock_of_a_newer_release_asks_for_an_upgrade(project, command):
    assert project.run("lock").code == 0
    change_lock(project, schema="arc-bundler/lock/3", something="else")
    before = project.lock.read_bytes()
    code, error = error_of(project.run(command, "--format", "json"))
    assert code == 4
    assert "was made by a newer arc-bundler" in error["message"]
    assert error["do"].startswith("upgrade arc-bundler")
    assert project.lock.read_bytes() == before


def test_a_lock_of_the_next_number_in_todays_form_is_refused_too(project):
    assert project.run("lock").code == 0
    change_lock(project, schema="arc-bundler/lock/3")
    assert "newer arc-bundler" in error_of(project.run("build", "--locked", "--format", "json"))[1]["message"]


@pytest.mark.parametrize("changes", [{"schema": "arc-bundler/lock/x"}, {"extra": 1}, {"schema": "arc-bundler/diff/1"}])
def test_a_damaged_lock_is_called_damaged(project, changes):
    assert project.run("lock").code == 0
    change_lock(project, **changes)
    code, error = error_of(project.run("build", "--locked", "--format", "json"))
    assert (code, "is damaged" in error["message"]) == (4, True)


@pytest.fixture
def bundle(project) -> Path:
    assert project.run("build").code == 0
    return project.folder / "bundles/arc-test/1.0/arc-test-1.0"


OTHER = {
    "practice": (lambda manifest: manifest.update(practice="LAB"), "older-manifest", "build it again"),
    "procedures": (lambda manifest: manifest.update(procedures=[]), "older-manifest", "build it again"),
    "contacts": (lambda manifest: manifest.update(contacts=[]), "older-manifest", "build it again"),
    "next number": (lambda manifest: manifest.update(schema="arc-bundler/manifest/2"), "newer-manifest", "upgrade"),
    "next form": (
        lambda manifest: manifest.update(schema="arc-bundler/manifest/2", more=1),
        "newer-manifest",
        "upgrade",
    ),
}


def test_a_manifest_of_another_release_is_refused_with_what_helps(project, bundle):
    for name, (change, reason, advice) in OTHER.items():
        other = bundle.with_name("other")
        shutil.copytree(bundle, other)
        rewrite(other, change)
        for command in (
            ("verify", "--insecure-no-seal", str(other)),
            ("inspect", str(other / "manifest.json")),
            ("diff", str(bundle), str(other)),
            ("diff", str(bundle / "manifest.json"), str(other / "manifest.json")),
        ):
            code, error = error_of(project.run(*command, "--format", "json"))
            assert (code, error["reason"]) == (6, reason), (name, command)
            assert error["do"].startswith(advice), (name, command)
        shutil.rmtree(other)
