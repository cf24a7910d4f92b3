"""The command ``plan``: lists the steps of a build, without doing them."""

from __future__ import annotations

from pathlib import Path

from bundler.cli.console import Console, common, define_command
from bundler.cli.options import ProjectSettings, open_store, output_option, project_options, read_project, store_option
from bundler.cli.progress import format_size


@define_command("plan", "arc-bundler plan --definition tokyo/bundle.yaml")
@output_option("Folder for bundles.")
@store_option
@project_options
@common
def command(
    console: Console,
    *,
    chosen: ProjectSettings,
    store_path: Path | None,
    output: Path,
) -> None:
    """List what a build would fetch, verify, render and write, and why. Changes nothing."""
    from bundler.flow import lock_changes, lock_file, lock_fit
    from bundler.flow.plan import plan
    from bundler.formats.json_codec import to_tree

    project = read_project(console, chosen)
    lock = lock_file.read(chosen.lock)
    if lock is not None and not lock_changes.definition_changes(lock, project):
        lock_fit.require_fit(lock, project, chosen.lock)
    planned = plan(project, lock, open_store(console, store_path), output)

    def text() -> list[str]:
        lines = [f"{planned.name} {planned.version}: {len(planned.actions)} steps"]
        for action in planned.actions:
            size = f" ({format_size(action.size)})" if action.size else ""
            lines.append(f"  {action.verb:<8}{action.subject}{size}")
            lines.append(f"          {action.reason}")
        return lines

    console.emit_result(text, lambda: {"ok": True, "plan": to_tree(planned)})
