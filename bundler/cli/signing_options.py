"""The flags that say who seals, and the keys that follow from them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, option
from bundler.cli.options import option_group
from bundler.cli.secrets import line
from bundler.errors import UsageError

if TYPE_CHECKING:
    from bundler.signing.signing_key import OpenPgpSigner, Sealer, SigningKey

_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class SealSettings:
    """What ``seal_options`` collected: where the key is, and what opens it."""

    seal_key: Path | None
    seal_certificate: Path | None
    seal_passphrase_file: Path | None
    seal_pkcs11: str | None
    seal_command: str | None
    seal_timeout: float
    openpgp_key: Path | None
    openpgp_passphrase_file: Path | None


seal_options = option_group(
    "sealing",
    SealSettings,
    option(
        "--openpgp-passphrase-file",
        type=_FILE,
        help="File with the passphrase of --openpgp-key; otherwise ARC_BUNDLER_OPENPGP_PASSPHRASE, or a prompt.",
    ),
    option(
        "--openpgp-key",
        type=_FILE,
        help="Sign with this OpenPGP secret key as well, for hosts that have gpgv and no openssl.",
    ),
    option(
        "--seal-timeout",
        type=click.FloatRange(min=1),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="Give --seal-command up after this long.",
    ),
    option(
        "--seal-command",
        metavar="COMMAND",
        help="Sign with this program: the file on its standard input, the signature on its standard output.",
    ),
    option(
        "--seal-pkcs11",
        metavar="URI",
        help="Sign with a key in a PKCS #11 token: pkcs11:token=...;object=...?module-path=... (RFC 7512).",
    ),
    option(
        "--seal-passphrase-file",
        type=_FILE,
        help="File with the passphrase of --seal-key, or the PIN of --seal-pkcs11; otherwise "
        "ARC_BUNDLER_SEAL_PASSPHRASE, or a prompt.",
    ),
    option(
        "--seal-certificate",
        type=_FILE,
        help="The key's certificate in PEM, with those of its issuers, in any order.",
    ),
    option("--seal-key", type=_FILE, help="Sign with this key: PEM, or PKCS #12 with its certificate."),
)


def sealer(console: Console, chosen: SealSettings) -> Sealer | None:
    """The keys that were chosen, ready to sign and fit to seal now; None where none was.

    Raises :class:`UsageError` for flags that contradict each other, :class:`SigningError` for the rest.
    """
    _refuse_contradictions(chosen)
    key = _key(console, chosen)
    if key is None:
        return None
    from bundler.signing.signing_key import Sealer
    from bundler.trust.certificate_policy import require_usable

    require_usable(key.certificates[0], key.certificates[1:], console.now)
    return Sealer(key, _openpgp(console, chosen))


def _refuse_contradictions(chosen: SealSettings) -> None:
    ways = {
        "--seal-key": chosen.seal_key,
        "--seal-pkcs11": chosen.seal_pkcs11,
        "--seal-command": chosen.seal_command,
    }
    given = [name for name, value in ways.items() if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are given together: one key seals", do="give one of them")
    rest = {
        "--seal-certificate": chosen.seal_certificate,
        "--seal-passphrase-file": chosen.seal_passphrase_file,
        "--openpgp-key": chosen.openpgp_key,
    }
    for name, value in rest.items():
        if value and not given:
            raise UsageError(
                f"{name} is given, and no key that seals",
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

        passphrase = prompt_once(console, chosen.seal_passphrase_file, _SEAL_PASSPHRASE)
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
    pin = prompt_once(console, chosen.seal_passphrase_file or uri.pin_file, _PIN)
    module = console.environment.get("ARC_BUNDLER_PKCS11_MODULE", "")
    return token.read(uri, chosen.seal_certificate, pin, module=module)


def _openpgp(console: Console, chosen: SealSettings) -> OpenPgpSigner | None:
    if chosen.openpgp_key is None:
        return None
    from bundler.signing import openpgp_signer

    passphrase = prompt_once(console, chosen.openpgp_passphrase_file, _OPENPGP_PASSPHRASE)
    return openpgp_signer.read(chosen.openpgp_key, passphrase, at=console.now, warn=warn)


def warn(sentence: str) -> None:
    """Say what is not wrong but should be known of a key."""
    click.echo(f"warning: {sentence}", err=True)


@dataclass(frozen=True)
class SecretSource:
    """Something to be asked for."""

    variable: str
    prompt: str


_SEAL_PASSPHRASE = SecretSource("ARC_BUNDLER_SEAL_PASSPHRASE", "Passphrase of the sealing key")
_PIN = SecretSource("ARC_BUNDLER_SEAL_PASSPHRASE", "PIN of the token")
_OPENPGP_PASSPHRASE = SecretSource("ARC_BUNDLER_OPENPGP_PASSPHRASE", "Passphrase of the OpenPGP key")


def prompt_once(console: Console, place: Path | None, secret: SecretSource) -> Callable[[], str]:
    """Where a secret comes from: its file, its variable, or a prompt; asked when it is needed, and once.

    What it returns gives the empty text where nobody has the secret, and raises :class:`UsageError` for a file that
    cannot be read.
    """
    held: list[str] = []

    def ask() -> str:
        if not held:
            held.append(_asked(console, place, secret))
        return held[0]

    return ask


def _asked(console: Console, place: Path | None, secret: SecretSource) -> str:
    if place:
        return line(place, "the passphrase file")
    text = console.environment.get(secret.variable, "")
    if not text and sys.stdin.isatty():
        text = click.prompt(secret.prompt, hide_input=True, err=True, default="", show_default=False)
    return text
