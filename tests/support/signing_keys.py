"""Keys and certificates that seal, or should not, made for a test."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

from tests.support import shared

NOW = datetime.now(timezone.utc).replace(microsecond=0)
"""When the tests began; nothing in them depends on which day that is."""
DAY = timedelta(days=1)

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
KINDS = ("rsa", "p256", "p384")
"""What may seal."""


@cache
def key(kind, name="first"):
    """A key of that kind; equal names are equal keys."""
    if kind.startswith("rsa"):
        return shared.rsa_key(f"signing-{kind}-{name}", int(kind[4:] or 2048))
    if kind == "dsa":
        return shared.private_key(f"dsa-{name}", lambda: dsa.generate_private_key(2048))
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(), "k256": ec.SECP256K1()}
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    return {"ed25519": ed25519.Ed25519PrivateKey, "ed448": ed448.Ed448PrivateKey}[kind].generate()


def usage(**wanted):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})


FOR_SEALING = (usage(digital_signature=True), x509.ExtendedKeyUsage([Eku.CODE_SIGNING]))


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(
    private,
    name="Release sealing",
    *,
    issuer=None,
    extensions=FOR_SEALING,
    starts=NOW - DAY,
    ends=NOW + 365 * DAY,
    public=None,
):
    """A certificate of ``private`` (or of the public key alone), by ``issuer`` (a name and a key) or by itself."""
    issuer_name, issuer_key = issuer or (name, private)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer_name))
        .public_key(public or private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.UnrecognizedExtension))
    digest = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    return builder.sign(issuer_key, digest)


def authority(private, name, issuer=None):
    extensions = (x509.BasicConstraints(ca=True, path_length=None), usage(key_cert_sign=True))
    return certificate(private, name, issuer=issuer, extensions=extensions)


def chain(kind):
    """A signer of that kind, its issuer, and the root."""
    root, middle = key("p256", "root"), key("p256", "middle")
    return (
        certificate(key(kind), issuer=("Middle", middle)),
        authority(middle, "Middle", ("Root", root)),
        authority(root, "Root"),
    )


def certificate_pem(*certificates):
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def key_pem(private, passphrase="", form=serialization.PrivateFormat.PKCS8):
    how = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, form, how)


def wanting(*programs):
    """Skip a test where one of the programs is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def private_file(place, content):
    """Write a file that nobody else can read."""
    place.write_bytes(content)
    place.chmod(0o600)
    return place
