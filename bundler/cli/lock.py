"""The command ``lock``: resolves, fetches and verifies packages, and pins them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    from bundler.flow.lock_changes import LockChange
    from bundler.model.lock import Lock

EXIT_CHANGED = 4


@define_command("lock", "arc-bundler lock --check --format json || arc-bundler lock")
@option("--check", is_flag=True, section="Output", help="Write nothing; exit 4 if the upstream has newer packages.")
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
    check: bool,
    allow_older: bool,
    allow_replaced: bool,
) -> int:
    """Resolve, fetch and verify the packages; pin them in bundle.lock.

    Only verified packages are pinned. A lock does not go back to an older repository state or agent by itself.
    Commit the lock with the definition: builds from it have the same bytes on every machine.
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
        return _report_check(console, path, previous, resolved.changes)
    fresh = lock_file.keep_time(resolved.lock, previous) if previous else resolved.lock
    changed = former or fresh != previous
    if changed:
        lock_file.write(fresh, path)
    _report(console, chosen, fresh, resolved.changes, changed=changed)
    return 0


def _report_check(console: Console, path: Path, previous: Lock | None, moves: tuple[LockChange, ...]) -> int:
    from bundler.formats.json_codec import to_tree

    moved = previous is None or bool(moves)

    def text() -> list[str]:
        if previous is None:
            return [f"{path}: there is no lock"]
        if not moves:
            return [f"{path}: up to date, the upstream has not changed since {previous.created:%Y-%m-%d %H:%M} UTC"]
        return [f"{path}: the upstream has changed", *(f"  {_move(move)}" for move in moves)]

    console.emit_result(text, lambda: {"ok": not moved, "moved": moved, "moves": [to_tree(move) for move in moves]})
    return EXIT_CHANGED if moved else 0


def _move(move: LockChange) -> str:
    where = f"{move.place}: " if move.place else ""
    return f"{where}{move.what} {move.was or '(none)'} -> {move.now or '(none)'}"


def _report(
    console: Console, chosen: ProjectSettings, lock: Lock, moves: tuple[LockChange, ...], *, changed: bool
) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> list[str]:
        lines = [f"{lock.name} {lock.version}: {len(lock.pins)} packages verified (trust anchors: {lock.anchors})"]
        lines += [
            f"  {pin.place:<22} {pin.facts.version:<18} {format_size(pin.size):>9}  {pin.evidence[0].signer}"
            for pin in lock.pins
        ]
        lines += [f"  changed: {_move(move)}" for move in moves]
        lines.append(f"{'wrote' if changed else 'unchanged:'} {chosen.lock}")
        lines.append(f"next: arc-bundler build --locked{chosen.flags}")
        return lines

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
