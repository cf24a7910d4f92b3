"""`arc-bundler verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, example
from bundler.cli.options import anchors_option, password_option, password_source
from bundler.cli.trust_options import TrustSettings, read_trust, trust_options

if TYPE_CHECKING:
    from bundler.flow.verify import Verified


@click.command("verify", epilog=example("arc-bundler verify arc-tokyo-2026.11.22.zip --signer sealer.pem"))
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@trust_options
@anchors_option
@password_option
@common
def command(
    console: Console,
    *,
    bundle: Path,
    trust: TrustSettings,
    anchors: Path | None,
    password_file: Path | None,
) -> None:
    """Check BUNDLE, a directory or an archive: its seal, every hash, every package again from its evidence.

    The seal must be by a certificate that you name: nothing in a bundle says whom to believe. Extra and missing files,
    unsafe names, links and archive bombs are refused. Nothing is asked of the network. Packages must end in
    Microsoft's anchors, or in the ones you give.
    """
    from bundler.flow.verify import verify
    from bundler.trust import anchors as origins

    believed = origins.load(anchors) if anchors else origins.microsoft()
    found = verify(
        bundle,
        anchors=believed,
        trusted=read_trust(console, trust),
        at=console.now,
        password=password_source(console, password_file),
    )
    _tell(console, bundle, found)


def _seal_lines(found: Verified) -> list[str]:
    if found.sealed_by is None:
        return ["  SEAL NOT CHECKED (--insecure-no-seal): who made it is unknown"]
    signer = found.sealed_by
    lines = [f"  sealed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}", f"    sha256:{signer.sha256}"]
    if found.openpgp:
        lines.append(f"    and by the OpenPGP key {found.openpgp}")
    if found.provenance:
        lines.append(f"  provenance beside it, by the same certificate: made by {found.provenance.tool}")
    return lines + [f"  approved by {one.name}  sha256:{one.sha256}" for one in found.approved_by]


def _tell(console: Console, bundle: Path, found: Verified) -> None:
    from bundler.flow import runtimes
    from bundler.formats.json_codec import to_tree

    def text() -> str:
        label = " [LAB]" if found.lab else ""
        whole = f"is whole: manifest.json, and the {found.files} files that it names"
        unknown = runtimes.unknown(found.runtimes)
        lines = [*([unknown] if unknown else []), f"{bundle}: {found.name} {found.version}{label} {whole}"]
        lines += _seal_lines(found)
        lines += [
            f"  note: the revocation list of {one!a} tells of nobody who signed this"
            for one in found.unused_revocation_lists
        ]
        if found.scripts_signed_by:
            signer = found.scripts_signed_by
            lines.append(f"  PowerShell scripts signed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}")
            lines.append(f"    sha256:{signer.sha256}")
        lines += [f"  {one.row}" for one in found.runtimes]
        if found.scripts_rendered_by:
            what = "script headers" if unknown else "scripts"
            lines.append(f"  {what}: exactly as {found.scripts_rendered_by} renders them")
        for package in found.packages:
            lines.append(f"  {package.path}  {package.version}")
            lines.append(f"    signed by {package.signer}; believed by {', '.join(package.methods)}")
            lines += [f"    note: {note}" for note in package.notes]
        lines += [f"  unusual: {line}" for line in found.unusual]
        lines.append(f"judged by {found.anchors} anchors; bundle digest {found.digest}")
        return "\n".join(lines)

    console.emit_result(text, lambda: {"ok": True, **to_tree(found)})
