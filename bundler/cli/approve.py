"""The command ``approve``: adds an approver's signature to a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, define_command, option
from bundler.cli.options import FILE, password_option, password_source
from bundler.cli.signing_options import SealSettings, seal_options, sealer
from bundler.cli.trust_options import TrustSettings, read_trust, trust_options
from bundler.errors import UsageError

if TYPE_CHECKING:
    from bundler.flow.approve import Approved
    from bundler.signing.signing_key import SigningKey


@define_command(
    "approve",
    "arc-bundler approve arc-tokyo-2026.11.22.zip --signer sealer.pem \\",
    "    --digest 5f1c… --seal-key aiko.key --seal-certificate aiko.pem",
    "arc-bundler approve arc-tokyo-2026.11.22.zip --signer sealer.pem \\",
    "    --attach aiko.p7s",
)
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@option("--attach", type=FILE, multiple=True, section="Signing", help="Add this detached approval. Repeatable.")
@option("--detached", type=FILE, section="Signing", help="Write the approval to this file, not into the bundle.")
@option("--digest", metavar="HEX", section="Signing", help="Bundle digest that you reviewed, from the review page.")
@seal_options
@trust_options
@password_option
@common
def command(
    console: Console,
    *,
    bundle: Path,
    attach: tuple[Path, ...],
    detached: Path | None,
    digest: str | None,
    sealing: SealSettings,
    trust: TrustSettings,
    password_file: Path | None,
) -> None:
    """Approve BUNDLE: add your signature to it.

    You must be an approver that its definition lists, and give the digest that you reviewed. The signature and every
    hash are verified first. An archive is written again with the approval in it; its bundle digest stays the same.
    """
    from bundler.cli.progress import progress
    from bundler.flow import approve as approvals

    trusted = read_trust(console, trust)
    password = password_source(console, password_file)
    with progress(wanted=console.progress, quiet=console.quiet, each=console.verbose > 0) as shown:
        review = approvals.Review(bundle, trusted, console.now, password, shown)
        if attach:
            _refuse_signing()
            result = approvals.attach(review, attach)
        else:
            key = _key(console, sealing)
            result = approvals.approve(review, key, digest=_digest(digest), detached_to=detached)
    _report(console, result)


def _refuse_signing() -> None:
    """Raise for options that sign. A key in a variable is accepted: the same host may also build and sign bundles."""
    context = click.get_current_context()
    for name in ("digest", "detached", "seal_key", "seal_pkcs11", "seal_command"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(
                "--attach cannot be combined with --digest, --detached or a key", do="leave them out: it signs nothing"
            )


def _key(console: Console, sealing: SealSettings) -> SigningKey:
    chosen = sealer(console, sealing)
    if chosen is None:
        raise UsageError("no signing key was given", do="give `--seal-key FILE` and `--seal-certificate FILE`")
    return chosen.key


def _digest(given: str | None) -> str:
    from bundler.formats.certificate import parse_fingerprint

    digest = parse_fingerprint(given or "")
    if not digest:
        raise UsageError(
            "the digest of the reviewed bundle is missing or malformed",
            do="copy the bundle digest from the review page: `--digest HEX`",
        )
    return digest


def _report(console: Console, result: Approved) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> list[str]:
        have = len(result.approved_by)
        lines = [f"{result.written}: {result.name} {result.version} has {have} of {result.required} required approvals"]
        lines += [f"  {one.name}  sha256:{one.sha256}" for one in result.approved_by]
        lines.append(f"bundle digest {result.digest}")
        return lines

    console.emit_result(text, lambda: {"ok": True, **to_tree(result)})
