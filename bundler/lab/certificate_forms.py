"""Descriptions of the lab's certificates: authorities, leaves, and the certificates of servers."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bundler.formats import der
from bundler.lab.key_store import Identity, PrivateKey

ORGANIZATION = "LAB - not Microsoft"


def subject(common_name: str, organization: str = ORGANIZATION) -> x509.Name:
    """The name of a lab's certificate."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def describe(
    name: str,
    key: PrivateKey,
    issuer: Identity | None,
    since: datetime,
    life: timedelta,
    *,
    path_length: int | None,
    organization: str = ORGANIZATION,
) -> x509.CertificateBuilder:
    """Describe a certificate: an authority with ``path_length``, or a leaf with None (RFC 5280, section 4.2)."""
    is_authority, named = path_length is not None, subject(name, organization)
    signer = issuer.key.public_key() if issuer else key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(issuer.certificate.subject if issuer else named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since - timedelta(days=1))
        .not_valid_after(since + life)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=path_length), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def server_certificate(
    root: Identity, key: PrivateKey, since: datetime, life: timedelta, names: Sequence[str]
) -> x509.CertificateBuilder:
    """Describe a server's certificate for ``names`` (hosts and addresses); tests ask for wrong ones too."""
    described = describe("LAB upstream", key, root, since, life, path_length=None)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    return described.add_extension(purpose, critical=False).add_extension(alternatives, critical=False)


def with_negative_serial(made: x509.Certificate, issuer: Identity) -> bytes:
    """The certificate ``made`` with a negative serial number, signed anew (DER).

    The library makes none (RFC 5280 section 4.1.2.2 forbids them), so the first bit of the number is set here: its sign
    (X.690 section 8.3).
    """
    version, serial, *rest = der.elements(der.one(made.tbs_certificate_bytes).contents)
    number = bytes([0xC0 | serial.contents[0] & 0x3F, *serial.contents[1:]])
    fields = (version.whole, der.value(serial.tag, number), *(field.whole for field in rest))
    signed = der.value(0x30, b"".join(fields))
    _, algorithm, _ = der.elements(der.one(made.public_bytes(serialization.Encoding.DER)).contents)
    return der.value(0x30, signed + algorithm.whole + der.value(0x03, b"\0" + _signature(issuer.key, signed)))


def _signature(key: PrivateKey, signed: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(signed, ec.ECDSA(hashes.SHA256()))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
