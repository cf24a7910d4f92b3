"""How can a passphrase open what only a key can? By a key made for one envelope, in a PKCS #12 under that passphrase.

.NET opens no CMS password recipients; `openssl pkcs12` and ``X509Certificate2`` both open PKCS #12 (RFC 7292).
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
"""``compatible``: 3DES and SHA-1, which every Windows and OpenSSL opens, but no FIPS mode; ``modern``: AES-256 and
SHA-256, from Windows Server 2019 and OpenSSL 1.1. Either way the passphrase is what an attacker must guess."""

WORDS = 8
"""Words of a passphrase, of 2048 each: 88 bits, which nobody sniff, whatever the derivation."""
_ROUNDS = 100_000
_BITS = 3072
_EARLY = timedelta(days=1)
"""A server's clock may be behind."""


@dataclass(frozen=True)
class EphemeralRecipient:
    """A key for one envelope."""

    certificate: x509.Certificate
    pkcs12: bytes
    passphrase: str = field(repr=False)


def make(bundle: str, *, random: bytes, at: datetime, until: datetime, strength: Strength) -> EphemeralRecipient:
    """A key whose passphrase are eight words for the 88 bits of ``random`` (11 bytes)."""
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
    """Eleven bits a word, from BIP 39's English list, in which the first four letters tell every word."""
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
