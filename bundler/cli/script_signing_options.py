"""The options for the key that signs the PowerShell scripts, for servers that run signed scripts only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.cli.console import Console, option
from bundler.cli.options import FILE, option_group
from bundler.cli.secrets import SecretSource, prompt_once
from bundler.cli.signing_dates import warn_of_end
from bundler.cli.signing_options import FILE_NAME
from bundler.cli.told_warnings import warn
from bundler.errors import UsageError

if TYPE_CHECKING:
    from bundler.signing.signing_key import Sealer, SigningKey

_PASSPHRASE = SecretSource("ARC_BUNDLER_SCRIPT_PASSPHRASE", "Passphrase of the key that signs scripts")


@dataclass(frozen=True)
class ScriptSettings:
    """The values of :data:`script_options`."""

    sign_scripts: bool
    script_key: Path | None
    script_certificate: Path | None
    script_passphrase_file: Path | None


script_options = option_group(
    "signing",
    ScriptSettings,
    option("--script-passphrase-file", type=FILE, section="Signing", help="File with its passphrase."),
    option("--script-certificate", type=FILE, section="Signing", help="Its certificate and issuers (PEM)."),
    option("--script-key", type=FILE, section="Signing", help="Sign PowerShell scripts with this key."),
    option("--sign-scripts", is_flag=True, section="Signing", help="Sign PowerShell scripts with the seal's key."),
)


def script_key(console: Console, chosen: ScriptSettings, sealer: Sealer | None) -> SigningKey | None:
    """The key that the options choose for the scripts; None where they choose none.

    Args:
        console: for a prompt and warnings.
        chosen: the options.
        sealer: signs the bundle, and with ``--sign-scripts`` the scripts.

    Raises:
        UsageError: options contradict each other.
        SigningError: the key or its certificate cannot be used.
    """
    _refuse_contradictions(chosen)
    if chosen.sign_scripts:
        if sealer is None:
            raise UsageError(
                "--sign-scripts needs the key that signs the bundle, but none was given",
                do="add `--seal-key FILE`, `--seal-pkcs11 URI` or `--seal-command COMMAND`; or `--script-key FILE`",
            )
        return sealer.key
    if chosen.script_key is None:
        return None
    from bundler.signing import keys

    passphrase = prompt_once(console, chosen.script_passphrase_file, _PASSPHRASE, what=FILE_NAME)
    key = keys.read(chosen.script_key, chosen.script_certificate, passphrase, warn=warn, purpose="script")
    warn_of_end("certificate of the scripts' key", key.certificates[0].not_valid_after_utc, console.now)
    return key


def _refuse_contradictions(chosen: ScriptSettings) -> None:
    if chosen.sign_scripts and chosen.script_key:
        raise UsageError("--sign-scripts and --script-key are given together: one key signs", do="give one of them")
    rest = {
        "--script-certificate": chosen.script_certificate,
        "--script-passphrase-file": chosen.script_passphrase_file,
    }
    for name, value in rest.items():
        if value and not chosen.script_key:
            raise UsageError(f"{name} is given without its key", do="add `--script-key FILE`")
