"""The options for the key that signs a bundle, and the sealer that is made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, option
from bundler.cli.options import FILE, option_group
from bundler.cli.secrets import SecretSource, prompt_once
from bundler.cli.signing_dates import warn_of_end
from bundler.cli.told_warnings import warn
from bundler.errors import UsageError

if TYPE_CHECKING:
    from bundler.signing.signing_key import OpenPgpSigner, Sealer, SigningKey

_SEAL_PASSPHRASE = SecretSource("ARC_BUNDLER_SEAL_PASSPHRASE", "Passphrase of the sealing key")
_PIN = SecretSource("ARC_BUNDLER_SEAL_PASSPHRASE", "PIN of the token")
_OPENPGP_PASSPHRASE = SecretSource("ARC_BUNDLER_OPENPGP_PASSPHRASE", "Passphrase of the OpenPGP key")
FILE_NAME = "the passphrase file"


@dataclass(frozen=True)
class SealSettings:
    """The values of :data:`seal_options`."""

    seal_key: Path | None
    seal_certificate: Path | None
    seal_passphrase_file: Path | None
    seal_pkcs11: str | None
    seal_command: str | None
    seal_timeout: float
    """Seconds."""
    openpgp_key: Path | None
    openpgp_passphrase_file: Path | None


seal_options = option_group(
    "sealing",
    SealSettings,
    option("--openpgp-passphrase-file", type=FILE, section="Signing", help="File with its passphrase."),
    option("--openpgp-key", type=FILE, section="Signing", help="Also sign with OpenPGP, for hosts with gpgv."),
    option(
        "--seal-timeout",
        type=click.FloatRange(min=1),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        section="Signing",
        help="Limit for --seal-command.",
    ),
    option("--seal-command", metavar="COMMAND", section="Signing", help="Program that signs: stdin to stdout."),
    option("--seal-pkcs11", metavar="URI", section="Signing", help="Key in a PKCS #11 token (RFC 7512)."),
    option("--seal-passphrase-file", type=FILE, section="Signing", help="File with its passphrase or PIN."),
    option("--seal-certificate", type=FILE, section="Signing", help="Its certificate and issuers (PEM)."),
    option("--seal-key", type=FILE, section="Signing", help="Key that signs the bundle: PEM or PKCS #12."),
)


def sealer(console: Console, chosen: SealSettings) -> Sealer | None:
    """The sealer that the options choose, ready to sign; None where they choose none.

    Raises:
        UsageError: options contradict each other.
        SigningError: a key or certificate cannot be used now.
    """
    _refuse_contradictions(chosen)
    key = _key(console, chosen)
    if key is None:
        return None
    from bundler.signing.signing_key import Sealer
    from bundler.trust.certificate_policy import require_usable

    require_usable(key.certificates[0], key.certificates[1:], console.now)
    warn_of_end("sealing certificate", key.certificates[0].not_valid_after_utc, console.now)
    return Sealer(key, _openpgp(console, chosen))


def _refuse_contradictions(chosen: SealSettings) -> None:
    ways = {
        "--seal-key": chosen.seal_key,
        "--seal-pkcs11": chosen.seal_pkcs11,
        "--seal-command": chosen.seal_command,
    }
    given = [name for name, value in ways.items() if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are given together: one key signs the bundle", do="give one of them")
    rest = {
        "--seal-certificate": chosen.seal_certificate,
        "--seal-passphrase-file": chosen.seal_passphrase_file,
        "--openpgp-key": chosen.openpgp_key,
    }
    for name, value in rest.items():
        if value and not given:
            raise UsageError(
                f"{name} is given without a signing key",
                do="add `--seal-key FILE`, `--seal-pkcs11 URI` or `--seal-command COMMAND`",
            )
    if chosen.seal_command and not chosen.seal_certificate:
        raise UsageError("--seal-command needs the certificate of its key", do="add `--seal-certificate FILE`")
    if chosen.seal_command and chosen.seal_passphrase_file:
        raise UsageError("--seal-command takes no passphrase", do="leave `--seal-passphrase-file` out")
    if chosen.openpgp_passphrase_file and not chosen.openpgp_key:
        raise UsageError("--openpgp-passphrase-file is given without its key", do="add `--openpgp-key FILE`")


def _key(console: Console, chosen: SealSettings) -> SigningKey | None:
    if chosen.seal_key:
        from bundler.signing import keys

        passphrase = prompt_once(console, chosen.seal_passphrase_file, _SEAL_PASSPHRASE, what=FILE_NAME)
        return keys.read(chosen.seal_key, chosen.seal_certificate, passphrase, warn=warn)
    if chosen.seal_pkcs11:
        return _token(console, chosen, chosen.seal_pkcs11)
    if chosen.seal_command and chosen.seal_certificate:
        from bundler.signing import external_signer

        return external_signer.read(
            chosen.seal_command,
            chosen.seal_certificate,
            environment=console.environment,
            limit=chosen.seal_timeout,
        )
    return None


def _token(console: Console, chosen: SealSettings, address: str) -> SigningKey:
    from bundler.signing import token, token_uri

    uri = token_uri.parse(address)
    pin = prompt_once(console, chosen.seal_passphrase_file or uri.pin_file, _PIN, what=FILE_NAME)
    module = console.environment.get("ARC_BUNDLER_PKCS11_MODULE", "")
    return token.read(uri, chosen.seal_certificate, pin, module=module)


def _openpgp(console: Console, chosen: SealSettings) -> OpenPgpSigner | None:
    if chosen.openpgp_key is None:
        return None
    from bundler.signing import openpgp_signer

    passphrase = prompt_once(console, chosen.openpgp_passphrase_file, _OPENPGP_PASSPHRASE, what=FILE_NAME)
    return openpgp_signer.read(chosen.openpgp_key, passphrase, at=console.now, warn=warn)
