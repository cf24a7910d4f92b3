"""Reading one certificate in PEM or DER, and the errors for others."""

from __future__ import annotations

import contextlib
import ssl
from datetime import datetime, timedelta, timezone
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.formats import certificate
from bundler.formats.parse_error import ParseError

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def _name(text: str, oid=NameOID.COMMON_NAME) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text)])


def make(
    subject="root", *, issuer=None, ca=True, signs=True, oid=NameOID.COMMON_NAME
) -> tuple[x509.Certificate, object]:
    """A certificate by itself, or by ``issuer`` (a pair as this gives)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject, oid))
        .issuer_name(issuer[0].subject if issuer else _name(subject, oid))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=400))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    if signs is not None:
        builder = builder.add_extension(x509.KeyUsage(**usage, key_cert_sign=signs), critical=True)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


@cache
def root():
    return make()


def test_pem_and_der_are_the_same_certificate():
    made, _ = root()
    der, pem = made.public_bytes(Encoding.DER), made.public_bytes(Encoding.PEM)
    found = certificate.read(der)
    assert found == certificate.read(pem) == certificate.read(b"a comment\r\n" + pem.replace(b"\n", b"\r\n"))
    assert found.pem == pem
    assert ssl.PEM_cert_to_DER_cert(found.pem.decode()) == der
    assert found.sha1 == made.fingerprint(hashes.SHA1()).hex().upper()
    assert found.sha256 == made.fingerprint(hashes.SHA256()).hex()
    assert (found.name, found.authority, found.signs_certificates, found.self_signed) == ("root", True, True, True)
    assert (found.starts, found.ends) == (NOW, NOW + timedelta(days=400))


def test_basic_constraints_and_key_usage_are_read():
    assert not certificate.read(make("sub", issuer=root())[0].public_bytes(Encoding.DER)).self_signed
    assert not certificate.read(make(ca=False)[0].public_bytes(Encoding.DER)).authority
    assert not certificate.read(make(ca=None)[0].public_bytes(Encoding.DER)).authority
    assert not certificate.read(make(signs=False)[0].public_bytes(Encoding.DER)).signs_certificates
    assert certificate.read(make(signs=None)[0].public_bytes(Encoding.DER)).signs_certificates
    assert certificate.read(make("Org", oid=NameOID.ORGANIZATION_NAME)[0].public_bytes(Encoding.DER)).name == "O=Org"
    # Another's certificate with the root's own name is no root: the signature decides.
    false = make("root", issuer=root())[0]
    assert not certificate.read(false.public_bytes(Encoding.DER)).self_signed


def test_invalid_input_is_refused():
    made, key = root()
    pem = made.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for document, says in (
        (b"", "not a certificate"),
        (b"hello", "not a certificate"),
        (pem + pem, "2 certificates"),
        (pem + private, "private key"),
        (pem.replace(b"END CERT", b"END CURT"), "no certificates"),
        (pem[:60] + b"=" + pem[61:], "not valid base64"),
        (made.public_bytes(Encoding.DER) + b"x", "not a certificate"),
        (b"x" * (certificate.LARGEST + 1), "larger"),
    ):
        with pytest.raises(ParseError, match=says):
            certificate.read(document)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_byte_raises_nothing_else(data):
    der = bytearray(root()[0].public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ParseError):
        certificate.read(bytes(der))
