"""A runtime is of a release where digest, product, platform and script all agree with one of its rows."""

from __future__ import annotations

import dataclasses
import json
from importlib.resources import files

import pytest

from bundler.formats.json_codec import RecordError
from bundler.integrity import released_runtimes
from bundler.model.script_runtime import ReleasedRuntime, ScriptRuntime

RUNTIME = ScriptRuntime(product="arc-server", platform="linux", script="install.sh", digest="a" * 64)


def row(release="arc-bundler 0.2.0", **more):
    fields = {field.name: getattr(RUNTIME, field.name) for field in dataclasses.fields(RUNTIME)}
    return ReleasedRuntime(release=release, **{**fields, **more})


def test_a_row_that_agrees_names_the_release():
    known = released_runtimes.known(RUNTIME, [row("arc-bundler 0.1", digest="b" * 64), row()])
    assert known.text == "runtime of arc-bundler 0.2.0"


def test_every_release_with_the_same_runtime_is_named_once():
    known = released_runtimes.known(RUNTIME, [row(), row(), row("arc-bundler 0.2.1")], unreleased=[RUNTIME])
    assert known.text == "runtime of arc-bundler 0.2.0, arc-bundler 0.2.1"


@pytest.mark.parametrize(
    ("field", "other"),
    [("digest", "b" * 64), ("product", "other"), ("platform", "windows"), ("script", "verify.sh")],
)
def test_any_difference_makes_it_unknown(field, other):
    known = released_runtimes.known(RUNTIME, [row(**{field: other})])
    assert (known.release, known.text) == ("", "not the runtime of any release known here")
    changed = dataclasses.replace(RUNTIME, **{field: other})
    assert released_runtimes.known(RUNTIME, [], unreleased=[changed]).release == ""


def test_the_installation_between_two_releases_knows_its_own():
    assert released_runtimes.known(RUNTIME, [], unreleased=[RUNTIME]).text == "unreleased"


def test_a_release_writes_its_rows_once_and_leaves_those_before_as_they_are():
    document = files("bundler.data").joinpath("runtimes.json").read_bytes()
    once = released_runtimes.with_rows(document, [row("arc-bundler 9.1"), row("arc-bundler 9.2")])
    twice = released_runtimes.with_rows(once, [row("arc-bundler 9.2", digest="c" * 64)])
    rows = json.loads(twice)["runtimes"]
    assert rows[:-2] == json.loads(document)["runtimes"]
    assert [(one["release"], one["digest"][0]) for one in rows[-2:]] == [
        ("arc-bundler 9.1", "a"),
        ("arc-bundler 9.2", "c"),
    ]
    assert released_runtimes.with_rows(twice, []) == twice


def test_a_damaged_table_is_refused():
    with pytest.raises(RecordError):
        released_runtimes.with_rows(b'{"note": "", "runtimes": [{"release": "x"}]}', [])
