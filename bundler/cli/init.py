"""The command ``init``: writes a definition to start from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bundler.cli.console import Console, common, define_command, option
from bundler.errors import UsageError
from bundler.formats import shell_words
from bundler.products import registry

if TYPE_CHECKING:
    from bundler.products.product import AnyProduct, StarterUpstream

_F = TypeVar("_F", bound=Callable[..., object])


def _question_options(command: _F) -> _F:
    """Add an option for each question of the default product."""
    for question in registry.get(registry.DEFAULT).questions:
        named = f"--{question.key.replace('_', '-')}"
        command = option(named, question.key, default="", section="Definition", help=question.prompt)(command)
    return command


@define_command("init", "arc-bundler init --location japaneast --target windows --target ubuntu/22.04")
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
    section="Output",
    help="Format of the bundle. Repeatable.",
)
@option(
    "--target",
    "targets",
    multiple=True,
    metavar="OS[/VERSION[/ARCH]]",
    section="Definition",
    help="Operating system of servers. Repeatable.",
)
@_question_options
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

    On a terminal it prompts for what has no default; otherwise it marks what to fill in.
    """
    from bundler.flow import init
    from bundler.products.product import StarterAnswers, StarterUpstream

    chosen = registry.get(product)
    values = _answers(chosen, {**answers, **_pairs(more)}, lab=lab is not None)
    given = StarterAnswers(
        name=name or ("arc-lab" if lab else ""),
        answers=values,
        targets=init.targets(targets),
        outputs=outputs or (("directory", "zip", "tar.gz") if lab else ()),
        upstream=_of_lab(lab, definition.parent) if lab else StarterUpstream(),
    )
    schema = init.write(definition, chosen, given)
    missing = [one.key for one in chosen.questions if one.asked and not values.get(one.key)]

    def text() -> list[str]:
        todo = f"fill in {', '.join(missing)} in it, then" if missing else "next:"
        named = "" if definition == Path("bundle.yaml") else f" {shell_words.command('--definition', definition)}"
        return [f"wrote {definition} and {schema}", f"{todo} arc-bundler lock{named}"]

    console.emit_result(text, lambda: {"ok": True, "path": definition.as_posix(), "to_fill_in": missing})


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    wrong = [key for key, mark, _ in pairs if not (key and mark)]
    if wrong:
        raise UsageError(f"--answer {wrong[0]!r} is not KEY=TEXT", do="write --answer KEY=TEXT")
    return {key: text for key, _, text in pairs}


def _answers(product: AnyProduct, given: dict[str, str], *, lab: bool) -> dict[str, str]:
    """The values for the product's questions: as given, from the lab, or from a prompt on a terminal."""
    values = {one.key: given.get(one.key, "") for one in product.questions}
    for one in product.questions:
        if values[one.key]:
            continue
        if lab:
            values[one.key] = one.lab_answer
        elif one.asked and sys.stdin.isatty():
            values[one.key] = click.prompt(one.prompt, default="", show_default=False, err=True)
    return values


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
