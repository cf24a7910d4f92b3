"""The command ``verify``: checks a bundle's signature, hashes and packages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli import told_warnings
from bundler.cli.console import Console, common, define_command, option
from bundler.cli.options import anchors_option, password_option, password_source
from bundler.cli.trust_options import TrustSettings, read_trust, trust_options

if TYPE_CHECKING:
    from bundler.flow.verify import Verified


@define_command("verify", "arc-bundler verify arc-tokyo-2026.11.22.zip --signer sealer.pem")
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@option(
    "--allow-unknown-product",
    is_flag=True,
    section="Trust",
    help="Accept a bundle of a product that is not installed: its packages are not verified.",
)
@trust_options
@anchors_option
@password_option
@common
def command(
    console: Console,
    *,
    bundle: Path,
    trust: TrustSettings,
    anchors: tuple[Path, ...],
    password_file: Path | None,
    allow_unknown_product: bool,
) -> None:
    """Verify BUNDLE, a directory or an archive: its signature, every hash, and every package from its evidence.

    The signature must be by a certificate that you give with --signer: a bundle cannot say which signer to trust.
    Extra and missing files, unsafe names, links and archive bombs are refused. Packages must chain to Microsoft's
    trust anchors, or to those of --anchors. Does not use the network.
    """
    from bundler.flow import fingerprint_beside
    from bundler.flow.verify import verify
    from bundler.trust import anchors as origins

    for name in fingerprint_beside.beside(bundle):
        told_warnings.warn(fingerprint_beside.warning(name))
    trust_anchors = origins.chosen(anchors)
    found = verify(
        bundle,
        anchors=trust_anchors,
        trusted=read_trust(console, trust),
        at=console.now,
        password=password_source(console, password_file),
        allow_unknown_product=allow_unknown_product,
    )
    for text in _warnings(found):
        told_warnings.warn(text)
    for text in found.definition_warnings:  # the report below shows them
        told_warnings.keep(text)
    _report(console, bundle, found)


_ARCHIVES = {
    "none": [],
    "as-built": ["    names this archive"],
    "approvals-added": ["    names this archive as it was before the approvals were added"],
    "not-compared": [
        "    does not tell whether this archive is the one that was built: approvals were added to the 7z"
    ],
}


def _seal_lines(found: Verified) -> list[str]:
    if found.sealed_by is None:
        return ["  SIGNATURE NOT VERIFIED (--insecure-no-seal): anyone may have made this bundle"]
    signer = found.sealed_by
    lines = [f"  signed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}", f"    sha256:{signer.sha256}"]
    if found.openpgp:
        lines.append(f"    and with the OpenPGP key {found.openpgp}")
    if found.provenance:
        lines.append(f"  provenance, signed with the same certificate: made by {found.provenance.tool}")
        lines += _ARCHIVES[found.provenance.archive]
    return lines + [f"  approved by {one.name}  sha256:{one.sha256}" for one in found.approved_by]


def _warnings(found: Verified) -> list[str]:
    from bundler.flow import runtimes

    unknown = runtimes.unknown(found.runtimes)
    product = found.unknown_product
    packages = f"the product {product!r} is not installed: the packages were not verified (--allow-unknown-product)"
    return [*([unknown] if unknown else []), *([packages] if product else [])]


def _report(console: Console, bundle: Path, found: Verified) -> None:
    from bundler.flow import runtimes
    from bundler.formats.json_codec import to_tree

    def text() -> list[str]:
        label = " [LAB]" if found.lab else ""
        intact = f"is intact: manifest.json and the {found.files} files in it match"
        unknown = runtimes.unknown(found.runtimes)
        lines = [*([unknown] if unknown else []), f"{bundle}: {found.name} {found.version}{label} {intact}"]
        lines += _seal_lines(found)
        lines += [
            f"  note: the revocation list of {one!a} applies to none of this bundle's signers"
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
        else:
            lines.append(f"  script headers: not compared, read them ({found.tool} made them with other templates)")
        for package in found.packages:
            lines.append(f"  {package.path}  {package.version}")
            lines.append(f"    signed by {package.signer}; verified with {', '.join(package.methods)}")
            lines += [f"    note: {note}" for note in package.notes]
        lines += [f"  unusual: {line}" for line in found.unusual]
        lines += [f"  warning of the definition: {line}" for line in found.definition_warnings]
        if found.unknown_product:
            lines.append(f"PACKAGES NOT VERIFIED: the product {found.unknown_product!r} is not installed")
            lines.append(f"bundle digest {found.digest}")
        else:
            lines.append(f"packages verified (trust anchors: {found.anchors}); bundle digest {found.digest}")
        return lines

    console.emit_result(text, lambda: {"ok": True, **to_tree(found)})
