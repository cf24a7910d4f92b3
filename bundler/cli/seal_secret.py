"""The command ``seal-secret``: encrypts the servers' secret in an envelope."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, define_command, option
from bundler.cli.options import FILE, ProjectSettings, project_options, read_project
from bundler.cli.signing_dates import warn_of_longer_use
from bundler.cli.signing_options import SealSettings, seal_options, sealer
from bundler.errors import UsageError
from bundler.formats import shell_words

if TYPE_CHECKING:
    from bundler.flow.project import Project
    from bundler.flow.seal_secret import SealedSecret
    from bundler.products.product import SecretKind
    from bundler.signing import ephemeral_recipient
    from bundler.signing.signing_key import SigningKey

_RANDOM = 11
"""Bytes of a passphrase, before its checksum."""


@define_command(
    "seal-secret",
    "arc-bundler seal-secret --for server.pem --seal-key sealer.p12",
    "arc-bundler seal-secret --with-passphrase --secret-file secret.txt \\",
    "    --seal-key sealer.p12",
)
@option(
    "-o",
    "--output",
    type=FILE,
    envvar="ARC_BUNDLER_ENVELOPE",  # ARC_BUNDLER_OUTPUT is the folder that a build writes to
    section="Output",
    help="The envelope (ARC_BUNDLER_ENVELOPE).  [default: <name>.envelope]",
)
@option(
    "--days",
    type=click.IntRange(1, 90),
    default=7,
    show_default=True,
    metavar="DAYS",
    section="Output",
    help="Lifetime.",
)
@option("--modern", is_flag=True, section="Output", help="AES-256 key file; not readable before Windows Server 2019.")
@option("--passphrase-out", type=FILE, section="Output", help="Write the passphrase to this file, not the screen.")
@option(
    "--with-passphrase",
    "by_passphrase",
    is_flag=True,
    was="--passphrase",
    section="Output",
    help="Create a passphrase and its key file.",
)
@option(
    "--for", "recipients", type=FILE, multiple=True, section="Output", help="A server's certificate (RSA). Repeatable."
)
@option(
    "--secret-file",
    type=FILE,
    section="Definition",
    help="The secret or token (one line), or certificate with key.",
)
@seal_options
@project_options
@common
def command(
    console: Console,
    *,
    chosen: ProjectSettings,
    sealing: SealSettings,
    secret_file: Path | None,
    recipients: tuple[Path, ...],
    by_passphrase: bool,
    passphrase_out: Path | None,
    modern: bool,
    days: int,
    output: Path | None,
) -> None:
    """Encrypt the servers' secret in an envelope, for their certificates or for a passphrase.

    The envelope is signed with the bundle's sealing key, is for the definition's bundle only, and expires. Deliver it
    apart from the bundle: the scripts open it with --envelope (-Envelope), use it once and do not keep it.
    """
    import secrets

    from bundler.cli import envelope_secret
    from bundler.flow import seal_secret
    from bundler.signing.envelope import EnvelopePayload

    if not recipients and not by_passphrase:
        raise UsageError("the envelope has no recipient", do="give `--for CERTIFICATE`, or `--with-passphrase`")
    if by_passphrase and not (passphrase_out or _is_seen(console)):
        raise UsageError(
            "the passphrase would be written to output that others can read",
            do="give `--passphrase-out FILE`: it is shown on a terminal only",
        )
    project = read_project(console, chosen)
    kind = _kind(project)
    letter = EnvelopePayload(
        bundle=project.definition.name,
        kind=kind,
        expires=seal_secret.expiry(console.now, days),
        secret=envelope_secret.read_secret(console, secret_file, kind),
    )
    envelope_secret.check(letter, console, lab=project.anchors.lab)
    passphrase = None
    if by_passphrase:
        strength: ephemeral_recipient.Strength = "modern" if modern else "compatible"
        passphrase = seal_secret.Passphrase(secrets.token_bytes(_RANDOM), strength, passphrase_out)
    key = _key(console, sealing, project)
    ends = key.certificates[0].not_valid_after_utc
    warn_of_longer_use("sealing certificate", ends, "the envelope does", letter.expires)
    enclosed, words = seal_secret.seal_secret(
        letter,
        [seal_secret.recipient(path) for path in recipients],
        key,
        output or Path(f"{letter.bundle}.envelope"),
        at=console.now,
        passphrase=passphrase,
    )
    _report(console, enclosed, "" if passphrase_out else words)


def _is_seen(console: Console) -> bool:
    """Whether the result goes to a terminal, and nowhere else."""
    return sys.stdout.isatty() and not console.json and not console.quiet


def _kind(project: Project) -> SecretKind:
    kind = project.product.secret_kind(project.definition)
    if kind is None:
        raise UsageError(
            "the servers of this definition need no secret",
            do="give the definition of a bundle with servers that sign in with a secret, a token or a certificate",
        )
    return kind


def _key(console: Console, sealing: SealSettings, project: Project) -> SigningKey:
    from bundler.flow.build.seal_policy import require_sealer

    chosen = sealer(console, sealing)
    if chosen is None:
        raise UsageError(
            "an envelope is signed with the bundle's sealing key, and none was given",
            do="give `--seal-key FILE`, `--seal-pkcs11 URI` or `--seal-command COMMAND`",
        )
    require_sealer(project, chosen, console.now)  # the scripts open what the bundle's sealer signed
    return chosen.key


def _report(console: Console, enclosed: SealedSecret, words: str) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> list[str]:
        until = f"{enclosed.expires:%Y-%m-%d %H:%M} UTC"
        lines = [f"{enclosed.envelope}: the {enclosed.kind} for {enclosed.bundle}, until {until}"]
        lines += [f"  for sha256:{fingerprint}" for fingerprint in enclosed.recipients]
        if enclosed.key_file:
            lines.append(f"deliver {enclosed.key_file} together with it")
        if words:
            lines += [
                "passphrase, shown once; send it through a separate channel, not with the two files:",
                f"  {words}",
            ]
        name = Path(enclosed.envelope).name
        lines.append(f"on a Linux server: bash install.sh --envelope {shell_words.posix(name)}")
        lines.append(f"on a Windows server: .\\install.ps1 -Envelope {shell_words.powershell(name)}")
        return lines

    console.emit_result(text, lambda: {"ok": True, **to_tree(enclosed)})
