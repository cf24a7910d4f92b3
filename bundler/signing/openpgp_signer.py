"""Signs with an OpenPGP key, in addition to the sealing key.

Sequoia signs (``docs/decisions/0002-openpgp-by-sequoia.md``). It puts the time and a salt into each signature, so no
two have the same bytes: ``.asc`` files are the only part of a seal that differs from build to build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pysequoia
from pysequoia.packet import PacketPile, Tag

from bundler.errors import BundlerError, SigningError
from bundler.signing.certificates import content_of, sniff
from bundler.signing.keys import Passphrase, require_passphrase, warn_permissions

_SECRETS = (Tag.SecretKey, Tag.SecretSubkey)
_ENCRYPTED = "secret key material is encrypted"
"""The text by which Sequoia's error says that a passphrase is needed; it has no other sign."""


@dataclass(frozen=True)
class _Signer:
    certificate: bytes
    fingerprint: str
    signer: Any
    place: Path

    def sign(self, content: bytes) -> bytes:
        with _library(f"the OpenPGP key {self.place} failed to sign"):
            made = pysequoia.sign(self.signer, content, mode=pysequoia.SignatureMode.DETACHED)
        with _library("the OpenPGP signature that was made does not verify"):
            public = pysequoia.Cert.from_bytes(self.certificate)
            found = pysequoia.verify(content, lambda _: [public], signature=pysequoia.Sig.from_bytes(made))
            if [valid.certificate.upper() for valid in found.valid_sigs] != [self.fingerprint]:
                raise SigningError("the OpenPGP signature was made by another key", do="sign with another key")
        return bytes(made)


def read(place: Path, passphrase: Passphrase, *, at: datetime, warn: Callable[[str], None]) -> _Signer:
    """Read a secret OpenPGP key.

    Args:
        place: the file, armored or not.
        passphrase: called if the key is encrypted.
        at: the time at which the key must be able to sign, with zone.
        warn: called with a warning about the file's permissions.

    Raises:
        SigningError: the key is revoked, expired or weak, of version 6 (which ``gpgv`` does not read), or the file
            holds something else.
    """
    content = content_of(place, "OpenPGP key")
    secret = _secret(content, place)
    warn_permissions(place, warn)
    with _library(f"{place} holds no OpenPGP key that can be read"):
        certificate = secret.extract_certificate()
        public = str(certificate).encode()
    _require_usable(certificate, place, at)
    signer = _unlocked(secret, place, passphrase)
    return _Signer(public, certificate.fingerprint.upper(), signer, place)


@contextmanager
def _library(what: str, *, details: tuple[str, ...] = (), do: str = "sign with another key") -> Iterator[None]:
    """Turn an exception of the library into a :class:`SigningError`."""
    try:
        yield
    except BundlerError:
        raise
    except Exception as error:  # noqa: BLE001 - the library documents no exceptions of its own
        raise SigningError(what, details=details or (_message(error),), do=do) from None


def _message(error: BaseException) -> str:
    """The library's message and its cause, without its stack trace."""
    text, _, cause = str(error).partition("\n\nStack backtrace")[0].partition("\n\nCaused by:\n")
    parts = [part.strip().partition("\n")[0] for part in (text, cause)]
    return ": ".join(part for part in parts if part) or type(error).__name__


def _secret(content: bytes, place: Path) -> pysequoia.Tsk:
    do = "export the secret key with `gpg --armor --export-secret-keys FINGERPRINT`"
    details = () if b"-----BEGIN PGP" in content else sniff(content)
    with _library(f"{place} holds no OpenPGP key that can be read", details=details, do=do):
        if content.count(b"-----BEGIN PGP") > 1:
            raise SigningError(f"{place} holds several OpenPGP blocks", do="export only the key to sign with")
        packets = [packet.tag for packet in PacketPile.from_bytes(content)]
        if not any(tag in _SECRETS for tag in packets):
            raise SigningError(f"{place} holds a public OpenPGP key, which cannot sign", do=do)
        if sum(tag in (Tag.SecretKey, Tag.PublicKey) for tag in packets) > 1:
            raise SigningError(f"{place} holds several OpenPGP keys", do="export only the one to sign with")
        return pysequoia.Tsk.from_bytes(content)


def _require_usable(certificate: pysequoia.Cert, place: Path, at: datetime) -> None:
    with _library(f"the OpenPGP key {place} cannot sign"):
        revoked, expires = certificate.is_revoked, certificate.expiration
    if revoked:
        raise SigningError(f"the OpenPGP key {place} is revoked", do="sign with another key")
    if expires is not None and expires <= at:
        raise SigningError(
            f"the OpenPGP key {place} expired on {expires:%Y-%m-%d}",
            do="extend it (`gpg --quick-set-expire`) and export it again, or sign with another key",
        )
    if len(certificate.fingerprint) != 40:
        raise SigningError(
            f"the OpenPGP key {place} has version 6, which gpgv on the servers does not read",
            do="sign with a key of version 4",
        )


def _unlocked(secret: pysequoia.Tsk, place: Path, passphrase: Passphrase) -> Any:
    try:
        return secret.signer()
    except Exception as error:  # noqa: BLE001 - the library documents no exceptions of its own
        if _ENCRYPTED not in str(error):
            raise SigningError(
                f"the OpenPGP key {place} holds no secret key that can sign now",
                details=(_message(error),),
                do="export a key with its signing subkey, neither revoked nor expired",
            ) from None
    word = require_passphrase(
        passphrase, f"the OpenPGP key {place} is encrypted, but no passphrase was given", "openpgp"
    )
    wrong = f"the passphrase does not open the OpenPGP key {place}"
    with _library(wrong, details=("It is wrong.",), do="give the passphrase that the key was encrypted with"):
        return secret.signer(word)
