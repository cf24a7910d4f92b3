"""DSSE: the specification's vector, openssl, and no byte that can be changed."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import dsse
from bundler.signing import dsse_writer
from bundler.trust import dsse_signature
from bundler.trust.public_key import digest_of

NOW = datetime.now(timezone.utc)
PAYLOAD = '{"a": "東京"}\n'.encode()


@dataclass(frozen=True)
class Key:
    """A key in memory: all that an envelope asks of one."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificates: tuple[x509.Certificate, ...]
    algorithm: str

    def sign(self, content: bytes) -> bytes:
        digest = digest_of(self.algorithm)
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(content, padding.PKCS1v15(), digest)
        return self.private.sign(content, ec.ECDSA(digest))


def certified(public, signs) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sealer")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(signs, hashes.SHA256())
    )


@cache
def key(algorithm: str) -> Key:
    private = {
        "rsa-sha256": lambda: rsa.generate_private_key(65537, 2048),
        "ecdsa-sha256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ecdsa-sha384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }[algorithm]()
    return Key(private, (certified(private.public_key(), private),), algorithm)


ALGORITHMS = pytest.mark.parametrize("algorithm", ["rsa-sha256", "ecdsa-sha256", "ecdsa-sha384"])


def written(one: Key, payload: bytes = PAYLOAD) -> bytes:
    return dsse_writer.sign(payload, dsse.IN_TOTO, one)


def refused(document: bytes, certificate: x509.Certificate) -> str:
    with pytest.raises(VerificationError) as caught:
        dsse_signature.verify(document, certificate)
    return caught.value.reason


def test_the_specification_s_vectors():
    """DSSE Protocol 1.0.0, Test Vectors."""
    pae = dsse.pae("http://example.com/HelloWorld", b"hello world")
    assert pae == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert dsse.pae("", b"") == b"DSSEv1 0  0 "
    assert dsse.pae("é", b"\0\xff") == b"DSSEv1 2 \xc3\xa9 2 \0\xff"


def test_the_signature_of_the_specification_verifies():
    """The vector's public key and signature, which is r and s side by side there and DER here."""
    public = ec.EllipticCurvePublicNumbers(
        46950820868899156662930047687818585632848591499744589407958293238635476079160,
        5640078356564379163099075877009565129882514886557779369047442380624545832820,
        ec.SECP256R1(),
    )
    raw = base64.b64decode("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    class Vector(Key):
        def sign(self, content: bytes) -> bytes:
            return signature

    certificate = certified(public.public_key(), key("ecdsa-sha256").private)
    vector = Vector(None, (certificate,), "ecdsa-sha256")
    document = dsse_writer.sign(b"hello world", "http://example.com/HelloWorld", vector)
    payload = dsse_signature.verify(document, certificate, payload_type="http://example.com/HelloWorld")
    assert payload == b"hello world"
    assert json.loads(document)["payload"] == "aGVsbG8gd29ybGQ="


@ALGORITHMS
def test_a_signed_payload_verifies_and_is_returned(algorithm):
    one = key(algorithm)
    document = written(one)
    assert dsse_signature.verify(document, one.certificates[0]) == PAYLOAD
    body = json.loads(document)
    assert body["payloadType"] == "application/vnd.in-toto+json"
    assert base64.b64decode(body["payload"]) == PAYLOAD
    (signature,) = body["signatures"]
    assert signature["keyid"] == one.certificates[0].fingerprint(hashes.SHA256()).hex()


@ALGORITHMS
def test_openssl_verifies_the_signature_over_the_pae(algorithm, tmp_path):
    one = key(algorithm)
    signature = json.loads(written(one))["signatures"][0]["sig"]
    (tmp_path / "sig").write_bytes(base64.b64decode(signature))
    (tmp_path / "pae").write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(PAYLOAD), PAYLOAD))
    public = one.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "key.pem").write_bytes(public)
    digest = "-sha384" if algorithm == "ecdsa-sha384" else "-sha256"
    command = ["openssl", "dgst", digest, "-verify", "key.pem", "-signature", "sig", "pae"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "pae").write_bytes(PAYLOAD)
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_rsa_signatures_are_deterministic():
    assert written(key("rsa-sha256")) == written(key("rsa-sha256"))


@ALGORITHMS
def test_no_byte_can_be_changed_dropped_or_added(algorithm):
    one = key(algorithm)
    document = written(one, b"{}")
    certificate = one.certificates[0]
    for at in range(len(document)):
        for byte in {document[at] ^ 1, document[at] ^ 0x20, 0x20, 0x0A} - {document[at]}:
            changed = document[:at] + bytes([byte]) + document[at + 1 :]
            assert refused(changed, certificate) in {"bad-provenance", "other-signer"}, at
    for changed in (document[:-1], document + b"\n", b" " + document, b"\xef\xbb\xbf" + document, b""):
        assert refused(changed, certificate) == "bad-provenance"


def test_another_key_is_another_signer():
    document = written(key("rsa-sha256"))
    assert refused(document, key("ecdsa-sha256").certificates[0]) == "other-signer"


def test_another_certificate_of_the_same_key_is_another_signer():
    one = key("ecdsa-sha256")
    other = certified(one.private.public_key(), key("ecdsa-sha384").private)
    assert refused(written(one), other) == "other-signer"


def test_a_signature_by_another_key_under_the_right_name_is_refused():
    one, other = key("ecdsa-sha256"), Key(ec.generate_private_key(ec.SECP256R1()), (), "ecdsa-sha256")
    forged = Key(other.private, one.certificates, "ecdsa-sha256")
    assert refused(written(forged), one.certificates[0]) == "bad-provenance"


def test_a_key_that_signs_nothing_here_is_refused():
    private = rsa.generate_private_key(65537, 1024)
    weak = Key(private, (certified(private.public_key(), private),), "rsa-sha256")
    assert refused(written(weak), weak.certificates[0]) == "bad-provenance"


def test_another_payload_type_is_refused():
    one = key("rsa-sha256")
    document = dsse_writer.sign(PAYLOAD, "application/json", one)
    assert refused(document, one.certificates[0]) == "bad-provenance"
    assert dsse_signature.verify(document, one.certificates[0], payload_type="application/json") == PAYLOAD


@pytest.mark.parametrize("signatures", [[], "both", [{}], [[]], {}, None, [{"keyid": 1, "sig": 2}]])
def test_one_signature_and_no_other_number(signatures):
    one = key("rsa-sha256")
    body = json.loads(written(one))
    body["signatures"] = body["signatures"] * 2 if signatures == "both" else signatures
    assert refused((json.dumps(body, indent=2) + "\n").encode(), one.certificates[0]) == "bad-provenance"


def test_a_bomb_is_refused_at_once():
    certificate = key("rsa-sha256").certificates[0]
    assert refused(b"[" * 1_000_000, certificate) == "bad-provenance"
    assert refused(b" " * (dsse.LARGEST + 1), certificate) == "bad-provenance"


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_rubbish_is_refused_by_its_own_error(document):
    assert refused(document, key("rsa-sha256").certificates[0]) == "bad-provenance"
