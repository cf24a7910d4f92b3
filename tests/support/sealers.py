"""Keys and certificates that seal in tests, with every fault that a test wants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support import shared

NOW = datetime.now(timezone.utc).replace(microsecond=0)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def private_key(kind: str, name: str = "") -> PrivateKey:
    """``rsa-2048``, ``p-256``, …; equal names are equal keys, made once for all tests."""
    if kind.startswith("rsa-"):
        return shared.rsa_key(f"sealer-{name}", int(kind.removeprefix("rsa-")))
    return ec.generate_private_key({"p-256": ec.SECP256R1(), "p-384": ec.SECP384R1()}[kind])


@dataclass(frozen=True)
class Identity:
    """A key and its certificate."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """``name``.key and ``name``.pem in ``folder``."""
        key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
        key.touch(0o600)
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        certificate.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return key, certificate


def identity(
    name: str,
    *,
    kind: str = "p-256",
    starts: datetime = NOW - timedelta(days=1),
    ends: datetime = NOW + timedelta(days=365),
    issuer: Identity | None = None,
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,),
    signs: bool = True,
    authority: bool = False,
) -> Identity:
    """A certificate for a key of its own, self-signed unless it has an ``issuer``."""
    key = private_key(kind, name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage(digital_signature=signs, key_cert_sign=authority, crl_sign=authority), critical=True)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return Identity(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


def recipient(name: str = "server", *, kind: str = "rsa-2048", days: int = 30, enciphers: bool = True) -> Identity:
    """A server's certificate, for which an envelope can be closed."""
    key = private_key(kind, name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(usage(key_encipherment=enciphers, digital_signature=True), critical=True)
    )
    return Identity(key, builder.sign(key, hashes.SHA256()))


def usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})


def revocation_list(issuer: Identity, *revoked: Identity, ends: datetime = NOW + timedelta(days=7)) -> bytes:
    """PEM of the issuer's list."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - timedelta(days=1))
        .next_update(ends)
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(NOW)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
