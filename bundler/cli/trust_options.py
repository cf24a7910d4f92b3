"""The options for the signers that are trusted, and the trust policy that is made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli import told_warnings
from bundler.cli.console import Console, option
from bundler.cli.options import FILE, option_group

if TYPE_CHECKING:
    from bundler.trust.verify_seal import TrustPolicy


@dataclass(frozen=True)
class TrustSettings:
    """The values of :data:`trust_options`."""

    signer: tuple[str, ...]
    signers_of: Path | None
    revocation_list: tuple[Path, ...]
    insecure_no_seal: bool


class _Signers(click.types.StringParamType):
    """A fingerprint in digits or words, or a file; a variable holds one a line, or fingerprints side by side.

    click would split a variable at every blank. The scripts on a server read the same variable and do not.
    """

    name = "signer"

    def split_envvar_value(self, rv: str) -> tuple[str, ...]:
        """The signers that the variable's text names."""
        from bundler.formats.certificate import parse_fingerprint
        from bundler.formats.fingerprint_words import is_mnemonic

        if is_mnemonic(rv):
            return (rv,)
        lines = [line.strip() for line in rv.splitlines()]
        parted = (line.split() if all(map(parse_fingerprint, line.split())) else [line] for line in lines)
        return tuple(one for line in parted for one in line)


trust_options = option_group(
    "trust",
    TrustSettings,
    option(
        "--insecure-no-seal",
        is_flag=True,
        section="Trust",
        help="Do not verify the signature: hashes alone do not show who made the bundle.",
    ),
    option(
        "--revocation-list",
        type=FILE,
        multiple=True,
        section="Trust",
        help="Certificate revocation list (PEM or DER) of an issuer of signers. Repeatable.",
    ),
    option(
        "-d",
        "--definition",
        "signers_of",
        type=FILE,
        section="Trust",
        help="Trust this definition's seal.signers, and require its approvers.",
    ),
    option(
        "--signer",
        type=_Signers(),
        multiple=True,
        metavar="sha256:HEX|WORDS|FILE",
        section="Trust",
        help="Trust this signer: SHA-256 fingerprint, in digits or 24 words, or certificate file. Repeatable.",
    ),
)


def read_trust(console: Console, chosen: TrustSettings) -> TrustPolicy | None:
    """The trust policy that the options choose; None with ``--insecure-no-seal``, which shows a warning.

    Raises:
        UsageError: options contradict each other, or a signer cannot be read.
    """
    from bundler.errors import UsageError
    from bundler.flow.signer_policy import read

    if not chosen.insecure_no_seal:
        return read(
            chosen.signer,
            definition=chosen.signers_of,
            revocation_lists=chosen.revocation_list,
            today=console.now.date(),
        )
    if chosen.signer or chosen.signers_of or chosen.revocation_list:
        raise UsageError(
            "--insecure-no-seal cannot be combined with --signer, --definition or --revocation-list",
            do="omit one of the two, or unset ARC_BUNDLER_SIGNER, ARC_BUNDLER_DEFINITION and "
            "ARC_BUNDLER_REVOCATION_LIST",
        )
    told_warnings.warn("--insecure-no-seal: the signature is not verified, so anyone may have made this bundle")
    return None
