"""Help is grouped, short, and states the rule for variables once."""

from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys

import click
import pytest

from bundler.cli.console import SECTIONS, Option
from bundler.cli.main import COMMANDS, cli, main

FITS = 60
"""Lines of the longest help: one screen of a terminal that fills a monitor."""


def help_of(monkeypatch, capsys, name: str, columns: int) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([name, "--help"]) == 0
    return capsys.readouterr().out.splitlines()


def options(name: str) -> list[click.Option]:
    command = cli.get_command(click.Context(cli), name)
    return [one for one in command.params if isinstance(one, click.Option)]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_on_a_screen(monkeypatch, capsys, name, columns):
    lines = help_of(monkeypatch, capsys, name, columns)
    assert len(lines) <= FITS
    assert max(map(len, lines[: lines.index("  Example:")])) <= min(columns, 110)


def test_build_groups_its_options_under_headings_in_order(monkeypatch, capsys):
    lines = help_of(monkeypatch, capsys, "build", 80)
    headings = [line.removesuffix(":") for line in lines if re.fullmatch(r"[A-Z][a-z]+:", line)]
    assert headings == ["Definition", "Signing", "Trust", "Network", "Output", "General"]
    text = "\n".join(lines)
    for heading, flag in (("Signing", "--seal-key"), ("Network", "--offline"), ("General", "--log-file")):
        after = text.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]
        assert f" {flag} " in after, heading


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_heading_and_a_text(name):
    for one in options(name):
        assert isinstance(one, Option), one.name
        assert one.section in SECTIONS
        assert one.section != "Options", f"{one.name} has no heading"
        assert one.help, one.name
        assert one.help[0].isupper() or not one.help[0].isalpha() or one.help.startswith("sha256"), one.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_help_once(monkeypatch, capsys, name):
    lines = help_of(monkeypatch, capsys, name, 120)
    headings = [f"{section}:" for section in SECTIONS]
    text = "\n".join(lines[next(at for at, line in enumerate(lines) if line in headings) :])
    for one in options(name):
        long = next(flag for flag in one.opts if flag.startswith("--"))
        assert len(re.findall(rf"(?m)^  (?:-\w, )?{long}(?![\w-])", text)) == 1, long


@pytest.mark.parametrize("name", COMMANDS)
def test_the_rule_for_variables_is_stated_once(monkeypatch, capsys, name):
    text = "\n".join(help_of(monkeypatch, capsys, name, 120))
    assert text.count("ARC_BUNDLER_FORMAT") == 1
    assert "env var" not in text
    secrets = [one.name for one in options(name) if re.search(r"(secret|password|passphrase)_file$", one.name)]
    flat = " ".join(text.split())
    for one in secrets:
        assert f"ARC_BUNDLER_{one.removesuffix('_file').upper()}" in flat
    assert ("--insecure-… and --allow-… have none" in flat) == any(
        one.name.startswith(("insecure_", "allow_")) for one in options(name)
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_ends_with_an_example_of_itself(monkeypatch, capsys, name):
    lines = help_of(monkeypatch, capsys, name, 80)
    example = lines[lines.index("  Example:") + 1 :]
    assert f"arc-bundler {name}" in "\n".join(example)


def test_help_takes_hardly_longer_than_importing_click():
    """By turns, because the machine is not always equally busy: in processor time, at most half as much again."""

    def seconds(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    shown = "from bundler.cli.main import main; main(['--help'])"
    turns = [(seconds("import click"), seconds(shown)) for _ in range(9)]
    alone, whole = (statistics.median(column) for column in zip(*turns, strict=True))
    assert whole <= 1.5 * alone
