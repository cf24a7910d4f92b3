"""The command ``inspect``: shows what is in a bundle, without verifying it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli import told_warnings
from bundler.cli.console import Console, common, define_command, option
from bundler.cli.options import password_option, password_source
from bundler.cli.progress import format_size

if TYPE_CHECKING:
    from bundler.model.lock import Pin
    from bundler.model.manifest import Manifest


@define_command(
    "inspect",
    "arc-bundler inspect arc-tokyo-2026.11.22.7z --format json",
    "arc-bundler inspect arc-tokyo-2026.11.22.manifest.json --html review.html",
)
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    section="Output",
    help="Write the review page to FILE: the same page that `build` puts next to the archives.",
)
@password_option
@common
def command(console: Console, *, bundle: Path, html: Path | None, password_file: Path | None) -> None:
    """Show what is in BUNDLE: targets, versions, signers, parameters, sizes. Does not verify it: see `verify`.

    BUNDLE is a directory, an archive, or a manifest.json alone.
    """
    from bundler.flow import runtimes
    from bundler.flow.inspect import inspect, write_page
    from bundler.formats.json_codec import to_tree

    found = inspect(bundle, password=password_source(console, password_file))
    if html:
        write_page(found, html)
        console.info(f"wrote the review page {html}")
    for sentence in found.manifest.warnings:
        told_warnings.keep(sentence)
    console.emit_result(
        lambda: _lines(found.manifest, found.digest, console.now),
        lambda: {
            "ok": True,
            "verified": False,
            "digest": found.digest,
            "runtimes": [to_tree(one) for one in runtimes.known(found.manifest.runtimes)],
            "manifest": to_tree(found.manifest),
        },
    )


def _lines(manifest: Manifest, digest: str, now: datetime) -> Iterator[str]:
    from bundler.flow import runtimes
    from bundler.products import registry

    known = manifest.product in registry.names()
    label = "   [LAB bundle: not for production]" if manifest.lab else ""
    yield f"{manifest.name} {manifest.version}{label}"
    yield f"  digest    {digest}"
    yield f"  made      {manifest.created:%Y-%m-%d %H:%M:%S} UTC by {manifest.tool}"
    yield f"  product   {manifest.product}{'' if known else ' (not installed: its packages cannot be verified here)'}"
    yield f"  anchors   {manifest.anchors} ({manifest.anchors_sha256})"
    yield f"  targets   {', '.join(map(str, manifest.targets))}"
    yield f"  files     {len(manifest.files)}, {format_size(sum(file.size for file in manifest.files))}"
    if manifest.seal:
        yield f"  seal      names {manifest.seal.signer.name} ({manifest.seal.signer.sha256})"
    if manifest.approval:
        names = ", ".join(one.name for one in manifest.approval.approvers)
        yield f"  approval  by {manifest.approval.required} of {names}"
    if manifest.scripts_signed_by:
        yield f"  scripts   signed by {manifest.scripts_signed_by.name} ({manifest.scripts_signed_by.sha256})"
    yield from (f"  runtime   {one.row}" for one in runtimes.known(manifest.runtimes))
    yield from (f"  weakened  {switch}" for switch in manifest.weakened)
    yield from (f"  unusual   {what}" for what in manifest.unusual)
    yield from (f"  warning   {what}" for what in manifest.warnings)
    yield "packages"
    for pin in manifest.pins:
        yield from _package(pin, now)
    yield "parameters"
    yield from (f"  {name} = {text}" for name, text in manifest.parameters.items())
    yield "Not verified: run `arc-bundler verify`."


def _package(pin: Pin, now: datetime) -> Iterator[str]:
    from bundler.render import age

    yield f"  {pin.path}"
    yield f"    {pin.facts.name} {pin.facts.version} {pin.facts.architecture}, {format_size(pin.size)}"
    yield f"    SHA-256 {pin.sha256}"
    yield f"    from    {(pin.redirects or (pin.url,))[-1]}"
    yield f"    asked   {age.asked(pin.asked, now)}"
    for evidence in pin.evidence:
        when = f" at {evidence.signed_at:%Y-%m-%d}" if evidence.signed_at else ""
        yield f"    {evidence.method}: {evidence.signer}{when}, ending in {evidence.anchor}"
