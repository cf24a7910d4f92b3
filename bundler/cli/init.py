"""`arc-bundler init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bundler.cli.console import Console, common, example, option

if TYPE_CHECKING:
    from bundler.products.arc_server.definition import Upstream

# What nobody can guess, in the order in which it is asked for.
_QUESTIONS = {
    "tenant": "Tenant id (GUID)",
    "subscription": "Subscription id (GUID)",
    "resource_group": "Resource group that the servers join",
    "location": "Azure region (japaneast, westeurope, …)",
}

# A lab connects to nothing: any well-formed answer will do.
_LAB_ANSWERS = {
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "lab-servers",
    "location": "japaneast",
    "service_principal_id": "33333333-3333-4333-8333-333333333333",
}


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
@option("--service-principal-id", default="", help="Application id that the servers connect with.")
@option("--location", default="", help=_QUESTIONS["location"])
@option("--resource-group", default="", help=_QUESTIONS["resource_group"])
@option("--subscription", default="", help=_QUESTIONS["subscription"])
@option("--tenant", default="", help=_QUESTIONS["tenant"])
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
    **answers: str,
) -> None:
    """Write a commented definition to start from, and its schema beside it.

    On a terminal it asks what has no sensible default; elsewhere it asks nothing and marks what to fill in.
    """
    from bundler.flow import init
    from bundler.products.arc_server.starter import Answers

    given: dict[str, Any] = {name: text for name, text in _answers(answers, lab).items() if text}
    if targets:
        given["targets"] = init.targets(targets)
    if outputs or lab:
        given["outputs"] = outputs or ("directory", "zip", "tar.gz")
    if lab:
        given["upstream"] = _of_lab(lab, definition.parent)
    schema = init.write(definition, Answers(**given))
    unsaid = [] if lab else [name for name in _QUESTIONS if name not in given]

    def text() -> str:
        todo = f"fill in {', '.join(unsaid)} in it, then" if unsaid else "next:"
        named = "" if definition == Path("bundle.yaml") else f" --definition {definition}"
        return f"wrote {definition} and {schema}\n{todo} arc-bundler lock{named}"

    console.emit_result(text, lambda: {"ok": True, "path": definition.as_posix(), "to_fill_in": unsaid})


def _answers(given: dict[str, str], lab: Path | None) -> dict[str, str]:
    if lab:
        return {**_LAB_ANSWERS, "name": "arc-lab", **{name: text for name, text in given.items() if text}}
    if not sys.stdin.isatty():
        return given
    asked = {
        name: click.prompt(question, default="", show_default=False, err=True)
        for name, question in _QUESTIONS.items()
        if not given[name]
    }
    return {**given, **asked}


def _of_lab(folder: Path, beside: Path) -> Upstream:
    import os

    from bundler.flow import init
    from bundler.lab import announcement

    told = announcement.read(folder)
    where = Path(os.path.relpath(folder, beside))
    return init.upstream(
        windows=told.windows,
        linux=told.linux,
        hosts=told.hosts,
        ca=(where / told.ca).as_posix(),
        anchors=(where / told.anchors).as_posix(),
    )
