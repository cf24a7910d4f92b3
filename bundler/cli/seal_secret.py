"""`arc-bundler seal-secret`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, example, option
from bundler.cli.options import ProjectSettings, project_options, read_project
from bundler.cli.signing_options import SealSettings, seal_options, sealer
from bundler.errors import UsageError
from bundler.formats.secret_patterns import is_one_line

if TYPE_CHECKING:
    from bundler.flow.project import Project
    from bundler.flow.seal_secret import Enclosed
    from bundler.products.product import SecretKind
    from bundler.signing import ephemeral_recipient
    from bundler.signing.signing_key import SigningKey

_FILE = click.Path(dir_okay=False, path_type=Path)
_RANDOM = 11


@click.command(
    "seal-secret",
    epilog=example(
        "arc-bundler seal-secret --for server.pem --seal-key sealer.key --seal-certificate sealer.pem",
        "arc-bundler seal-secret --passphrase --secret-file secret.txt --seal-key sealer.p12",
    ),
)
@option(
    "-o",
    "--output",
    type=_FILE,
    envvar="ARC_BUNDLER_ENVELOPE",  # ARC_BUNDLER_OUTPUT is the folder that a build writes to
    help="The envelope.  [default: <name>.envelope]",
)
@option(
    "--days", type=click.IntRange(1, 90), default=7, show_default=True, help="Days until no server opens it any more."
)
@option("--modern", is_flag=True, help="Make the passphrase's key with AES-256: for no Windows before 2019.")
@option("--passphrase-out", type=_FILE, help="Write the passphrase into this file, not on the screen.")
@option("--passphrase", "by_passphrase", is_flag=True, help="Make a passphrase that opens it, and a key file for it.")
@option("--for", "recipients", type=_FILE, multiple=True, help="A server's RSA certificate. May be repeated.")
@option(
    "--secret-file",
    type=_FILE,
    help="File with the secret or token (one line), or the certificate with its key; otherwise ARC_BUNDLER_SECRET, "
    "or a prompt.",
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
    """Put the secret that the servers need into an envelope, for their certificates or for a passphrase.

    It is signed with the bundle's sealing key, names the bundle of the definition, and ends. It travels beside the
    bundle: the scripts open it with --envelope (-Envelope), use it once and keep nothing.
    """
    import secrets

    from bundler.flow import seal_secret
    from bundler.signing.envelope import EnvelopePayload

    if not recipients and not by_passphrase:
        raise UsageError("nobody could open the envelope", do="give `--for CERTIFICATE`, or `--passphrase`")
    if by_passphrase and not (passphrase_out or _is_seen(console)):
        raise UsageError(
            "the passphrase would be written where others read it",
            do="give `--passphrase-out FILE`: on a terminal alone it is shown",
        )
    project = read_project(console, chosen)
    kind = _kind(project)
    letter = EnvelopePayload(
        bundle=project.definition.name,
        kind=kind,
        expires=seal_secret.expiry(console.now, days),
        secret=_secret(console, secret_file, kind),
    )
    passphrase = None
    if by_passphrase:
        strength: ephemeral_recipient.Strength = "modern" if modern else "compatible"
        passphrase = seal_secret.Passphrase(secrets.token_bytes(_RANDOM), strength, passphrase_out)
    enclosed, words = seal_secret.enclose(
        letter,
        [seal_secret.recipient(path) for path in recipients],
        _key(console, sealing, project),
        output or Path(f"{letter.bundle}.envelope"),
        at=console.now,
        passphrase=passphrase,
    )
    _tell(console, enclosed, "" if passphrase_out else words)


def _is_seen(console: Console) -> bool:
    """Whether what is told is on a terminal, and nowhere else."""
    return sys.stdout.isatty() and not console.json and not console.quiet


def _kind(project: Project) -> SecretKind:
    kind = project.product.secret_kind(project.definition)
    if kind is None:
        raise UsageError(
            "the servers of this definition need no secret that could be sent",
            do="give the definition of a bundle whose servers sign in with a secret, a token or a certificate",
        )
    return kind


def _secret(console: Console, secret_file: Path | None, kind: SecretKind) -> bytes:
    from bundler.cli.secrets import content, secret

    if kind == "certificate":
        if secret_file is None:
            raise UsageError("the certificate with its key is missing", do="give it with `--secret-file FILE`")
        return content(secret_file, "the secret's file")
    text = secret(console, secret_file)
    if not text and sys.stdin.isatty():
        text = click.prompt("The secret", hide_input=True, err=True)
    if not is_one_line(text):
        raise UsageError(
            "the secret is empty, or is more than one line of text",
            do="give it with `--secret-file FILE`, in ARC_BUNDLER_SECRET, or at the prompt of a terminal",
        )
    return text.encode()


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


def _tell(console: Console, enclosed: Enclosed, words: str) -> None:
    from bundler.formats.json_codec import to_tree

    def text() -> str:
        until = f"{enclosed.expires:%Y-%m-%d %H:%M} UTC"
        lines = [f"{enclosed.envelope}: the {enclosed.kind} for {enclosed.bundle}, until {until}"]
        lines += [f"  for sha256:{fingerprint}" for fingerprint in enclosed.recipients]
        if enclosed.key_file:
            lines.append(f"carry {enclosed.key_file} beside it")
        if words:
            lines += ["passphrase, for another way than the two files; it is shown this once:", f"  {words}"]
        lines.append(f"on the server: install.sh --envelope {Path(enclosed.envelope).name} (install.ps1 -Envelope …)")
        return "\n".join(lines)

    console.emit_result(text, lambda: {"ok": True, **to_tree(enclosed)})
