"""The flags that say whose seal is believed, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, option
from bundler.cli.options import option_group

if TYPE_CHECKING:
    from bundler.trust.verify_seal import TrustPolicy

_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class TrustSettings:
    """What ``trust_options`` collected: whom to believe, and who was revoked."""

    signer: tuple[str, ...]
    signers_of: Path | None
    revocation_list: tuple[Path, ...]
    insecure_no_seal: bool


class _Signers(click.types.StringParamType):
    """A fingerprint in digits or words, or a file; of a variable, one a line, or fingerprints side by side.

    click would part a variable at every blank, and the scripts on a server, which read the same one, do not.
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
        help="Ask for no seal: hashes say what changed on the way, and not who made it.",
    ),
    option(
        "--revocation-list",
        type=_FILE,
        multiple=True,
        help="A revocation list (PEM or DER) of the issuer of sealers or approvers. May be repeated.",
    ),
    option(
        "-d",
        "--definition",
        "signers_of",
        type=_FILE,
        help="Believe this definition's seal.signers, and demand its approvers.",
    ),
    option(
        "--signer",
        type=_Signers(),
        multiple=True,
        metavar="sha256:HEX|WORDS|FILE",
        help="Believe a seal by this certificate: its SHA-256 fingerprint in digits or its 24 words, or its file. "
        "May be repeated.",
    ),
)


def read_trust(console: Console, chosen: TrustSettings) -> TrustPolicy | None:
    """Whom to believe; None where no seal is asked for, which is said."""
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
            "--insecure-no-seal asks for no seal, and it was said whose is believed",
            do="leave one of the two away; ARC_BUNDLER_SIGNER, ARC_BUNDLER_DEFINITION and ARC_BUNDLER_REVOCATION_LIST "
            "say it, too",
        )
    console.info("--insecure-no-seal: nobody checks who made this bundle")
    return None
