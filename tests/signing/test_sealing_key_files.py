"""Keys in files: which ones open, the errors of others, and openssl verifying their signatures."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.errors import SigningError
from bundler.signing import certificates, keys
from bundler.signing.signing_key import checked
from bundler.trust.public_key import digest_of, verifies
from tests.support import signing_keys as made

OLD_FORM = serialization.PrivateFormat.TraditionalOpenSSL


def never():
    pytest.fail("no passphrase is needed here")


def opened(key_file, certificate_file=None, passphrase=never):
    return keys.read(key_file, certificate_file, passphrase, warn=lambda _: None)


def refused(*given_, **more):
    with pytest.raises(SigningError) as caught:
        opened(*given_, **more)
    error = caught.value
    assert error.exit_code == 8
    assert error.do
    return " ".join((error.what, *error.details, error.do))


def packed(kind, passphrase="", certificate=None, more=()):
    how = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    leaf = certificate or made.certificate(made.key(kind))
    return pkcs12.serialize_key_and_certificates(b"seal", made.key(kind), leaf, more or None, how)


@pytest.fixture
def place(tmp_path):
    """Write a key and its certificate, and give their paths."""

    def write(kind="p256", key=None, certificate=None):
        key_file = made.private_file(tmp_path / "seal.key", key or made.key_pem(made.key(kind)))
        certificate_file = tmp_path / "seal.crt"
        certificate_file.write_bytes(certificate or made.certificate_pem(made.certificate(made.key(kind))))
        return key_file, certificate_file

    return write


@made.wanting("openssl")
@pytest.mark.parametrize("kind", made.KINDS)
def test_openssl_verifies_what_is_signed(tmp_path, place, kind):
    content = b"0123  a file\n" * 1000
    signer = opened(*place(kind))
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "signature").write_bytes(signer.sign(content))
    public = made.key(kind).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "public").write_bytes(public.public_bytes(serialization.Encoding.PEM, form))
    digest = "-" + digest_of(signer.algorithm).name
    command = ["openssl", "dgst", digest, "-verify", "public", "-signature", "signature", "content"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "content").write_bytes(content + b"x")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("kind", made.KINDS)
def test_the_same_content_gets_the_same_signature(place, kind):
    files = place(kind)
    assert opened(*files).sign(b"content") == opened(*files).sign(b"content")


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, OLD_FORM])
@pytest.mark.parametrize("kind", made.KINDS)
@pytest.mark.parametrize("passphrase", ["", "Größe 12"])
def test_forms_of_pem(place, kind, form, passphrase):
    files = place(kind, key=made.key_pem(made.key(kind), passphrase, form))
    asked = []
    signer = opened(*files, passphrase=lambda: asked.append(1) or passphrase)
    assert len(asked) == bool(passphrase)
    assert verifies(signer.certificates[0], signer.algorithm, signer.sign(b"x"), b"x")


@made.wanting("openssl")
def test_a_key_as_openssl_writes_it_beside_its_parameters(tmp_path, place):
    command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", "key"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    content = (tmp_path / "key").read_bytes()
    assert content.startswith(b"-----BEGIN EC PARAMETERS-----")
    private = serialization.load_pem_private_key(content, None)
    files = place(key=content, certificate=made.certificate_pem(made.certificate(private)))
    assert opened(*files).algorithm == "ecdsa-sha256"


@pytest.mark.parametrize("passphrase", ["", "wörd"])
@pytest.mark.parametrize("kind", made.KINDS)
def test_pkcs12(place, kind, passphrase):
    signer, *issuers = made.chain(kind)
    key_file, _ = place(kind, key=packed(kind, passphrase, signer, issuers[::-1]))
    asked = []
    read = opened(key_file, passphrase=lambda: asked.append(1) or passphrase)
    assert read.certificates == (signer, *issuers)
    assert len(asked) == bool(passphrase)


@made.wanting("openssl")
@pytest.mark.parametrize("more", [[], ["-keypbe", "NONE", "-certpbe", "NONE", "-nomac"], ["-legacy"]])
def test_pkcs12_as_openssl_writes_it(tmp_path, place, more):
    files = place("rsa")
    command = ["openssl", "pkcs12", "-export", "-inkey", *files[:1], "-in", *files[1:], "-out", tmp_path / "p12"]
    done = subprocess.run([*command, *more, "-passout", "pass:word"], capture_output=True, text=True, check=False)
    if done.returncode and "-legacy" in more:
        pytest.skip(f"this openssl has no old ciphers: {done.stderr[:200]}")
    assert done.returncode == 0, done.stderr
    (tmp_path / "p12").chmod(0o600)
    assert opened(tmp_path / "p12", passphrase=lambda: "word").algorithm == "rsa-sha256"


def test_certificates_in_any_order_are_one_chain(place):
    signer, middle, root = made.chain("p256")
    stranger = made.certificate(made.key("p384", "stranger"), "A stranger")
    for order in itertools.permutations((signer, middle, root, stranger)):
        files = place(certificate=made.certificate_pem(*order, signer))
        assert opened(*files).certificates == (signer, middle, root)


def test_a_chain_without_its_root_and_one_with_a_hole(place):
    signer, middle, root = made.chain("p256")
    assert opened(*place(certificate=made.certificate_pem(middle, signer))).certificates == (signer, middle)
    assert opened(*place(certificate=made.certificate_pem(root, signer))).certificates == (signer,)


def test_key_and_certificate_in_one_file(place):
    both = made.certificate_pem(made.certificate(made.key("p256"))) + made.key_pem(made.key("p256"))
    assert opened(place(key=both)[0]).algorithm == "ecdsa-sha256"


def test_a_certificate_in_der(place):
    der = made.certificate(made.key("p256")).public_bytes(serialization.Encoding.DER)
    assert opened(*place(certificate=der)).algorithm == "ecdsa-sha256"


# What is refused


@pytest.mark.parametrize("form", ["pkcs8", "old", "pkcs12"])
def test_a_wrong_passphrase_and_none(place, form):
    if form == "pkcs12":
        key = packed("rsa", "right")
    else:
        key = made.key_pem(made.key("rsa"), "right", OLD_FORM if form == "old" else serialization.PrivateFormat.PKCS8)
    files = place("rsa", key=key)
    assert "the passphrase does not open the key" in refused(*files, passphrase=lambda: "wrong")
    said = refused(*files, passphrase=lambda: "")
    assert "is encrypted, but no passphrase was given" in said
    assert "ARC_BUNDLER_SEAL_PASSPHRASE" in said


def test_a_passphrase_is_in_no_message(place):
    files = place("rsa", key=packed("rsa", "right"))
    assert "hunter2" not in refused(*files, passphrase=lambda: "hunter2")


@pytest.mark.parametrize("kind", made.KINDS)
def test_a_certificate_of_another_key(place, kind):
    other = made.certificate_pem(made.certificate(made.key(kind, "other"), "Another"))
    said = refused(*place(kind, certificate=other))
    assert "does not belong to the key" in said
    assert "CN=Another" in said


def test_two_certificates_of_one_key(place):
    two = made.certificate_pem(made.certificate(made.key("p256"), "Old"), made.certificate(made.key("p256"), "New"))
    said = refused(*place(certificate=two))
    assert all(word in said for word in ("2 certificates of this key", "CN=Old", "CN=New"))


def test_no_certificate(place):
    assert "--seal-certificate" in refused(place()[0])


def test_certificates_without_a_key(place):
    alone = pkcs12.serialize_key_and_certificates(
        b"x", None, None, [made.certificate(made.key("p256"))], serialization.NoEncryption()
    )
    assert "certificates and no key" in refused(place(key=alone)[0])


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("ed25519", "Ed25519"),
        ("ed448", "Ed448"),
        ("p521", "secp521r1"),
        ("k256", "secp256k1"),
        ("rsa-1024", "1024 bits"),
        ("dsa", "DSA"),
    ],
)
def test_keys_of_kinds_that_do_not_seal(place, kind, word):
    certificate = made.certificate_pem(made.certificate(made.key(kind)))
    said = refused(*place(kind, key=made.key_pem(made.key(kind)), certificate=certificate))
    assert word in said
    assert "P-256 or P-384" in said


def test_an_rsa_key_that_is_too_long(place):
    """Of two primes that need not be looked for: Mersenne's, 2281 and 2203 bits long."""
    p, q, e = 2**2281 - 1, 2**2203 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    long = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    assert "4484 bits" in refused(*place(key=made.key_pem(long)))


WEIRD = {
    "empty": (b"", "is empty"),
    "large": (b"a" * (certificates.LARGEST + 1), "larger than"),
    "web page": (b"<!DOCTYPE html><html>404</html>", "It is a web page"),
    "certificate": (made.certificate_pem(made.certificate(made.key("p256"))), "It is a certificate"),
    "der": (
        made.key("p256").private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "openssl pkey -inform DER",
    ),
    "ssh": (made.key_pem(made.key("p256"), form=serialization.PrivateFormat.OpenSSH), "OpenSSH"),
    "openpgp": (
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n",
        "--openpgp-key",
    ),
    "request": (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "request"),
    "cut short": (made.key_pem(made.key("p256"))[:-40], "a truncated key"),
    "cut short in its last line": (made.key_pem(made.key("p256"))[:-10], "a truncated key"),
    "a certificate and half a key": (
        made.certificate_pem(made.certificate(made.key("p256"))) + made.key_pem(made.key("p256"))[:-40],
        "a truncated key",
    ),
    "der cut short": (
        made.key("rsa").private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )[:900],
        "a truncated DER file",
    ),
    "damaged": (made.key_pem(made.key("rsa"))[:600] + made.key_pem(made.key("rsa"))[664:], "cannot be read"),
    "two keys": (made.key_pem(made.key("p256")) + made.key_pem(made.key("p384")), "holds 2 keys"),
    "text": (b"hello", "no PEM key"),
}


@pytest.mark.parametrize(("content", "word"), WEIRD.values(), ids=WEIRD)
def test_files_that_are_something_else(tmp_path, place, content, word):
    _, certificate_file = place()
    assert word in refused(made.private_file(tmp_path / "weird", content), certificate_file)


CERTIFICATES = {
    "empty": (b"", "is empty"),
    "key": (made.key_pem(made.key("p256")), "It is a private key"),
    "web page": (b"<html>", "It is a web page"),
    "pkcs7": (b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n", "openssl pkcs7 -print_certs"),
    "no base64": (b"-----BEGIN CERTIFICATE-----\nA===A\n-----END CERTIFICATE-----\n", "base64"),
    "no certificate": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no readable certificate"),
    "too many": (made.certificate_pem(*[made.certificate(made.key("p256"))] * 33), "holds 33 certificates"),
}


@pytest.mark.parametrize(("content", "word"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_certificate_files_that_are_something_else(tmp_path, place, content, word):
    (tmp_path / "weird").write_bytes(content)
    assert word in refused(place()[0], tmp_path / "weird")


def test_files_that_are_not_there(tmp_path, place):
    key_file, _ = place()
    assert "cannot be read" in refused(tmp_path / "nowhere")
    assert "cannot be read" in refused(key_file, tmp_path / "nowhere")
    assert "cannot be read" in refused(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="the mode says who may read on POSIX alone")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_a_key_that_everybody_can_read(place, mode, warned):
    key_file, certificate_file = place()
    key_file.chmod(mode)
    told = []
    keys.read(key_file, certificate_file, never, warn=told.append)
    assert len(told) == warned
    assert all("chmod 600" in sentence for sentence in told)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_file_makes_more_than_a_signing_error(tmp_path, data):
    """Random bytes, and real files with a chunk changed."""
    real = [made.key_pem(made.key("p256")), packed("p256"), packed("p256", "word")]
    real += [made.certificate_pem(made.certificate(made.key("p256"))) + made.key_pem(made.key("p256"), "word")]
    content = bytearray(data.draw(st.one_of(st.binary(max_size=300), st.sampled_from(real))))
    for position, byte in data.draw(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=3)):
        if content:
            content[position % len(content)] = byte
    file = made.private_file(tmp_path / "any", bytes(content))
    signer = None
    with contextlib.suppress(SigningError):
        signer = opened(file, passphrase=lambda: "word")
    if signer:
        assert verifies(signer.certificates[0], signer.algorithm, signer.sign(b"x"), b"x")


# What is signed is verified before it is given out


class _Rubbish:
    """A token, say, that has mixed its objects up."""

    def __init__(self, certificate, algorithm, signature):
        self.certificates, self.algorithm, self.signature = (certificate,), algorithm, signature

    def sign(self, content):
        return self.signature


@pytest.mark.parametrize("kind", made.KINDS)
def test_a_signature_that_does_not_verify_is_not_given_out(place, kind):
    signer = opened(*place(kind))
    right = signer.sign(b"content")
    certificate = signer.certificates[0]
    assert checked(_Rubbish(certificate, signer.algorithm, right)).sign(b"content") == right
    other = made.certificate(made.key(kind, "other"))
    for wrong in (b"", b"\0", right[:-1], right + b"\0", bytes(len(right))):
        with pytest.raises(SigningError, match="does not verify"):
            checked(_Rubbish(certificate, signer.algorithm, wrong)).sign(b"content")
    with pytest.raises(SigningError, match="does not verify"):
        checked(_Rubbish(other, signer.algorithm, right)).sign(b"content")
    with pytest.raises(SigningError, match="does not verify"):
        checked(_Rubbish(certificate, signer.algorithm, right)).sign(b"other content")


def test_one_algorithm_does_not_stand_for_another(place):
    signer = opened(*place("p256"))
    signature = signer.sign(b"x")
    assert not verifies(signer.certificates[0], "rsa-sha256", signature, b"x")
    assert not verifies(signer.certificates[0], "ecdsa-sha384", signature, b"x")


def test_a_checked_key_is_not_wrapped_twice(place):
    signer = opened(*place("p256"))
    assert checked(signer) is signer


@given(content=st.binary(max_size=2000))
@settings(max_examples=30, deadline=None)
def test_whatever_is_signed_fits_and_nothing_else(content):
    for kind in made.KINDS:
        certificate = made.certificate(made.key(kind))
        signer = checked(
            keys._FileKey((certificate,), keys.certificate_policy.algorithm_of(certificate), made.key(kind))
        )
        signature = signer.sign(content)
        assert verifies(certificate, signer.algorithm, signature, content)
        assert not verifies(certificate, signer.algorithm, signature, content + b"\n")
