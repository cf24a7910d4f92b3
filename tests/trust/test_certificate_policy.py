"""Certificate policy: each rule by itself, before signing and when verifying."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from bundler.errors import SigningError, VerificationError
from bundler.trust import certificate_policy
from tests.support import signing_keys as made
from tests.support.signing_keys import DAY, NOW

GOOD_USAGE = made.usage(digital_signature=True)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")

MAY = {
    "no extensions": (),
    "key usage alone": (GOOD_USAGE,),
    "code signing": (GOOD_USAGE, x509.ExtendedKeyUsage([Eku.CODE_SIGNING])),
    "document signing": (x509.ExtendedKeyUsage([made.DOCUMENT_SIGNING]),),
    "e-mail": (x509.ExtendedKeyUsage([Eku.EMAIL_PROTECTION, Eku.CLIENT_AUTH]),),
    "several usages": (made.usage(digital_signature=True, content_commitment=True),),
}
MAY_NOT = {
    "encipherment": ((made.usage(key_encipherment=True),), "digitalSignature"),
    "authority": ((made.usage(key_cert_sign=True, crl_sign=True),), "digitalSignature"),
    "web server": ((GOOD_USAGE, x509.ExtendedKeyUsage([Eku.SERVER_AUTH])), "extended key usage"),
    "timestamps": ((x509.ExtendedKeyUsage([Eku.TIME_STAMPING]),), "extended key usage"),
    "anything": ((x509.ExtendedKeyUsage([Eku.ANY_EXTENDED_KEY_USAGE]),), "extended key usage"),
    "unknown critical": ((UNKNOWN,), "1.2.3.4.5"),
}


@pytest.mark.parametrize("kind", made.KINDS)
def test_each_kind_of_key_that_may_seal(kind):
    certificate = made.certificate(made.key(kind))
    assert certificate_policy.faults(certificate, (), NOW) == ()
    certificate_policy.require_usable(certificate, (), NOW)
    certificate_policy.require_valid(certificate, NOW, role="sealer")
    wanted = {"rsa": "rsa-sha256", "p256": "ecdsa-sha256", "p384": "ecdsa-sha384"}
    assert certificate_policy.algorithm_of(certificate) == wanted[kind]


@pytest.mark.parametrize("extensions", MAY.values(), ids=MAY)
def test_purposes_that_may_seal(extensions):
    assert certificate_policy.faults(made.certificate(made.key("p256"), extensions=extensions), (), NOW) == ()


@pytest.mark.parametrize(("extensions", "word"), MAY_NOT.values(), ids=MAY_NOT)
def test_purposes_that_may_not(extensions, word):
    certificate = made.certificate(made.key("p256"), extensions=extensions)
    (problem,) = certificate_policy.faults(certificate, (), NOW)
    assert problem.reason == "seal-purpose"
    assert word in problem.what


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("rsa-1024", "1024 bits"),
        ("p521", "secp521r1"),
        ("k256", "secp256k1"),
        ("ed25519", "Ed25519"),
        ("ed448", "Ed448"),
        ("dsa", "DSA"),
    ],
)
def test_keys_that_do_not_seal(kind, word):
    certificate = made.certificate(made.key(kind), extensions=())
    (problem,) = certificate_policy.faults(certificate, (), NOW)
    assert problem.reason == "seal-weak-key"
    assert word in problem.what
    with pytest.raises(SigningError) as caught:
        certificate_policy.algorithm_of(certificate)
    assert word in " ".join(caught.value.details)


def test_a_key_that_is_too_long():
    """An invented modulus is enough: it never signs."""
    numbers = rsa.RSAPublicNumbers(65537, (1 << 8191) + 1)
    certificate = made.certificate(made.key("p256"), public=numbers.public_key())
    (problem,) = certificate_policy.faults(certificate, (), NOW)
    assert (problem.reason, "8192 bits" in problem.what) == ("seal-weak-key", True)


@pytest.mark.parametrize(
    ("starts", "ends", "reason"),
    [
        (NOW, NOW + DAY, None),
        (NOW - DAY, NOW, None),
        (NOW + DAY / 86400, NOW + DAY, "seal-not-yet-valid"),
        (NOW - DAY, NOW - DAY / 86400, "seal-expired"),
    ],
)
def test_its_time_holds_to_the_second(starts, ends, reason):
    found = certificate_policy.faults(made.certificate(made.key("p256"), starts=starts, ends=ends), (), NOW)
    assert [problem.reason for problem in found] == ([reason] if reason else [])


def test_a_chain_that_is_another_certificates():
    signer, middle, root = made.chain("p256")
    assert certificate_policy.faults(signer, (middle, root), NOW) == ()
    (problem,) = certificate_policy.faults(signer, (root, middle), NOW)
    assert problem.reason == "seal-purpose"
    assert "CN=Root did not issue CN=Release sealing" in problem.what


def test_one_name_and_another_key_is_no_issuer():
    signer, _, _ = made.chain("p256")
    other = made.authority(made.key("p256", "other"), "Middle")
    assert not certificate_policy.is_issuer(other, signer)


def test_signing_and_verifying_report_the_same_faults():
    certificate = made.certificate(
        made.key("p256"), starts=NOW - 2 * DAY, ends=NOW - DAY, extensions=(made.usage(key_agreement=True),)
    )
    with pytest.raises(SigningError) as signing:
        certificate_policy.require_usable(certificate, (), NOW)
    with pytest.raises(VerificationError) as checking:
        certificate_policy.require_valid(certificate, NOW, role="sealer")
    assert signing.value.exit_code == 8
    assert checking.value.exit_code == 6
    assert signing.value.details == checking.value.details
    assert len(signing.value.details) == 3
    assert checking.value.reason == "seal-purpose"
    assert all(re.fullmatch(r"[a-z].*[^.]", problem.do) for problem in certificate_policy.faults(certificate, (), NOW))


def test_a_name_that_would_write_on_the_screen_is_shown_harmless():
    assert certificate_policy.display_name(made.certificate(made.key("p256"), "a\x1b[31mred\u202e")).isascii()
    assert "\x1b" not in certificate_policy.display_name(made.certificate(made.key("p256"), "a\x1b[31mred"))


def test_extensions_that_cannot_be_read():
    der = made.certificate(made.key("p256")).public_bytes(Encoding.DER)
    usage = bytes.fromhex("0603551d0f0404030207")  # key usage's name, and the beginning of its value
    at = der.find(usage[:5])
    assert at > 0
    broken = bytearray(der)
    broken[at + 7] = 0x02  # an INTEGER, where a BIT STRING must be
    (problem,) = certificate_policy.faults(x509.load_der_x509_certificate(bytes(broken)), (), NOW)
    assert problem.reason == "seal-purpose"
    assert "cannot be read" in problem.what


@pytest.mark.parametrize("role", ["sealer", "approver"])
def test_the_error_names_the_role_and_the_clock(role):
    ended = made.certificate(made.key("p256"), starts=NOW - 2 * DAY, ends=NOW - DAY)
    with pytest.raises(VerificationError) as caught:
        certificate_policy.require_valid(ended, NOW, role=role)
    assert ("approved" if role == "approver" else "sealed") in caught.value.what
    assert ("approver" in caught.value.do) == (role == "approver")
    assert caught.value.do.startswith("set the clock if it is wrong; otherwise ")
