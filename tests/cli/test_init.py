"""`init` and `schema`: a definition to start from, without prompts where there is no terminal."""

from __future__ import annotations

import json

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
