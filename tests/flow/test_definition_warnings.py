"""What the author of a definition was warned of is in every result, and in what the reviewer reads."""

from __future__ import annotations

import json

import pytest

from tests.support.lab_project import Project

REGION = "location: 'marseast' is not among the regions of AzureCloud that are known here (table of "
NOTE = "targets.0: 'redhat 9.4' is read as rhel/9"


@pytest.fixture
def warned(project: Project) -> Project:
    """A definition with a warning and a note, for one package."""
    project.define(
        location="marseast", targets='[{os: redhat, version: "9.4"}]', outputs="[{format: directory}, {format: zip}]"
    )
    return project


def told(project: Project, *arguments: str) -> list[str]:
    ran = project.run(*arguments, "--format", "json")
    assert ran.code == 0, ran.err
    return ran.json["warnings"]


def has(warnings: list[str], words: str) -> bool:
    return len([line for line in warnings if words in line]) == 1


def test_each_result_and_the_page_have_the_warning(warned: Project) -> None:
    for arguments in (("plan",), ("lock",), ("lock", "--check"), ("build",)):
        warnings = told(warned, *arguments)
        assert has(warnings, REGION), arguments
        assert has(warnings, NOTE), arguments
    bundle = warned.made("1.0")
    anchors = ("--anchors", "lab/authority/anchors.json")
    for arguments in (("inspect", str(bundle)), ("verify", str(bundle), "--insecure-no-seal", *anchors)):
        assert has(told(warned, *arguments), REGION), arguments
        assert REGION in warned.run(*arguments).out
    page = (bundle / "review.html").read_text(encoding="utf-8")
    assert "The definition was accepted with a warning" in page
    assert "&#39;marseast&#39; is not among the regions" in page
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    assert len(manifest["warnings"]) == 1
    assert [target["version"] for target in manifest["targets"]] == ["9"]
    lock = json.loads(warned.lock.read_bytes())
    assert [target["version"] for pin in lock["pins"] for target in pin["targets"]] == ["9"]


def test_a_build_on_another_day_says_the_same(warned: Project) -> None:
    assert told(warned, "build")
    again = warned.run("build", "--format", "json")
    assert again.json["unchanged"]


def test_a_definition_without_warnings_has_none(project: Project) -> None:
    project.define(targets='[{os: rhel, version: "9"}]', outputs="[{format: directory}]")
    assert told(project, "build") == []
    bundle = project.made("1.0")
    assert json.loads((bundle / "manifest.json").read_bytes())["warnings"] == []
    assert "accepted with a warning" not in (bundle / "review.html").read_text(encoding="utf-8")
