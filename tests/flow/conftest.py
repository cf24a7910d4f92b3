"""A project beside its own lab, in the current folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.cli.main import main
from bundler.lab.lab import Lab
from tests.support import shared
from tests.support.lab_project import NOW, Project, Ran


@pytest.fixture(scope="session")
def authority() -> Path:
    """A lab's folder with keys that are made once, because they take most of its start."""

    def make(folder: Path) -> None:
        folder.mkdir()
        with Lab(folder, NOW):
            pass

    return shared.once("lab", make)


@pytest.fixture
def project(
    tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Project]:
    """A definition beside a lab of its own, in the current folder."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(list(arguments))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    shutil.copytree(authority, tmp_path / "lab")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARC_BUNDLER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("ARC_BUNDLER_TIMEOUT", "2")
    with Lab(tmp_path / "lab", NOW) as lab:
        made = Project(tmp_path, lab, run)
        made.define()
        yield made
