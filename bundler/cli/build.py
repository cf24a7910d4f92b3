"""`arc-bundler build`."""

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
    output_option,
    password_option,
    password_source,
    project_options,
    read_project,
)
from bundler.cli.progress import format_size
from bundler.cli.script_signing_options import ScriptSettings, script_key, script_options
from bundler.cli.secrets import secret
from bundler.cli.signing_options import SealSettings, seal_options, sealer

if TYPE_CHECKING:
    from bundler.flow.build.outputs import Built


@click.command("build", epilog=example("arc-bundler build --locked --format json -q"))
@output_option("Where bundles go: <output>/<name>/<version>/.")
@option("--locked", is_flag=True, help="Refuse to take a lock; build from the one that is there.")
@option("--allow-embedded-secret", is_flag=True, help="Let the definition's `secret: embedded` hold, this time.")
@option(
    "--secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the servers' secret, to embed it, or to see that it is nowhere in the bundle; otherwise "
    "ARC_BUNDLER_SECRET.",
)
@script_options
@seal_options
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
    """Make the bundle: fetch, judge, render, pack, check.

    Without a lock one is taken first. Two builds from one lock are the same, byte for byte (but for encrypted
    archives). A bundle that does not verify itself is deleted, with exit code 6.
    """
    from bundler.flow.build.build import build
    from bundler.flow.build.outputs import BuildOptions
    from bundler.flow.project import resolve_relative

    project = read_project(console, chosen)
    seals = sealer(console, sealing)
    options = BuildOptions(
        output=output,
        lock_path=chosen.lock,
        locked=locked,
        password=password_source(console, password_file),
        sealer=seals,
        script_key=script_key(console, signing, seals),
        secret=secret(console, secret_file),
        allow_embedded_secret=allow_embedded_secret,
    )
    with open_downloader(console, fetching, project) as (downloader, store, shown):
        built = build(
            project, options, downloader, store, at=console.now, environment=console.environment, progress=shown
        )
    _tell(
        console,
        built,
        check=_check(built, chosen.anchors or resolve_relative(project.path, project.definition.upstream.anchors)),
    )


def _check(built: Built, anchors: Path | None) -> str:
    """The command that comes next: approving the first output, or verifying it with the same anchors and its sealer."""
    believing = f"--signer sha256:{built.sealed_by.sha256}" if built.sealed_by else "--insecure-no-seal"
    made = min(built.made, key=lambda one: one.approvals) if built.not_yet_approved else built.made[0]
    if built.not_yet_approved:
        return f"arc-bundler approve {made.path} --digest {made.digest} {believing}"
    return f"arc-bundler verify {made.path} {believing}{f' --anchors {anchors}' if anchors else ''}"


def _seal_lines(built: Built) -> list[str]:
    if built.sealed_by is None:
        return [
            "NOT SEALED: the far side cannot tell who made it, and no provenance was written;",
            "  give a key with --seal-key (docs/sealing.md)",
        ]
    from bundler.formats import fingerprint_words

    signer = built.sealed_by
    lines = [
        f"sealed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}; the fingerprint, as digits and as words:",
        f"  sha256:{signer.sha256}",
        *(f"  {line}" for line in fingerprint_words.lines(fingerprint_words.words(signer.sha256))),
    ]
    if built.not_yet_approved:
        lines.append(f"it lacks {built.not_yet_approved} approvals that servers demand: `arc-bundler approve BUNDLE`")
    return lines


def _tell(console: Console, built: Built, *, check: str) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> str:
        label = " [LAB]" if built.lab else ""
        head = "is there already, whole and the same" if built.unchanged else "was made and checked"
        lines = [f"{built.name} {built.version}{label} {head}:"]
        for made in built.made:
            lines.append(f"  {made.path}  {format_size(made.size)}{'  encrypted' if made.encrypted else ''}")
            if made.format != "directory":
                lines.append(f"    archive SHA-256  {made.sha256}")
            lines.append(f"    bundle digest    {made.digest}")
        lines += [f"unusual: {line}" for line in built.unusual]
        lines += _seal_lines(built)
        if built.scripts_signed_by:
            signer = built.scripts_signed_by
            lines.append(f"PowerShell scripts signed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}")
        both = "the fingerprint and the bundle digest" if built.sealed_by else "the bundle digest"
        lines.append(f"Give {both} to whoever unpacks it, by another way than the bundle:")
        lines.append("  there, verify.sh and verify.ps1 ask for the one and print the other.")
        lines.append(f"next: {check}")
        return "\n".join(lines)

    console.emit_result(text, lambda: {"ok": True, **to_tree(built)})
