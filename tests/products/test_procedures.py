"""What the page says of the scripts is what the scripts are: every parameter, every switch, in the same order."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bundler.model.script_action import Action
from bundler.products.arc_server import connect, scripts
from bundler.products.arc_server.script_actions import script_actions
from bundler.render import quoting
from tests.support import review_sample as sample

PROCEDURES = {one.platform: one for one in sample.manifest().script_actions}
SCRIPTS = {
    entry.path: entry.content.decode()
    for entry in scripts.entries(
        sample.wanted(),
        sample.PINS,
        name="arc-tokyo",
        version="1",
        lab=True,
        tool="arc-bundler 0",
        extra={held.described.path: held.pem for held in sample.CARRIED.certificates},
    )
    if isinstance(entry.content, bytes)
}
PLATFORMS = pytest.mark.parametrize("platform", ["linux", "windows"])


def actions(platform: str, step: str = "") -> list[Action]:
    return [action for one in PROCEDURES[platform].steps if step in {"", one.name} for action in one.actions]


def values(platform: str) -> str:
    return "\n".join(value for action in actions(platform) for value in action.values)


@PLATFORMS
def test_every_parameter_is_named(platform):
    told = values(platform)
    unspoken = {"authentication", "profile"}  # told in the words of the sentence, not as values
    for name, text in sample.manifest().parameters.items():
        if name not in unspoken and not name.startswith(("tags.", "identity.")):
            assert text in told, name
    assert "部門" in told
    assert "backup" in told


@PLATFORMS
def test_settings_stand_in_the_order_in_which_they_are_made(platform):
    told = [
        action.values for action in actions(platform, "configure") if action.text.startswith("azcmagent config set")
    ]
    assert told == [(setting.key, setting.value) for setting in sample.wanted().settings]
    quote = quoting.bash if platform == "linux" else quoting.powershell
    script = SCRIPTS[PROCEDURES[platform].script]
    between = " " if platform == "linux" else "; Value = "
    places = [script.index(f"{quote(key)}{between}{quote(text)}") for key, text in told]
    assert places == sorted(places)
    assert len(places) > 3


@PLATFORMS
def test_every_switch_is_one_of_the_script(platform):
    script = SCRIPTS[PROCEDURES[platform].script]
    switches = {action.only_with for action in actions(platform)} - {""}
    assert len(switches) >= 5
    for switch in switches:
        declared = switch if platform == "linux" else f"[switch]${switch.removeprefix('-')}"
        assert declared in script


@PLATFORMS
def test_every_exit_code_is_one_of_the_script(platform):
    script = SCRIPTS[PROCEDURES[platform].script]
    for code in re.findall(r"exit code (\d+)", " ".join(action.text for action in actions(platform))):
        assert re.search(rf"\b{code}\b", script)


@PLATFORMS
def test_steps_are_those_that_the_script_prints(platform):
    script = SCRIPTS[PROCEDURES[platform].script]
    start = "begin_step {}" if platform == "linux" else "Start-Step '{}'"
    *names, last = (step.name for step in PROCEDURES[platform].steps)
    assert last == "uninstall"
    assert all(start.format(name) in script for name in names)


@PLATFORMS
def test_connecting_names_every_flag(platform):
    flags = [action.values[0] for action in actions(platform, "connect") if action.values]
    assert [f"--{flag}" for flag in re.findall(r'"([a-z-]+)": ', connect.connect_json(sample.wanted()))] == flags


def test_the_seal_and_the_approvals_are_demanded_first():
    first, second, third, *_ = actions("linux", "verify")
    assert sample.sha256("Tokyo Jump Host Sealing") in first.values
    assert second.values == ("2", "Aiko Tanaka, Ben Okoro, Chloé Martin")
    assert third.values == ("2026-12-27 06:30 UTC",)
    bare = sample.manifest(seal=None, approval=None, not_after=None)
    assert len(bare.script_actions[0].steps[0].actions) == 1


def test_a_secret_that_is_inside_is_not_said_to_be_asked_for():
    inside = replace(sample.wanted(), embedded_secret="payload/secret")
    (told,) = [
        action
        for step in script_actions(inside, sample.manifest())[0].steps
        for action in step.actions
        if "secret" in action.text and step.name == "preflight"
    ]
    assert told.values == ("payload/secret",)
    assert "the bundle has none" not in told.text


def test_a_certificate_comes_from_where_the_definition_says_or_by_envelope():
    certified = replace(
        sample.wanted(), authentication="service-principal-certificate", certificate_file="/etc/arc/sp.pem"
    )
    for wanted, switch in ((certified, ""), (replace(certified, certificate_file=""), "--envelope")):
        (told,) = [
            action
            for step in script_actions(wanted, sample.manifest())[0].steps
            for action in step.actions
            if "service principal's certificate" in action.text
        ]
        assert told.only_with == switch
        assert ("envelope" in told.text) is bool(switch)


def test_a_sentence_and_its_values_come_apart_and_together():
    assert list(Action(text="set {} to {}", values=("a", "{}")).pieces()) == [
        ("set ", False),
        ("a", True),
        (" to ", False),
        ("{}", True),
    ]
    assert list(Action(text="only {} here", values=()).pieces()) == [("only ", False), (" here", False)]
    assert list(Action(text="none", values=("a", "b")).pieces()) == [("none", False), ("a", True), ("b", True)]
