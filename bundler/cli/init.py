"""`arc-bundler init`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bundler.cli.console import Console, common, example, option
from bundler.errors import UsageError
from bundler.products import registry

if TYPE_CHECKING:
    from bundler.products.product import AnyProduct, StarterUpstream

_F = TypeVar("_F", bound=Callable[..., object])


def _question_options(command: _F) -> _F:
    """An option for each question of the product that a definition without ``product:`` is for."""
    for question in registry.get(registry.DEFAULT).questions:
        named = f"--{question.key.replace('_', '-')}"
        command = option(named, question.key, default="", help=question.prompt)(command)
    return command


@click.command(
    "init",
    epilog=example("arc-bundler init --name arc-tokyo --location japaneast --target windows --target ubuntu/22.04"),
)
@option(
    "--lab",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="For practice: use the lab running in DIR.",
)
@option(
    "--output-format",
    "outputs",
    multiple=True,
    type=click.Choice(["directory", "zip", "tar.gz", "7z"]),
    help="How the bundle is wrapped; may be repeated.",
)
@option("--target", "targets", multiple=True, metavar="OS[/VERSION[/ARCH]]", help="A kind of server; may be repeated.")
@_question_options
@option("--answer", "more", multiple=True, metavar="KEY=TEXT", help="What another product asks for; may be repeated.")
@option("--product", default=registry.DEFAULT, show_default=True, help="What is installed.")
@option("--name", default="", help="The bundle's name.  [default: arc-servers]")
@option(
    "-d",
    "--definition",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bundle.yaml"),
    show_default=True,
    help="The file to write; never over an existing one.",
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
    """Write a commented definition to start from, and its schema beside it.

    On a terminal it asks what has no sensible default; elsewhere it asks nothing and marks what to fill in.
    """
    from bundler.flow import init
    from bundler.products.product import StarterAnswers, StarterUpstream

    chosen = registry.get(product)
    told = _answers(chosen, {**answers, **_pairs(more)}, lab=lab is not None)
    given = StarterAnswers(
        name=name or ("arc-lab" if lab else ""),
        answers=told,
        targets=init.targets(targets),
        outputs=outputs or (("directory", "zip", "tar.gz") if lab else ()),
        upstream=_of_lab(lab, definition.parent) if lab else StarterUpstream(),
    )
    schema = init.write(definition, chosen, given)
    unsaid = [one.key for one in chosen.questions if one.asked and not told.get(one.key)]

    def text() -> str:
        todo = f"fill in {', '.join(unsaid)} in it, then" if unsaid else "next:"
        named = "" if definition == Path("bundle.yaml") else f" --definition {definition}"
        return f"wrote {definition} and {schema}\n{todo} arc-bundler lock{named}"

    console.emit_result(text, lambda: {"ok": True, "path": definition.as_posix(), "to_fill_in": unsaid})


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    wrong = [key for key, mark, _ in pairs if not (key and mark)]
    if wrong:
        raise UsageError(f"--answer {wrong[0]!r} is not KEY=TEXT", do="write --answer KEY=TEXT")
    return {key: text for key, _, text in pairs}


def _answers(product: AnyProduct, given: dict[str, str], *, lab: bool) -> dict[str, str]:
    """What was given for the product's questions; the rest from the lab, or asked for on a terminal."""
    told = {one.key: given.get(one.key, "") for one in product.questions}
    for one in product.questions:
        if told[one.key]:
            continue
        if lab:
            told[one.key] = one.lab_answer
        elif one.asked and sys.stdin.isatty():
            told[one.key] = click.prompt(one.prompt, default="", show_default=False, err=True)
    return told


def _of_lab(folder: Path, beside: Path) -> StarterUpstream:
    import os

    from bundler.lab import announcement
    from bundler.products.product import StarterUpstream

    told = announcement.read(folder)
    where = Path(os.path.relpath(folder, beside))
    return StarterUpstream(
        windows=told.windows,
        linux=told.linux,
        hosts=told.hosts,
        ca=(where / told.ca).as_posix(),
        anchors=(where / told.anchors).as_posix(),
    )
