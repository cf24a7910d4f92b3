"""The command ``build``: makes a bundle from a definition and its lock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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
from bundler.cli.progress import format_size
from bundler.cli.script_signing_options import ScriptSettings, script_key, script_options
from bundler.cli.secrets import SERVERS_SECRET
from bundler.cli.secrets import read as read_secret
from bundler.cli.signing_dates import warn_of_longer_use
from bundler.cli.signing_options import SealSettings, seal_options, sealer
from bundler.errors import WriteError
from bundler.formats import shell_words

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
    _report(
        console,
        built,
        check=_check(built, chosen.anchors or filter(None, [named])),
        lock=chosen.lock,
    )


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


def _check(built: Built, anchors: Iterable[Path]) -> str:
    """The next command: approve the output that lacks approvals, or verify the first one."""
    signer = ("--signer", f"sha256:{built.sealed_by.sha256}") if built.sealed_by else ("--insecure-no-seal",)
    made = min(built.outputs, key=lambda one: one.approvals) if built.missing_approvals else built.outputs[0]
    if built.missing_approvals:
        return shell_words.command("arc-bundler", "approve", made.path, "--digest", made.digest, *signer)
    trusted = [word for path in anchors for word in ("--anchors", path)]
    return shell_words.command("arc-bundler", "verify", made.path, *signer, *trusted)


def _seal_lines(built: Built) -> list[str]:
    if built.sealed_by is None:
        return [
            "NOT SIGNED: target servers cannot verify who made it, and no provenance was written.",
            "  Give a key with --seal-key (docs/sealing.md).",
        ]
    from bundler.formats import fingerprint_words

    signer = built.sealed_by
    lines = [
        f"signed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}; its fingerprint, in digits and in words:",
        f"  sha256:{signer.sha256}",
        *(f"  {line}" for line in fingerprint_words.lines(fingerprint_words.words(signer.sha256))),
    ]
    if built.missing_approvals:
        lines.append(f"{built.missing_approvals} approvals are still missing: `arc-bundler approve BUNDLE`")
    return lines


def _report(console: Console, built: Built, *, check: str, lock: Path) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> list[str]:
        label = " [LAB]" if built.lab else ""
        head = "already built and unchanged" if built.unchanged else "built and verified"
        lines = [f"{built.name} {built.version}{label}: {head}"]
        for made in built.outputs:
            lines.append(f"  {made.path}  {format_size(made.size)}{'  encrypted' if made.encrypted else ''}")
            if made.format != "directory":
                lines.append(f"    archive SHA-256  {made.sha256}")
            lines.append(f"    bundle digest    {made.digest}")
        if built.lock_written:
            lines.append(f"wrote {lock}: review it, and commit it with the definition")
        lines += [f"unusual: {line}" for line in built.unusual]
        lines += _seal_lines(built)
        if built.scripts_signed_by:
            signer = built.scripts_signed_by
            lines.append(f"PowerShell scripts signed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}")
        if built.fingerprint_file:
            lines.append(f"wrote {built.fingerprint_file}: fingerprint and digest, never to be sent with the bundle")
        both = "the fingerprint and the bundle digest" if built.sealed_by else "the bundle digest"
        lines.append(f"Send {both} to the person who unpacks it, through a separate channel:")
        asks = "ask for the fingerprint and " if built.sealed_by else ""
        lines.append(f"  verify.sh and verify.ps1 {asks}print the digest.")
        lines.append(f"next: {check}")
        return lines

    console.emit_result(text, lambda: {"ok": True, **to_tree(built)})
