"""The command ``lock``: keeps, resolves, fetches and verifies packages, and pins them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, define_command, option
from bundler.cli.options import (
    FetchSettings,
    ProjectSettings,
    fetch_options,
    open_downloader,
    project_options,
    read_project,
)
from bundler.cli.progress import format_size

if TYPE_CHECKING:
    from bundler.flow.lock import Resolved
    from bundler.flow.lock_changes import LockChange
    from bundler.flow.lock_check import LockCheck
    from bundler.model.lock import Lock, Pin

EXIT_CHANGED = 4


@define_command(
    "lock",
    "arc-bundler lock",
    "arc-bundler lock --check --format json",
    "arc-bundler lock --upgrade ubuntu/22.04/x64",
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@option("--check", is_flag=True, section="Output", help="Write nothing; exit 4 if definition or upstream changed.")
@option(
    "--upgrade", is_flag=True, section="Definition", help="Take what upstream has now, for all targets or each TARGET."
)
@option("--allow-older", is_flag=True, section="Trust", help="Accept a repository or agent older than in the lock.")
@option("--allow-replaced", is_flag=True, section="Trust", help="Accept changed bytes of a version in the lock.")
@fetch_options
@project_options
@common
def command(
    console: Console,
    *,
    chosen: ProjectSettings,
    fetching: FetchSettings,
    targets: tuple[str, ...],
    check: bool,
    upgrade: bool,
    allow_older: bool,
    allow_replaced: bool,
) -> int:
    """Resolve, fetch and verify the packages; pin them in bundle.lock.

    Only verified packages are pinned. A pin that still answers the definition is verified again and kept; --upgrade
    moves it to what upstream has now. A lock does not go back to an older repository state or agent by itself.
    Commit the lock with the definition: builds from it have the same bytes on every machine.
    """
    from bundler.flow import lock as locks
    from bundler.flow import lock_file, lock_targets
    from bundler.flow.lock_changes import RollbackPolicy

    _require_sense(targets, check=check, upgrade=upgrade)
    path = chosen.lock
    previous, former = lock_file.read_former(path)
    project = read_project(console, chosen)
    wanted = lock_targets.named(targets, project.artifacts) if upgrade else frozenset()
    with open_downloader(console, fetching, project) as (downloader, _, _):
        if check:
            from bundler.flow import lock_check

            found = lock_check.check(previous, project, downloader, at=console.now) if previous else None
            return _report_check(console, path, previous, found)
        resolved = locks.resolve(
            project,
            downloader,
            at=console.now,
            environment=console.environment,
            previous=previous,
            upgrade=wanted,
            allow=RollbackPolicy(older=allow_older, replaced=allow_replaced),
        )
    if resolved.changed or former:
        lock_file.write(resolved.lock, path)
    _report(console, chosen, resolved, changed=resolved.changed or former)
    return 0


def _require_sense(targets: tuple[str, ...], *, check: bool, upgrade: bool) -> None:
    from bundler.errors import UsageError

    if targets and not upgrade:
        raise UsageError(
            f"{len(targets)} unexpected argument{'s' if len(targets) > 1 else ''}; not shown, may be a secret",
            do="name targets behind --upgrade: `arc-bundler lock --upgrade TARGET`",
        )
    if check and upgrade:
        raise UsageError(
            "--check writes nothing, and --upgrade does", do="give one of them: --check tells what --upgrade would move"
        )


def _report_check(console: Console, path: Path, previous: Lock | None, found: LockCheck | None) -> int:
    from bundler.formats.json_codec import to_tree

    changed = ("missing",) if found is None else found.changed
    moves = () if found is None else (*found.definition, *found.upstream)

    def text() -> Iterator[str]:
        if previous is None or found is None:
            yield f"{path}: there is no lock"
        elif not changed:
            yield f"{path}: up to date, the upstream has not changed since {previous.created:%Y-%m-%d %H:%M} UTC"
        if found and found.definition:
            yield f"{path}: the definition has changed; `arc-bundler lock` keeps the pins that fit"
            yield from (f"  {_move(move)}" for move in found.definition)
            yield from () if found.asked else ["  upstream was not asked (--offline)"]
        if found and found.upstream:
            yield f"{path}: the upstream has changed; `arc-bundler lock --upgrade` moves the pins"
            yield from (f"  {_move(move)}" for move in found.upstream)

    def tree() -> dict[str, object]:
        fields = [name for move in moves for name in move.fields]
        upstream = [to_tree(move) for move in found.upstream] if found else []
        return {
            "ok": not changed,
            "moved": bool(changed),
            "changed": list(changed),
            "definition": {"fields": fields},
            "upstream": upstream,
            "moves": [to_tree(move) for move in moves],
        }

    console.emit_result(text, tree)
    return EXIT_CHANGED if changed else 0


def _move(move: LockChange) -> str:
    if move.fields:
        return f"definition: {', '.join(move.fields)}"
    if move.what == "definition":
        return "definition: a lock of 0.3.0 or older does not tell which fields"
    where = f"{move.place}: " if move.place else ""
    name = f"{move.artifact} " if move.artifact else ""
    what = {"new-package": "added, ", "gone": "gone, "}.get(move.what, "" if move.artifact else f"{move.what} ")
    return f"{where}{name}{what}{move.was or '(none)'} -> {move.now or '(none)'}"


def _report(console: Console, chosen: ProjectSettings, resolved: Resolved, *, changed: bool) -> None:
    from bundler.formats.json_codec import to_tree

    lock = resolved.lock

    def text() -> Iterator[str]:
        yield f"{lock.name} {lock.version}: {len(lock.pins)} packages verified (trust anchors: {lock.anchors})"
        for pin in lock.pins:
            yield from _rows(console, pin, kept=pin.place in resolved.kept)
        yield from (f"  changed: {_move(move)}" for move in resolved.changes)
        yield f"wrote {chosen.lock}" if changed else f"nothing changed: {chosen.lock} stays as it is"
        yield f"next: arc-bundler build --locked{chosen.flags}"

    console.emit_result(
        text,
        lambda: {
            "ok": True,
            "path": chosen.lock.as_posix(),
            "changed": changed,
            "kept": sorted(resolved.kept),
            "moves": [to_tree(m) for m in resolved.changes],
            "lock": to_tree(lock),
        },
    )


def _rows(console: Console, pin: Pin, *, kept: bool) -> Iterator[str]:
    from bundler.render import age

    yield f"  {pin.place:<22} {pin.facts.version:<18} {format_size(pin.size):>9}  {pin.evidence[0].signer}"
    if kept:
        yield f"    kept; upstream asked: {age.asked(pin.asked, console.now)}"
