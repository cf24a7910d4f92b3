"""Put a secret into an envelope for the servers of one bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from bundler.errors import UsageError, WriteError
from bundler.formats import certificate
from bundler.formats.parse_error import ParseError
from bundler.model.frozen import frozen
from bundler.pack.staging import write_file
from bundler.signing import ephemeral_recipient
from bundler.signing.envelope import EnvelopePayload, Kind, encrypt, require_recipient
from bundler.signing.signing_key import SigningKey


@frozen
class Enclosed:
    """An envelope that was written."""

    envelope: str
    key_file: str = ""
    """The one-time key beside it, where a passphrase opens it."""
    bundle: str
    kind: Kind
    expires: datetime
    recipients: tuple[str, ...]
    """Fingerprints (SHA-256)."""


@dataclass(frozen=True)
class Passphrase:
    """That the envelope is to be opened by a passphrase, and what it is made of."""

    random: bytes = field(repr=False)
    """11 bytes."""
    strength: ephemeral_recipient.Strength = "compatible"
    out: Path | None = None
    """Where the words are written; None leaves them to whoever asked."""


def enclose(
    letter: EnvelopePayload,
    recipients: Sequence[x509.Certificate],
    key: SigningKey,
    out: Path,
    *,
    at: datetime,
    passphrase: Passphrase | None,
) -> tuple[Enclosed, str]:
    """Write the envelope to ``out``, and the one-time key to ``out`` with ``.p12`` behind; give the passphrase too.

    The envelope comes last: where it is, everything is that opens it. Raises SigningError for a key or a recipient that
    will not do, WriteError where something is there already.
    """
    for recipient in recipients:
        require_recipient(recipient, at=at, until=letter.expires)
    beside = out.with_name(f"{out.name}.p12")
    words = passphrase.out if passphrase else None
    _require_new([out, *([beside] if passphrase else []), *([words] if words else [])])
    made = _one_time(letter, passphrase, at)
    everybody = (*recipients, *([made.certificate] if made else []))
    document = encrypt(letter, everybody, key)
    if made:
        write_file(beside, made.pkcs12, private=True)
        if words:
            write_file(words, f"{made.passphrase}\n".encode(), private=True)
    write_file(out, document)
    enclosed = Enclosed(
        envelope=out.as_posix(),
        key_file=beside.as_posix() if made else "",
        bundle=letter.bundle,
        kind=letter.kind,
        expires=letter.expires,
        recipients=tuple(map(certificate.fingerprint, everybody)),
    )
    return enclosed, made.passphrase if made else ""


def _require_new(paths: Sequence[Path]) -> None:
    """Before anything is made: a passphrase that cannot be written is lost."""
    for position, path in enumerate(paths):
        if path.exists():
            raise WriteError(f"{path} is already there", do="take it away, or name another file")
        if path.resolve() in [other.resolve() for other in paths[:position]]:
            raise WriteError(f"{path} is named for two things", do="name a file of its own for each")


def _one_time(
    letter: EnvelopePayload, passphrase: Passphrase | None, at: datetime
) -> ephemeral_recipient.EphemeralRecipient | None:
    if passphrase is None:
        return None
    return ephemeral_recipient.make(
        letter.bundle, random=passphrase.random, at=at, until=letter.expires, strength=passphrase.strength
    )


def recipient(path: Path) -> x509.Certificate:
    """The certificate of a server, or of servers, in the file at ``path``. Raises UsageError."""
    try:
        with path.open("rb") as file:
            found = certificate.read(file.read(certificate.LARGEST + 1))
    except OSError as error:
        raise UsageError(
            f"the recipient's file {path} cannot be read: {error.strerror or error}",
            do="give the path of a file that you may read",
        ) from error
    except ParseError as fault:
        raise UsageError(f"the recipient's file {path} {fault}", do="give one certificate, PEM or DER") from fault
    return certificate.loaded(found.der)


def expiry(at: datetime, days: int) -> datetime:
    """When an envelope ends that is closed ``at`` this moment and is good for ``days``."""
    return at.replace(microsecond=0) + timedelta(days=days)
