"""Encrypts a secret in an envelope for the servers of one bundle."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from bundler.errors import UsageError, WriteError
from bundler.formats import certificate
from bundler.formats.parse_error import ParseError
from bundler.model.frozen import frozen
from bundler.pack.staging import written
from bundler.signing import ephemeral_recipient
from bundler.signing.envelope import EnvelopePayload, Kind, encrypt, require_recipient
from bundler.signing.signing_key import SigningKey


@frozen
class SealedSecret:
    """A written envelope."""

    envelope: str
    key_file: str = ""
    """The one-time key file beside it; empty where no passphrase opens the envelope."""
    bundle: str
    kind: Kind
    expires: datetime
    recipients: tuple[str, ...]
    """SHA-256 fingerprints of the recipients' certificates."""


@dataclass(frozen=True)
class Passphrase:
    """How to make a passphrase that opens the envelope."""

    random: bytes = field(repr=False)
    """11 bytes."""
    strength: ephemeral_recipient.Strength = "compatible"
    out: Path | None = None
    """File for the words; None returns them to the caller."""


def seal_secret(
    payload: EnvelopePayload,
    recipients: Sequence[x509.Certificate],
    key: SigningKey,
    out: Path,
    *,
    at: datetime,
    passphrase: Passphrase | None,
) -> tuple[SealedSecret, str]:
    """Write the envelope to ``out``, and with a passphrase its one-time key to ``out`` + ``.p12``.

    The envelope is written last: where it exists, everything that opens it exists.

    Args:
        payload: The secret and the bundle that it is for.
        recipients: Certificates of servers that can open it.
        key: The sealer's, which signs the envelope.
        out: The envelope's file.
        at: Time of sealing.
        passphrase: Also make a one-time recipient with a passphrase.

    Returns:
        What was written, and the passphrase; empty without one.

    Raises:
        SigningError: the key or a recipient cannot be used.
        WriteError: a file exists already.

    """
    for recipient in recipients:
        require_recipient(recipient, at=at, until=payload.expires)
    key_file = out.with_name(f"{out.name}.p12")
    words = passphrase.out if passphrase else None
    _require_new([out, *([key_file] if passphrase else []), *([words] if words else [])])
    made = (
        ephemeral_recipient.make(
            payload.bundle, random=passphrase.random, at=at, until=payload.expires, strength=passphrase.strength
        )
        if passphrase
        else None
    )
    all_recipients = (*recipients, *([made.certificate] if made else []))
    files = [_File(out, encrypt(payload, all_recipients, key))]
    if made and words:
        files.append(_File(words, f"{made.passphrase}\n".encode(), private=True))
    if made:
        files.append(_File(key_file, made.pkcs12, private=True))
    _write_all(files)
    sealed = SealedSecret(
        envelope=out.as_posix(),
        key_file=key_file.as_posix() if made else "",
        bundle=payload.bundle,
        kind=payload.kind,
        expires=payload.expires,
        recipients=tuple(map(certificate.fingerprint, all_recipients)),
    )
    return sealed, made.passphrase if made else ""


@dataclass(frozen=True)
class _File:
    path: Path
    content: bytes = field(repr=False)
    private: bool = False


def _write_all(files: Sequence[_File]) -> None:
    """Write all or none; the first one gets its name last. What is interrupted leaves nothing. Raises WriteError."""
    try:
        with ExitStack() as stack:
            for file in files:
                stack.enter_context(written(file.path, file.content, private=file.private))
    except BaseException:
        # None of them was there before.
        for file in files:
            with suppress(OSError):
                file.path.unlink(missing_ok=True)
        raise


def _require_new(paths: Sequence[Path]) -> None:
    """Raise WriteError for an existing or repeated path, before anything is made: an unwritten passphrase is lost."""
    for position, path in enumerate(paths):
        if path.exists():
            raise WriteError(f"{path} already exists", do="remove it, or name another file")
        if path.resolve() in [other.resolve() for other in paths[:position]]:
            raise WriteError(f"{path} is named for two outputs", do="name a different file for each")


def recipient(path: Path) -> x509.Certificate:
    """The certificate in the file at ``path``, of one or several servers. Raises UsageError."""
    try:
        with path.open("rb") as file:
            found = certificate.read(file.read(certificate.LARGEST + 1))
    except OSError as error:
        raise UsageError(
            f"the recipient's file {path} cannot be read: {error.strerror or error}",
            do="give the path of a readable file",
        ) from error
    except ParseError as fault:
        raise UsageError(f"the recipient's file {path} {fault}", do="give one certificate in PEM or DER") from fault
    return certificate.loaded(found.der)


def expiry(at: datetime, days: int) -> datetime:
    """The end of an envelope that is sealed ``at`` this time and valid for ``days``."""
    return at.replace(microsecond=0) + timedelta(days=days)
