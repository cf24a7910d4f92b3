"""Makes a key pair for one envelope, in a PKCS #12 file protected by a passphrase.

So a passphrase opens an envelope that is encrypted for a key. CMS has password recipients for this, but .NET does not
open them; ``openssl pkcs12`` and ``X509Certificate2`` both open PKCS #12 (RFC 7292).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID
from mnemonic import Mnemonic

Strength = Literal["compatible", "modern"]
"""``compatible``: 3DES and SHA-1, readable by every Windows and OpenSSL except in FIPS mode. ``modern``: AES-256 and
SHA-256, from Windows Server 2019 and OpenSSL 1.1 on. With either, an attacker has to guess the passphrase."""

WORDS = 8
"""Words of a passphrase, out of 2048: 88 bits, too many to guess whatever the key derivation."""
_ROUNDS = 100_000
_BITS = 3072
_EARLY = timedelta(days=1)
"""Allowed clock skew of a server."""


@dataclass(frozen=True)
class EphemeralRecipient:
    """A key for one envelope."""

    certificate: x509.Certificate
    pkcs12: bytes
    passphrase: str = field(repr=False)


def make(bundle: str, *, random: bytes, at: datetime, until: datetime, strength: Strength) -> EphemeralRecipient:
    """Make a key for one envelope.

    Args:
        bundle: its name, for the certificate.
        random: 11 bytes, from which the passphrase is made: eight words.
        at: time now, with zone.
        until: expiry of the envelope.
        strength: of the PKCS #12 encryption.
    """
    passphrase = " ".join(words(random))
    key = rsa.generate_private_key(65537, _BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"arc-bundler envelope {bundle}"[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _EARLY)
        .not_valid_after(until + _EARLY)
        .sign(key, hashes.SHA256())
    )
    held = pkcs12.serialize_key_and_certificates(
        b"envelope", key, certificate, None, _encryption(strength).build(passphrase.encode())
    )
    return EphemeralRecipient(certificate, held, passphrase)


def words(random: bytes) -> tuple[str, ...]:
    """The words for ``random``: 11 bits each, from BIP 39's English list, where four letters identify a word."""
    if len(random) * 8 != WORDS * 11:
        raise ValueError(f"{WORDS} words are {WORDS * 11} bits")
    number = int.from_bytes(random, "big")
    listed = Mnemonic("english").wordlist
    return tuple(listed[number >> 11 * place & 0x7FF] for place in reversed(range(WORDS)))


def _encryption(strength: Strength):  # type: ignore[no-untyped-def]  # noqa: ANN202  # the library hides the type
    """RFC 7292 appendix C, RFC 9579."""
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(_ROUNDS)
    if strength == "modern":
        return builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
    return builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())  # noqa: S303
