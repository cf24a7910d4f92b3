"""`diff` of two bundles, before and after an update of the lab."""

from __future__ import annotations

from bundler.flow.diff.compare import compare
from bundler.flow.diff.load import describe
from bundler.model.diff import Diff
from tests.flow.test_what_commands_load import loaded
from tests.support.mirrored import mirrored


def test_an_update_is_reported_as_newer_and_a_lock_gives_the_same(project):
    assert project.run("build", "--output", "old").code == 0
    project.lock.rename(project.folder / "old.lock")
    project.lab.publish("1.99.03560.1450")
    project.define(version='"1.1"', location="westeurope")
    assert project.run("build").code == 0
    was = str(project.folder / "old/arc-test/1.0/arc-test-1.0.zip")
    now = str(project.folder / "bundles/arc-test/1.1/arc-test-1.1.7z")

    told = project.run("diff", was, now, "--format", "json", "--exit-code")
    assert told.code == 9
    changes = told.json["diff"]["changes"]
    assert {change["subject"] for change in changes if change["field"] == "facts.version"} == {
        "windows/x64",
        "ubuntu/22.04/amd64",
        "rhel/9/x86_64",
    }
    assert {change["meaning"] for change in changes if change["field"] == "facts.version"} == {"newer"}
    assert not {change["meaning"] for change in changes} & {"other-root", "other-publisher", "other-key", "other-bytes"}
    location = next(change for change in changes if change["subject"] == "location")
    assert (location["was"], location["now"]) == (["japaneast"], ["westeurope"])
    assert any("westeurope" in change["subject"] for change in changes if change["topic"] == "endpoints")
    assert {"install.sh", "install.ps1"} <= {script["path"] for script in told.json["diff"]["scripts"]}
    assert not any(script["withheld"] for script in told.json["diff"]["scripts"])

    locks = project.run("diff", "old.lock", "bundle.lock", "--format", "json")
    mixed = project.run("diff", "old.lock", now, "--format", "json")
    assert {"packages", "bundle"} <= {change["topic"] for change in locks.json["diff"]["changes"]}
    assert mixed.json["different"]
    assert not project.run("diff", "bundle.lock", now, "--format", "json").json["different"]
    assert_mirrored(project.folder / was, project.folder / now)
    assert loaded("diff", was, was) == (0, {"pydantic"})
    assert loaded("diff", was, was, "--format", "html") == (0, {"pydantic", "jinja2"})


def assert_mirrored(was, now) -> None:
    left, right = describe(was), describe(now)
    found: Diff = compare(left, right)
    assert found.scripts
    assert mirrored(found) == compare(right, left)


def test_two_builds_of_one_lock_do_not_differ(project):
    assert project.run("build").code == 0
    assert project.run("build", "--locked", "--output", "again").code == 0
    made = sorted((project.folder / "bundles").glob("*/*/arc-test-1.0*"))
    wrapped = [path for path in made if path.suffix in (".zip", ".gz", ".7z") or path.is_dir()]
    assert len(wrapped) == 4
    again = str(project.folder / "again/arc-test/1.0/arc-test-1.0.zip")
    for path in wrapped:
        assert project.run("diff", str(path), again, "--exit-code").code == 0
