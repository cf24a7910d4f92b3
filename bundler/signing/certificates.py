"""Reads certificates from files, and finds the one of a key with its issuers.

The order in a file does not matter: the signer is the one with the key, and its issuers are found by their signatures;
others are left out. So the same certificates give the same seal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from bundler.errors import SigningError
from bundler.formats import certificate as in_file
from bundler.formats.parse_error import ParseError
from bundler.trust import certificate_policy

LARGEST = 1 << 20
"""Bytes of a file with a key or certificates."""
_MOST = 32
"""Certificates in one file."""
_WANTED = "give a PEM file with the certificate of the key, and those of its issuers if it has any"


def read(place: Path) -> tuple[x509.Certificate, ...]:
    """Read the certificates in a file: PEM with any number in any order, or one in DER. Raises SigningError."""
    return parse(content_of(place, "certificate"), place)


def parse(content: bytes, place: Path | str) -> tuple[x509.Certificate, ...]:
    """Read the certificates in ``content``, which came from ``place``. Raises :class:`SigningError`."""
    try:
        found = tuple(in_file.in_pem(content)) if b"-----BEGIN" in content else (content,)
    except ParseError as error:
        raise SigningError(f"{place}: {error}", do=_WANTED) from error
    if not found:
        raise SigningError(f"{place} holds no certificate", details=sniff(content), do=_WANTED)
    if len(found) > _MOST:
        raise SigningError(f"{place} holds {len(found)} certificates", do="give only the signer's and its issuers'")
    return tuple(_loaded(der, place) for der in found)


def _loaded(der: bytes, place: Path | str) -> x509.Certificate:
    try:
        return in_file.loaded(der)
    except ParseError:
        raise SigningError(f"{place} holds no readable certificate", details=sniff(der), do=_WANTED) from None


def chain_of(key: object, given: Iterable[x509.Certificate], place: Path | str) -> tuple[x509.Certificate, ...]:
    """Find the certificate of a public key, and its issuers as far as they are given.

    Args:
        key: the public key.
        given: certificates in any order.
        place: where they came from, for messages.

    Returns:
        The signer's certificate, its issuer's, that one's issuer's, and so on.

    Raises:
        SigningError: no certificate or several are for this key.
    """
    distinct = sorted(set(given), key=_der)
    fitting = [one for one in distinct if _public(one) == key]
    if not fitting:
        raise SigningError(
            f"the certificate in {place} does not belong to the key",
            details=[f"certificate: {certificate_policy.display_name(one)}" for one in distinct],
            do="give the certificate that was issued for this key",
        )
    if len(fitting) > 1:
        raise SigningError(
            f"{place} holds {len(fitting)} certificates of this key",
            details=[
                f"certificate: {certificate_policy.display_name(one)}, until {one.not_valid_after_utc:%Y-%m-%d}"
                for one in fitting
            ],
            do="keep only the one to seal with",
        )
    return _followed(fitting[0], distinct)


def chain_of_leaf(given: Iterable[x509.Certificate], place: Path | str) -> tuple[x509.Certificate, ...]:
    """Like :func:`chain_of` for a key that cannot be read: the signer is the certificate that issued no other.

    Raises:
        SigningError: there is not exactly one.
    """
    distinct = sorted(set(given), key=_der)
    leaves = [
        one
        for one in distinct
        if not any(certificate_policy.is_issuer(one, other) for other in distinct if other != one)
    ]
    if len(leaves) != 1:
        raise SigningError(
            f"{place} holds several certificates that may be the signer's",
            details=[f"certificate: {certificate_policy.display_name(one)}" for one in leaves or distinct],
            do="keep only the signer's and those of its issuers",
        )
    return _followed(leaves[0], distinct)


def _followed(signer: x509.Certificate, given: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    chain = [signer]
    while chain[-1].subject != chain[-1].issuer:
        issuer = next((one for one in given if one not in chain and certificate_policy.is_issuer(one, chain[-1])), None)
        if issuer is None:
            break
        chain.append(issuer)
    return tuple(chain)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _public(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None


def content_of(place: Path, what: str) -> bytes:
    """Read a file of limited size, because a wrong path may name anything. Raises :class:`SigningError`."""
    try:
        with place.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise SigningError(
            f"the {what} {place} cannot be read: {error.strerror or error}",
            do="give the path of a readable file",
        ) from error
    if not content:
        raise SigningError(f"the {what} {place} is empty", do="give the right file, or create it (docs/sealing.md)")
    if len(content) > LARGEST:
        raise SigningError(f"the {what} {place} is larger than {LARGEST} bytes", do="give the right file")
    return content


def truncated(content: bytes) -> bool:
    """Whether it is DER with a length (X.690 section 8.1.3.5) beyond its content, as in a truncated key file."""
    head = re.match(rb"\x30([\x82\x83])", content)
    if head is None:
        return False
    octets = head[1][0] & 0x7F
    return len(content) < 2 + octets + int.from_bytes(content[2 : 2 + octets], "big")


_SIGHTS = (
    (b"-----BEGIN OPENSSH PRIVATE KEY-----", "It is an OpenSSH key."),
    (b"-----BEGIN PGP", "It is an OpenPGP key: give it with `--openpgp-key`."),
    (b"-----BEGIN CERTIFICATE REQUEST-----", "It is a certificate request: a CA issues the certificate for it."),
    (b"-----BEGIN PKCS7-----", "It is PKCS #7: `openssl pkcs7 -print_certs` converts its certificates to PEM."),
    (b"-----BEGIN CERTIFICATE-----", "It is a certificate: give it with `--seal-certificate`."),
    (b"PRIVATE KEY-----", "It is a private key: give it with `--seal-key`."),
    (b"-----BEGIN PUBLIC KEY-----", "It is a public key."),
    (b"<html", "It is a web page."),
    (b"<!doctype html", "It is a web page."),
)


def sniff(content: bytes) -> tuple[str, ...]:
    """A sentence on what ``content`` seems to be, for a file of the wrong kind; empty if unknown."""
    head = content[:4096].lower()
    for sight, sentence in _SIGHTS:
        if sight.lower() in head:
            return (sentence,)
    if head.startswith(b"\x30"):
        return (
            "It is DER: `openssl pkey -inform DER` converts a key to PEM, `openssl x509 -inform DER` a certificate.",
        )
    return ()
