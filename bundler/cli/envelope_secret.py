"""Reads the secret of an envelope, and checks whether the servers can use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bundler.cli import told_warnings
from bundler.cli.console import Console
from bundler.cli.secrets import SecretSource, content, read
from bundler.errors import UsageError
from bundler.formats.secret_patterns import is_one_line

if TYPE_CHECKING:
    from bundler.products.product import SecretKind
    from bundler.signing.envelope import EnvelopePayload


def read_secret(console: Console, secret_file: Path | None, kind: SecretKind) -> bytes:
    """The secret as it is sealed. Raises UsageError where there is none, or it is not one line."""
    if kind == "certificate":
        if secret_file is None:
            raise UsageError("the certificate with its key is missing", do="give it with `--secret-file FILE`")
        return content(secret_file, "the secret's file")
    source = SecretSource("ARC_BUNDLER_SECRET", "The secret")
    text = read(console, secret_file, source, what="the secret's file")
    if not is_one_line(text):
        raise UsageError(
            "the secret is empty, or is more than one line of text",
            do="give it with `--secret-file FILE`, in ARC_BUNDLER_SECRET, or at the prompt of a terminal",
        )
    return text.encode()


def check(payload: EnvelopePayload, console: Console, *, lab: bool) -> None:
    """Warn of how long a token is valid. Raises UsageError for a secret that cannot be used now."""
    from bundler.flow import token_policy

    for text in token_policy.require_usable(payload, at=console.now, lab=lab):
        told_warnings.warn(text)
