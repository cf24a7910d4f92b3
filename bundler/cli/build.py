"""The command ``build``: makes a bundle from a definition and its lock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.cli.build_report import next_command, report
from bundler.cli.console import Console, common, define_command, option
from bundler.cli.options import (
    FILE,
    FetchSettings,
    ProjectSettings,
    fetch_options,
    open_downloader,
    output_option,
    password_option,
    password_source,
    project_options,
    read_project,
    told_if_weak,
)
from bundler.cli.script_signing_options import ScriptSettings, script_key, script_options
from bundler.cli.secrets import SERVERS_SECRET
from bundler.cli.secrets import read as read_secret
from bundler.cli.signing_dates import warn_of_longer_use
from bundler.cli.signing_options import SealSettings, seal_options, sealer
from bundler.errors import WriteError

if TYPE_CHECKING:
    from bundler.flow.build.outputs import Built


@define_command("build", "arc-bundler build --locked --format json -q")
@output_option("Folder for bundles.")
@option("--locked", is_flag=True, section="Definition", help="Do not write a lock; require one that fits.")
@option(
    "--allow-embedded-secret", is_flag=True, section="Definition", help="Embed the secret, as the definition requests."
)
@option(
    "--secret-file",
    type=FILE,
    section="Definition",
    help="The servers' secret, to embed or to scan for.",
)
@seal_options
@script_options
@password_option
@fetch_options
@project_options
@common
def command(
    console: Console,
    *,
    chosen: ProjectSettings,
    fetching: FetchSettings,
    output: Path,
    locked: bool,
    password_file: Path | None,
    sealing: SealSettings,
    signing: ScriptSettings,
    secret_file: Path | None,
    allow_embedded_secret: bool,
) -> None:
    """Make the bundle: fetch, verify, render, pack, check.

    Creates the lock if there is none; keeps its pins that fit a changed definition. One lock: the same bytes, except
    encrypted archives.
    """
    from bundler.flow.build.build import build
    from bundler.flow.build.outputs import BuildOptions
    from bundler.flow.build.seal_policy import bundle_end
    from bundler.flow.project import resolve_relative

    project = read_project(console, chosen)
    seals = sealer(console, sealing)
    options = BuildOptions(
        output=output,
        lock_path=chosen.lock,
        locked=locked,
        password=told_if_weak(password_source(console, password_file)),
        sealer=seals,
        script_key=script_key(console, signing, seals),
        secret=read_secret(console, secret_file, SERVERS_SECRET, what="the secret's file"),
        allow_embedded_secret=allow_embedded_secret,
    )
    with open_downloader(console, fetching, project) as (downloader, store, shown):
        built = build(
            project, options, downloader, store, at=console.now, environment=console.environment, progress=shown
        )
    if seals:
        ends = seals.key.certificates[0].not_valid_after_utc
        warn_of_longer_use("sealing certificate", ends, "the bundle does", bundle_end(project, chosen.lock))
    built = _with_fingerprint_file(built, output)
    named = resolve_relative(project.path, project.definition.upstream.anchors)
    report(console, built, next_command(built, chosen.anchors or filter(None, [named])), lock=chosen.lock)


def _with_fingerprint_file(built: Built, output: Path) -> Built:
    """Write it for a sealed build. The bundles are made by then, so a folder that is closed is a warning."""
    from bundler.cli import told_warnings
    from bundler.flow.build import fingerprint_file

    if built.sealed_by is None:
        return built
    try:
        return replace(built, fingerprint_file=str(fingerprint_file.write(built, output)))
    except WriteError as error:
        told_warnings.warn(f"the file with the fingerprint could not be written: {error.what}")
        return built
