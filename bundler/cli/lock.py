"""`arc-bundler lock`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, example, option
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
    from bundler.flow.lock_changes import LockChange
    from bundler.model.lock import Lock

EXIT_MOVED = 4


@click.command(
    "lock",
    epilog=example("arc-bundler lock --check --format json || arc-bundler lock"),
)
@option("--check", is_flag=True, help="Only say whether upstream has moved: exit 0 if not, 4 if so. Write nothing.")
@option("--allow-older", is_flag=True, help="Accept an older repository state or agent than the lock has.")
@option("--allow-replaced", is_flag=True, help="Accept other bytes under a version that the lock has.")
@fetch_options
@project_options
@common
def command(
    console: Console,
    *,
    chosen: ProjectSettings,
    fetching: FetchSettings,
    check: bool,
    allow_older: bool,
    allow_replaced: bool,
) -> int:
    """Find, fetch and judge the packages; pin them in bundle.lock.

    Nothing is pinned that was not believed. A lock never goes back to an older repository state or agent
    by itself. Commit the lock beside the definition: builds from it give the same bytes anywhere.
    """
    from bundler.flow import lock as locks
    from bundler.flow import lock_file
    from bundler.flow.lock_changes import RollbackPolicy

    path = chosen.lock
    previous, former = lock_file.read_former(path)
    project = read_project(console, chosen)
    allow = RollbackPolicy(older=allow_older or check, replaced=allow_replaced or check)
    with open_downloader(console, fetching, project) as (downloader, _, _):
        resolved = locks.resolve(
            project, downloader, at=console.now, environment=console.environment, previous=previous, allow=allow
        )
    if check:
        return _tell_check(console, path, previous, resolved.changes)
    fresh = lock_file.keep_time(resolved.lock, previous) if previous else resolved.lock
    changed = former or fresh != previous
    if changed:
        lock_file.write(fresh, path)
    _tell(console, chosen, fresh, resolved.changes, changed=changed)
    return 0


def _tell_check(console: Console, path: Path, previous: Lock | None, moves: tuple[LockChange, ...]) -> int:
    from bundler.formats.json_codec import to_tree

    moved = previous is None or bool(moves)

    def text() -> str:
        if previous is None:
            return f"{path}: there is no lock"
        if not moves:
            return f"{path}: up to date, nothing has moved since {previous.created:%Y-%m-%d %H:%M} UTC"
        return "\n".join((f"{path}: upstream has moved", *(f"  {_move(move)}" for move in moves)))

    console.emit_result(text, lambda: {"ok": not moved, "moved": moved, "moves": [to_tree(move) for move in moves]})
    return EXIT_MOVED if moved else 0


def _move(move: LockChange) -> str:
    where = f"{move.place}: " if move.place else ""
    return f"{where}{move.what} {move.was or '(nothing)'} -> {move.now or '(nothing)'}"


def _tell(
    console: Console, chosen: ProjectSettings, lock: Lock, moves: tuple[LockChange, ...], *, changed: bool
) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> str:
        lines = [f"{lock.name} {lock.version}: {len(lock.pins)} packages believed by {lock.anchors} anchors"]
        lines += [
            f"  {pin.place:<22} {pin.facts.version:<18} {format_size(pin.size):>9}  {pin.evidence[0].signer}"
            for pin in lock.pins
        ]
        lines += [f"  moved: {_move(move)}" for move in moves]
        lines.append(f"{'wrote' if changed else 'unchanged:'} {chosen.lock}")
        lines.append(f"next: arc-bundler build --locked{chosen.flags}")
        return "\n".join(lines)

    console.emit_result(
        text,
        lambda: {
            "ok": True,
            "path": chosen.lock.as_posix(),
            "changed": changed,
            "moves": [to_tree(m) for m in moves],
            "lock": to_tree(lock),
        },
    )
