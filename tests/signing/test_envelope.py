"""Envelopes: openssl finds the payload and its signer in them; unsuitable recipients are refused."""

from __future__ import annotations

import base64
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bundler.errors import SigningError
from bundler.signing import ephemeral_recipient, keys
from bundler.signing.envelope import EnvelopePayload, encrypt, require_recipient
from tests.support.sealers import NOW, Identity, identity, recipient

LETTER = EnvelopePayload(bundle="arc-test", kind="secret", expires=NOW + timedelta(days=7), secret=b"opaque \xff value")


def openssl(*arguments: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(("openssl", *map(str, arguments)), input=given, capture_output=True, check=False)


def signing(folder: Path, sealer: Identity):
    return keys.read(*sealer.write(folder, "sealer"), lambda: "", warn=lambda _: None)


def read_signed(signed: bytes) -> dict[str, str]:
    verified = openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-signer", "/dev/stderr", given=signed
    )
    assert verified.returncode == 0, verified.stderr
    first, *lines = verified.stdout.decode().splitlines()
    assert first == "arc-bundler envelope 1"
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256", "p-384"])
def test_each_recipient_opens_it_and_finds_the_sealers_word(tmp_path: Path, kind: str) -> None:
    servers = [recipient("one"), recipient("two", kind="rsa-3072")]
    closed = encrypt(LETTER, [one.certificate for one in servers], signing(tmp_path, identity("sealer", kind=kind)))
    for server in servers:
        key, certificate = server.write(tmp_path, "server")
        opened = openssl(
            "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", key, "-recip", certificate, given=closed
        )
        assert opened.returncode == 0, opened.stderr
        found = read_signed(opened.stdout)
        assert (found["bundle"], found["kind"]) == ("arc-test", "secret")
        assert int(found["expires"]) == int(LETTER.expires.timestamp())
        assert base64.b64decode(found["secret"]) == LETTER.secret
    key, certificate = recipient("three").write(tmp_path, "stranger")
    refused = openssl(
        "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", key, "-recip", certificate, given=closed
    )
    assert b"opaque" not in refused.stdout
    assert LETTER.secret not in closed
    assert base64.b64encode(LETTER.secret) not in closed


@pytest.mark.parametrize("strength", ["compatible", "modern"])
def test_a_passphrase_opens_the_one_time_key(tmp_path: Path, strength: ephemeral_recipient.Strength) -> None:
    made = ephemeral_recipient.make(
        "arc-test", random=bytes(range(11)), at=NOW, until=LETTER.expires, strength=strength
    )
    assert len(made.passphrase.split()) == ephemeral_recipient.WORDS
    (tmp_path / "key.p12").write_bytes(made.pkcs12)
    (tmp_path / "words").write_text(made.passphrase)
    opened = openssl("pkcs12", "-in", tmp_path / "key.p12", "-passin", f"file:{tmp_path / 'words'}", "-nodes")
    assert opened.returncode == 0, opened.stderr
    (tmp_path / "wrong").write_text(made.passphrase + "x")
    assert openssl("pkcs12", "-in", tmp_path / "key.p12", "-passin", f"file:{tmp_path / 'wrong'}").returncode != 0
    closed = encrypt(LETTER, [made.certificate], signing(tmp_path, identity("sealer")))
    (tmp_path / "key.pem").write_bytes(opened.stdout)
    letter = openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", tmp_path / "key.pem", given=closed)
    assert base64.b64decode(read_signed(letter.stdout)["secret"]) == LETTER.secret


def test_different_bits_are_different_words() -> None:
    assert ephemeral_recipient.words(bytes(11)) == ("abandon",) * 8
    assert ephemeral_recipient.words(b"\xff" * 11) == ("zoo",) * 8
    with pytest.raises(ValueError, match="88 bits"):
        ephemeral_recipient.words(bytes(10))


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (recipient("curve", kind="p-256"), "not RSA"),
        (recipient("signs", enciphers=False), "keyEncipherment"),
        (recipient("ended", days=0), "not valid now"),
        (recipient("ending", days=3), "before the envelope"),
    ],
)
def test_no_envelope_is_encrypted_for_a_recipient_that_cannot_open_it(certificate: Identity, said: str) -> None:
    with pytest.raises(SigningError) as refused:
        require_recipient(certificate.certificate, at=NOW + timedelta(hours=1), until=LETTER.expires)
    assert said in refused.value.what


def test_a_recipient_may_also_sign() -> None:
    fit = recipient("fit")
    require_recipient(fit.certificate, at=NOW, until=LETTER.expires)
    plain = identity("plain", kind="rsa-2048", purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    with pytest.raises(SigningError):
        require_recipient(plain.certificate, at=NOW, until=LETTER.expires)
