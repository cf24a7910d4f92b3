"""Reads private keys from files: PEM (RFC 7468; RFC 5958 and OpenSSL's older forms) or PKCS #12 (RFC 7292)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from bundler.errors import SigningError
from bundler.formats import shell_words
from bundler.model.seal import Algorithm
from bundler.signing import certificates
from bundler.signing.signing_key import SigningKey, checked
from bundler.trust import certificate_policy
from bundler.trust.public_key import digest_of

Passphrase = Callable[[], str]
"""Called only if a key is encrypted; returns an empty text if no passphrase was given."""

_RequiredPassphrase = Callable[[], bytes]
"""The same for a key that is encrypted: never empty; raises :class:`SigningError` instead."""

_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_Found = tuple[object, tuple[x509.Certificate, ...]]

_PEM = re.compile(rb"-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_BEGIN = re.compile(rb"-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----")
_AGAIN = "copy it again, complete and in binary mode; or export it again"
_KINDS = (
    f"use a key that is RSA with {certificate_policy.LEAST_RSA} to {certificate_policy.MOST_RSA} bits, "
    "or on P-256 or P-384"
)


@dataclass(frozen=True)
class _FileKey:
    """A key in memory."""

    certificates: tuple[x509.Certificate, ...]
    algorithm: Algorithm
    key: _Private

    def sign(self, content: bytes) -> bytes:
        digest = digest_of(self.algorithm)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(content, padding.PKCS1v15(), digest)
        try:  # RFC 6979: the same content gets the same signature
            deterministic = ec.ECDSA(digest, deterministic_signing=True)
        except UnsupportedAlgorithm:  # built with an OpenSSL before 3.2
            deterministic = ec.ECDSA(digest)
        return self.key.sign(content, deterministic)


def read(
    key_file: Path,
    certificate_file: Path | None,
    passphrase: Passphrase,
    *,
    warn: Callable[[str], None],
    purpose: str = "seal",
) -> SigningKey:
    """Read a private key with its certificates.

    Whether the certificate may seal now is not checked here, but by
    :func:`bundler.trust.certificate_policy.require_usable`.

    Args:
        key_file: PEM or PKCS #12.
        certificate_file: the certificate and those of its issuers; None if they are in ``key_file``.
        passphrase: called if the key is encrypted.
        warn: called with a warning about the file's permissions.
        purpose: the first word of the options and variables that an error names.

    Raises:
        SigningError: the file cannot be read, or holds no usable key or certificate.
    """
    content = certificates.content_of(key_file, "key")
    key, beside = _opened(content, key_file, _asking(key_file, passphrase, purpose))
    warn_permissions(key_file, warn)
    private = _sealing(key, key_file)
    given = certificates.read(certificate_file) if certificate_file else beside
    if not given:
        raise SigningError(
            f"{key_file} holds a key and no certificate", do=f"give its certificate with `--{purpose}-certificate FILE`"
        )
    chain = certificates.chain_of(private.public_key(), given, certificate_file or key_file)
    return checked(_FileKey(chain, certificate_policy.algorithm_of(chain[0]), private))


def warn_permissions(place: Path, warn: Callable[[str], None]) -> None:
    """Warn of a key file that every user may read; on Windows the mode does not show that."""
    if os.name == "posix" and place.stat().st_mode & stat.S_IROTH:
        mend = shell_words.command("chmod", "600", place)
        warn(f"every user of this computer can read the key {place}; run `{mend}`")


def _sealing(key: object, place: Path) -> _Private:
    """``key`` if its kind can seal; checked before its certificate, which may be missing."""
    if isinstance(key, rsa.RSAPrivateKey):
        if certificate_policy.LEAST_RSA <= key.key_size <= certificate_policy.MOST_RSA:
            return key
        kind = f"an RSA key of {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        if isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            return key
        kind = f"a key on the curve {key.curve.name}"
    else:
        kind = "a key of another kind (" + type(key).__name__.removesuffix("PrivateKey").removeprefix("_") + ")"
    raise SigningError(f"{place} holds {kind}, which cannot seal", do=_KINDS)


def _opened(content: bytes, place: Path, passphrase: _RequiredPassphrase) -> _Found:
    if b"-----BEGIN" in content:
        return _from_pem(content, place, passphrase)
    try:  # a PFX of version 3 (RFC 7292 section 4), so that a later failure means a wrong passphrase
        found = asn1_pkcs12.Pfx.load(content, strict=True)
        is_pfx = found["version"].native == "v3" and found["auth_safe"]["content_type"].native == "data"
    except (ValueError, TypeError, KeyError):
        is_pfx = False
    if is_pfx:
        return _from_pkcs12(content, place, passphrase)
    raise _no_key(content, place)


def _no_key(content: bytes, place: Path) -> SigningError:
    begun = _BEGIN.search(content)
    if begun and b"PRIVATE KEY-----" not in content[begun.end() :].partition(b"-----END ")[2]:
        return SigningError(f"{place} holds a truncated key", do=_AGAIN)
    if certificates.truncated(content):
        return SigningError(f"{place} is a truncated DER file", do=_AGAIN)
    return SigningError(
        f"{place} holds no PEM key and is not a PKCS #12 file",
        details=certificates.sniff(content),
        do="give a PEM file with `-----BEGIN PRIVATE KEY-----`, or a .p12 or .pfx file",
    )


def _from_pem(content: bytes, place: Path, passphrase: _RequiredPassphrase) -> _Found:
    blocks = list(_PEM.finditer(content))
    if not blocks:
        raise _no_key(content, place)
    if len(blocks) > 1:
        raise SigningError(f"{place} holds {len(blocks)} keys", do="give a file with only the one to sign with")
    block = blocks[0][0]
    secret = None
    if blocks[0][1].startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in block:  # RFC 1421 section 4.6.1.1
        secret = passphrase()
    try:
        key = serialization.load_pem_private_key(block + b"\n", secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unopened(place, encrypted=secret is not None) from None
    beside = certificates.parse(content, place) if b"-----BEGIN CERTIFICATE-----" in content else ()
    return key, beside


def _from_pkcs12(content: bytes, place: Path, passphrase: _RequiredPassphrase) -> _Found:
    found = _unlocked(content, None) or _unlocked(content, b"")
    if found is None:
        found = _unlocked(content, passphrase())
        if found is None:
            raise _unopened(place, encrypted=True)
    if found.key is None:
        raise SigningError(f"{place} holds certificates and no key", do="export it again, together with its key")
    inside = ([found.cert] if found.cert else []) + list(found.additional_certs)
    return found.key, tuple(one.certificate for one in inside)


def _unlocked(content: bytes, secret: bytes | None) -> pkcs12.PKCS12KeyAndCertificates | None:
    try:
        return pkcs12.load_pkcs12(content, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def require_passphrase(passphrase: Passphrase, missing: str, purpose: str) -> str:
    """The passphrase, which must not be empty.

    Args:
        passphrase: called once.
        missing: the message if it is empty.
        purpose: as for :func:`read`.

    Raises:
        SigningError: no passphrase was given.
    """
    secret = passphrase()
    if not secret:
        raise SigningError(
            missing,
            do=f"give it with `--{purpose}-passphrase-file FILE`, in ARC_BUNDLER_{purpose.upper()}_PASSPHRASE, "
            "or at the prompt of a terminal",
        )
    return secret


def _asking(place: Path, passphrase: Passphrase, purpose: str) -> _RequiredPassphrase:
    missing = f"the key {place} is encrypted, but no passphrase was given"
    return lambda: require_passphrase(passphrase, missing, purpose).encode("utf-8", "surrogateescape")


def _unopened(place: Path, *, encrypted: bool) -> SigningError:
    if encrypted:
        return SigningError(
            f"the passphrase does not open the key {place}",
            details=["It is wrong, or the file is damaged."],
            do="give the passphrase that the key was encrypted with",
        )
    return SigningError(
        f"the key in {place} cannot be read", do="export it again; it may be truncated (docs/sealing.md)"
    )
