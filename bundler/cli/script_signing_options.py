"""The flags that say who signs the PowerShell scripts, for servers that run no others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, option
from bundler.cli.options import option_group
from bundler.cli.signing_options import SecretSource, prompt_once, warn
from bundler.errors import UsageError

if TYPE_CHECKING:
    from bundler.signing.signing_key import Sealer, SigningKey

_FILE = click.Path(dir_okay=False, path_type=Path)
_PASSPHRASE = SecretSource("ARC_BUNDLER_SCRIPT_PASSPHRASE", "Passphrase of the key that signs scripts")


@dataclass(frozen=True)
class ScriptSettings:
    """What ``script_options`` collected: which key signs the scripts."""

    sign_scripts: bool
    script_key: Path | None
    script_certificate: Path | None
    script_passphrase_file: Path | None


script_options = option_group(
    "signing",
    ScriptSettings,
    option(
        "--script-passphrase-file",
        type=_FILE,
        help="File with the passphrase of --script-key; otherwise ARC_BUNDLER_SCRIPT_PASSPHRASE, or a prompt.",
    ),
    option(
        "--script-certificate",
        type=_FILE,
        help="The certificate of --script-key in PEM, with those of its issuers, in any order.",
    ),
    option(
        "--script-key",
        type=_FILE,
        help="Sign the PowerShell scripts with this key: PEM, or PKCS #12 with its certificate.",
    ),
    option(
        "--sign-scripts",
        is_flag=True,
        help="Sign the PowerShell scripts (Authenticode, for AllSigned) with the key that seals.",
    ),
)


def script_key(console: Console, chosen: ScriptSettings, sealer: Sealer | None) -> SigningKey | None:
    """The key that signs the scripts; None where none was chosen.

    Raises :class:`UsageError` for flags that contradict each other, :class:`SigningError` for the rest.
    """
    _refuse_contradictions(chosen)
    if chosen.sign_scripts:
        if sealer is None:
            raise UsageError(
                "--sign-scripts signs with the key that seals, and there is none",
                do="add `--seal-key FILE`, `--seal-pkcs11 URI` or `--seal-command COMMAND`; or `--script-key FILE`",
            )
        return sealer.key
    if chosen.script_key is None:
        return None
    from bundler.signing import keys

    passphrase = prompt_once(console, chosen.script_passphrase_file, _PASSPHRASE)
    return keys.read(chosen.script_key, chosen.script_certificate, passphrase, warn=warn, purpose="script")


def _refuse_contradictions(chosen: ScriptSettings) -> None:
    if chosen.sign_scripts and chosen.script_key:
        raise UsageError("--sign-scripts and --script-key are given together: one key signs", do="give one of them")
    rest = {
        "--script-certificate": chosen.script_certificate,
        "--script-passphrase-file": chosen.script_passphrase_file,
    }
    for name, value in rest.items():
        if value and not chosen.script_key:
            raise UsageError(f"{name} is given, and no key that it belongs to", do="add `--script-key FILE`")
