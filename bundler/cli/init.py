"""The command ``init``: writes a definition to start from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bundler.cli.console import Console, common, define_command, option
from bundler.errors import UsageError
from bundler.formats import shell_words
from bundler.products import registry
from bundler.products.question import TARGETS

if TYPE_CHECKING:
    from bundler.cli.init_questions import Interview
    from bundler.products.product import StarterUpstream

_F = TypeVar("_F", bound=Callable[..., object])


def _completed(words: tuple[str, ...], _: click.Context, __: click.Parameter, begun: str) -> list[str]:
    return [word for word in words if word.casefold().startswith(begun.casefold())]


def _question_options(command: _F) -> _F:
    """Add an option for each question of the default product; ``--target`` has its own."""
    for question in reversed(registry.get(registry.DEFAULT).questions):
        if question.key == TARGETS:
            continue
        command = option(
            question.option,
            question.key,
            default="",
            metavar="WORD" if question.choices else "TEXT",
            shell_complete=partial(_completed, tuple(choice.word for choice in question.choices)),
            section="Definition",
            help=question.help or f"{question.prompt}.",
        )(command)
    return command


@define_command(
    "init",
    "arc-bundler init     # asks, on a terminal",
    "arc-bundler init --profile private-link --location japaneast --target windows",
)
@option(
    "--lab",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    section="Network",
    help="Use the lab that runs in DIR, not Microsoft's servers.",
)
@option(
    "--output-format",
    "outputs",
    multiple=True,
    type=click.Choice(["directory", "zip", "tar.gz", "7z"]),
    metavar="FORMAT",
    section="Output",
    help="Format: directory, zip, tar.gz or 7z. Repeatable.",
)
@option(
    "--answer",
    "more",
    multiple=True,
    metavar="KEY=TEXT",
    section="Definition",
    help="A value that another product needs. Repeatable.",
)
@option("--product", default=registry.DEFAULT, show_default=True, section="Definition", help="Product to install.")
@option("--name", default="", section="Definition", help="The bundle's name.  [default: arc-servers]")
@_question_options
@option(
    "--target",
    "targets",
    multiple=True,
    metavar="OS[/VERSION[/ARCH]]",
    section="Definition",
    help="Operating system of servers. Repeatable.",
)
@option(
    "-d",
    "--definition",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bundle.yaml"),
    show_default=True,
    section="Definition",
    help="The file to write. An existing file is not overwritten.",
)
@common
def command(
    console: Console,
    *,
    definition: Path,
    lab: Path | None,
    targets: tuple[str, ...],
    outputs: tuple[str, ...],
    name: str,
    product: str,
    more: tuple[str, ...],
    **answers: str,
) -> None:
    """Write a commented definition to start from, and its schema next to it.

    On a terminal it asks for what no option gives, and checks each answer at once. Otherwise it takes defaults, and
    marks what to fill in. Then it shows the next steps.
    """
    from bundler.cli import init_next, init_questions
    from bundler.flow import init
    from bundler.products.product import StarterAnswers, StarterUpstream

    init.require_new(definition)
    base = StarterAnswers(
        name=name or ("arc-lab" if lab else ""),
        outputs=outputs or (("directory", "zip", "tar.gz") if lab else ()),
        upstream=_of_lab(lab, definition.parent) if lab else StarterUpstream(),
    )
    interview = init_questions.Interview(registry.get(product), base)
    init_questions.take_options(interview, {**answers, **_pairs(more), TARGETS: ", ".join(targets)})
    if lab:
        init_questions.take_lab_answers(interview)
    elif sys.stdin.isatty():
        _ask(interview)
    init_questions.require_whole(interview)
    schema = init.write(definition, interview.product, interview.answers())
    steps = init_next.steps(definition, base.name or "arc-servers", lab)
    missing = [one.key for one in interview.missing()]

    def text() -> list[str]:
        todo = [f"fill in {', '.join(missing)} in it, then:" if missing else "next:"]
        return [f"wrote {definition} and {schema}", *todo, *init_next.lines(steps)]

    commands = [shell_words.command(*step.words) for step in steps]
    tree = {"ok": True, "path": definition.as_posix(), "to_fill_in": missing, "next": commands}
    console.emit_result(text, lambda: tree)


def _ask(interview: Interview) -> None:
    from bundler.cli import init_questions

    try:
        init_questions.ask(interview)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nnothing was written", err=True)
        raise


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if not all(key and mark for key, mark, _ in pairs):  # what was given is not repeated: it may be a secret
        raise UsageError("a value of --answer is not KEY=TEXT", do="write --answer KEY=TEXT")
    return {key: text for key, _, text in pairs}


def _of_lab(folder: Path, beside: Path) -> StarterUpstream:
    import os

    from bundler.lab import announcement
    from bundler.products.product import StarterUpstream

    values = announcement.read(folder)
    where = Path(os.path.relpath(folder, beside))
    return StarterUpstream(
        windows=values.windows,
        linux=values.linux,
        hosts=values.hosts,
        ca=(where / values.ca).as_posix(),
        anchors=(where / values.anchors).as_posix(),
    )
