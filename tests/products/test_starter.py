"""The file that `init` writes: it loads, and says what is still to be filled in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.definition.load import SCHEMA_NAME
from bundler.errors import DefinitionError
from bundler.model.target import Target
from bundler.products import definition_file
from bundler.products.arc_server import starter
from bundler.products.arc_server.definition import Upstream

FILE = Path("bundle.yaml")
ANSWERS = {
    "name": "arc-tokyo",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "rg-arc",
    "location": "japaneast",
}


@pytest.mark.parametrize(
    ("more", "method"),
    [
        ({}, "device-code"),
        ({"service_principal_id": "33333333-3333-4333-8333-333333333333"}, "service-principal-secret"),
        ({"cloud": "AzureChinaCloud", "location": "chinanorth3"}, "device-code"),
    ],
)
def test_it_loads_without_a_word(more, method):
    text = starter.text(starter.Answers(**{**ANSWERS, **more}))
    loaded = definition_file.load(FILE, text.encode(), strict=True)
    assert loaded.definition.name == "arc-tokyo"
    assert loaded.definition.authentication.method == method
    assert {target.os for target in loaded.definition.targets} == {"windows", "ubuntu", "rhel"}


def test_targets_outputs_and_a_mirror_are_written_out():
    upstream = Upstream(
        windows="https://127.0.0.1:1/agent", linux="https://127.0.0.1:1/pmc", hosts=("127.0.0.1:2",), ca="ca.pem"
    )
    targets = (Target(os="windows", version="2022"), Target(os="oracle", version="8", architecture="arm64"))
    answers = starter.Answers(**ANSWERS, targets=targets, outputs=("directory", "7z"), upstream=upstream)
    definition = definition_file.load(FILE, starter.text(answers).encode(), strict=True).definition
    assert tuple(wanted.target for wanted in definition.targets) == targets
    assert [output.format for output in definition.outputs] == ["directory", "7z"]
    assert definition.upstream == upstream


def test_the_first_line_names_the_schema():
    first = starter.text(starter.Answers()).splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_NAME}"


def test_unanswered_it_says_what_to_fill_in_and_where():
    text = starter.text(starter.Answers())
    with pytest.raises(DefinitionError) as caught:
        definition_file.load(FILE, text.encode())
    faults = caught.value.faults
    assert [fault.path for fault in faults] == ["tenant", "subscription", "resource_group", "location"]
    lines = text.splitlines()
    assert all(lines[fault.line - 1].startswith(fault.path) for fault in faults)


def test_what_is_commented_out_is_right_too():
    """Each commented key is a real one: taken out of its comment, the file still has its shape."""
    text = starter.text(starter.Answers(**ANSWERS))
    for before, after in [
        ("  # Owner", "  Owner"),
        ("  # mode: monitor  ", "  mode: monitor  "),
        ("  # extensions:\n  #   allowlist", "  extensions:\n    allowlist"),
        ("  # incoming_connections:\n  #   enabled", "  incoming_connections:\n    enabled"),
        ("  # - {os: sles", "  - {os: sles"),
        (
            "  # proxy:\n  #   url: http://proxy.example.com:8080\n  #   bypass",
            "  proxy:\n    url: http://p:1\n    bypass",
        ),
        ("# upstream:  ", "upstream:  "),
        ("#   linux: https", "  linux: https"),
        ("#   packages:\n#     - {", "  packages:\n    - {"),
    ]:
        assert before in text, before
        text = text.replace(before, after)
    with pytest.raises(DefinitionError) as caught:
        definition_file.load(FILE, text.encode())
    errors = [fault for fault in caught.value.faults if fault.severity == "error"]
    assert {fault.path for fault in errors} == {"agent.extensions.allowlist"}  # the list beside monitor mode
    assert "and ignores this" in errors[0].message


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_answer_stays_where_it_was_put(name, group):
    text = starter.text(starter.Answers(**{**ANSWERS, "name": name, "resource_group": group}))
    try:
        loaded = definition_file.load(FILE, text.encode("utf-8", "replace"))
    except DefinitionError as error:
        paths = {fault.path for fault in error.faults}
    else:
        paths = set()
        assert (loaded.definition.name, loaded.definition.resource_group) == (name, group)
    assert paths <= {"name", "resource_group", ""}
