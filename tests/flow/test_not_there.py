"""A package that upstream does not have: exit 5, with target, address and what to do; never a failed verification."""

from __future__ import annotations

import pytest

from bundler.lab import behaviour
from tests.support.lab_project import Project

CASES = {
    "arm64 is missing": ('{os: debian, version: "13", architecture: arm64}', "debian/13/prod", "debian/13/arm64"),
    "no such version of a deb": (
        '{os: ubuntu, version: "22.04", agent: "1.61"}',
        "ubuntu/22.04/prod",
        "ubuntu/22.04/x64",
    ),
    "no such version of an rpm": ('{os: rhel, version: "9", agent: "1.61"}', "rhel/9/prod", "rhel/9/x64"),
    "no such version of an MSI": ('{os: windows, agent: "1.61"}', "azcmagent/1.61/", "windows/x64"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_named_with_target_and_address(project: Project, case: str) -> None:
    target, address, name = CASES[case]
    project.define(targets=f"[{{os: ubuntu, version: '24.04'}}, {target}]")
    for command in ("lock", "build"):
        refused = project.run(command, "--format", "json")
        assert refused.code == 5, refused.err
        error = refused.json["error"]
        assert error["reason"] == "not-there"
        assert f"for {name} is not there" in error["message"]
        assert address in error["message"]
        assert error["do"]
        assert not project.lock.exists()


@pytest.mark.parametrize("path", ["*debian/12/prod/*InRelease", "*rhel/9/prod/*repomd.xml"])
def test_a_folder_that_is_no_repository(project: Project, path: str) -> None:
    project.define(targets='[{os: debian, version: "12"}, {os: rhel, version: "9"}]')
    project.lab.misbehave(path, behaviour.Status(404))
    refused = project.run("lock", "--format", "json")
    assert refused.code == 5, refused.err
    assert "is not there: there is no repository at https://" in refused.json["error"]["message"]
    assert "leave " in refused.json["error"]["do"]


def test_advice_names_microsoft_where_its_anchors_are_trusted(project: Project) -> None:
    """The lab signs its metadata with other keys, so that this ends before: the advice is asked alone."""
    from bundler.model.artifact import AptOrigin, Artifact
    from bundler.model.target import Target
    from bundler.sources.absence import not_there
    from bundler.trust import anchors

    artifact = Artifact(
        name="azcmagent",
        kind="deb",
        place="debian/13/arm64",
        architecture="arm64",
        version="latest",
        targets=(Target(os="debian", version="13", architecture="arm64"),),
        origin=AptOrigin(base="https://u:p@packages.example/debian/13/prod", suite="a", component="main", package="a"),
    )
    error = not_there(artifact, artifact.origin.base, "x", anchors.microsoft())
    assert error.do.startswith("leave debian/13/arm64 out of the definition: Microsoft has no such package")
    assert error.details[0] == "address: https://packages.example/debian/13/prod", "without credentials"
    assert "the publisher has no such package" in not_there(artifact, "https://x", "x", project.lab.anchors).do


@pytest.mark.parametrize("path", ["*.deb", "*.rpm"])
def test_a_package_that_is_listed_and_missing_is_a_gap_of_the_repository(project: Project, path: str) -> None:
    project.define(targets='[{os: debian, version: "12"}, {os: rhel, version: "9"}]')
    project.lab.misbehave(path, behaviour.Status(404))
    refused = project.run("lock", "--format", "json")
    assert refused.code == 5
    assert "although its signed index lists it" in refused.json["error"]["message"]
