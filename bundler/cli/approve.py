"""`arc-bundler approve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, example, option
from bundler.cli.options import password_option, password_source
from bundler.cli.signing_options import SealSettings, seal_options, sealer
from bundler.cli.trust_options import TrustSettings, read_trust, trust_options
from bundler.errors import UsageError

if TYPE_CHECKING:
    from bundler.flow.approve import Approved
    from bundler.signing.signing_key import SigningKey

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "approve",
    epilog=example(
        "arc-bundler approve arc-tokyo-2026.11.22.zip --signer sealer.pem \\",
        "    --digest 5f1c… --seal-key aiko.key --seal-certificate aiko.pem",
        "arc-bundler approve arc-tokyo-2026.11.22.zip --signer sealer.pem --attach aiko.p7s",
    ),
)
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@option("--attach", type=_FILE, multiple=True, help="Put this approval, made with --detached, in. May be repeated.")
@option("--detached", type=_FILE, help="Write the approval into this file, and leave the bundle as it is.")
@option("--digest", metavar="HEX", help="The bundle digest that you reviewed, as the review page shows it.")
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
    """Say with your key that BUNDLE may cross: add your signature to it.

    You must be one of the approvers that its definition names, and give the digest that you reviewed. The seal and
    every hash are checked first. An archive is written anew with the approval in it; its bundle digest stays.
    """
    from bundler.cli.progress import progress
    from bundler.flow import approve as approving

    believed = read_trust(console, trust)
    password = password_source(console, password_file)
    with progress(wanted=console.progress, quiet=console.quiet, each=console.verbose > 0) as shown:
        review = approving.Review(bundle, believed, console.now, password, shown)
        if attach:
            _refuse_signing()
            result = approving.attach(review, attach)
        else:
            key = _key(console, sealing)
            result = approving.approve(review, key, digest=_digest(digest), detached_to=detached)
    _tell(console, result)


def _refuse_signing() -> None:
    """A key in a variable is no contradiction: where approvals are attached, bundles are built and sealed as well."""
    context = click.get_current_context()
    for name in ("digest", "detached", "seal_key", "seal_pkcs11", "seal_command"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError("--attach signs nothing", do="leave --digest, --detached and the key out")


def _key(console: Console, sealing: SealSettings) -> SigningKey:
    chosen = sealer(console, sealing)
    if chosen is None:
        raise UsageError("no key was given to approve with", do="give `--seal-key FILE` and its certificate")
    return chosen.key


def _digest(given: str | None) -> str:
    from bundler.formats.certificate import parse_fingerprint

    digest = parse_fingerprint(given or "")
    if not digest:
        raise UsageError(
            "the digest of what you reviewed is missing, or is none",
            do="give the bundle digest from the review page with `--digest HEX`",
        )
    return digest


def _tell(console: Console, result: Approved) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> str:
        have = len(result.approved_by)
        lines = [f"{result.written}: {result.name} {result.version} has {have} of {result.required} approvals"]
        lines += [f"  {one.name}  sha256:{one.sha256}" for one in result.approved_by]
        lines.append(f"bundle digest {result.digest}")
        return "\n".join(lines)

    console.emit_result(text, lambda: {"ok": True, **to_tree(result)})
