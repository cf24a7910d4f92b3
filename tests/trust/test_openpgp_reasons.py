"""What is old, weak, unknown, expired or changed is refused as that, and not called a forgery."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pysequoia
import pytest

from bundler.errors import VerificationError
from bundler.formats.openpgp_signature import signatures
from bundler.lab.openpgp import armor
from bundler.model.anchor import Anchors, PackageKey
from bundler.trust.advice import MEANINGS
from bundler.trust.openpgp import Signed, verify_clearsigned, verify_detached
from tests.support import package_signing, shared
from tests.support.package_signing import NOW, Key, anchors, clear, packet
from tests.support.repositories import Apt

KEY = Key()
AGO = NOW - timedelta(days=100)
DATA = b"some bytes\n" * 20
TEXT = "Suite: stable\n"


def verify(signature: bytes, pins: Anchors) -> Signed:
    return verify_detached(signature, [DATA], size=len(DATA), anchors=pins, at=NOW, what="The package")


def refused(signature: bytes, pins: Anchors | None = None) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify(signature, pins or anchors(KEY))
    error = caught.value
    meaning, do = MEANINGS[error.reason]
    assert meaning.format(source="the publisher") in error.details
    assert error.do == do.format(source="the publisher")
    return error


def not_forged(error: VerificationError) -> str:
    said = " ".join((error.what, *error.details, error.do))
    assert "forged" not in said.replace("can be forged", "")
    assert "damaged" not in said
    return error.reason


def changed(good: bytes, at: int, value: int) -> bytes:
    body = bytearray(good)
    body[3 + at] = value
    return bytes(body)


def version_3(key: Key, at: datetime) -> bytes:
    """RFC 4880 section 5.2.2: what is hashed is the type and the time."""
    hashed = b"\0" + struct.pack(">I", int(at.timestamp()))
    value = package_signing._rsa(key.name).sign(
        DATA + hashed, package_signing.padding.PKCS1v15(), package_signing.hashes.SHA256()
    )
    start = hashlib.sha256(DATA + hashed).digest()[:2]
    number = package_signing._mpi(int.from_bytes(value, "big"))
    return packet(2, b"\3\5" + hashed + bytes.fromhex(key.fingerprint)[-8:] + b"\1\x08" + start + number)


def test_a_signature_of_version_3_is_old() -> None:
    signature = version_3(KEY, AGO)
    assert signatures(signature)[0].version == 3
    assert not_forged(refused(signature)) == "old-signature"
    assert not_forged(refused(armor("SIGNATURE", signature).encode())) == "old-signature"
    assert refused(signature, anchors(Key("other"))).reason == "wrong-key"


@pytest.mark.parametrize("version", [2, 5, 7, 200])
def test_a_signature_of_an_unknown_version(version: int) -> None:
    assert not_forged(refused(changed(KEY.detached(DATA, AGO), 0, version))) == "unknown-version"


@pytest.mark.parametrize("number", [1, 2, 3, 11])
def test_weak_digests(number: int) -> None:
    assert refused(changed(KEY.detached(DATA, AGO), 3, number)).reason == "weak-digest"


@pytest.mark.parametrize(("at", "number"), [(3, 4), (3, 13), (3, 99), (2, 0), (2, 30), (2, 31), (2, 99)])
def test_unknown_algorithms(at: int, number: int) -> None:
    assert not_forged(refused(changed(KEY.detached(DATA, AGO), at, number))) == "unknown-algorithm"


def test_a_weak_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_signing, "_rsa", lambda name: shared.rsa_key(f"weak-{name}", 1024))
    key = Key("weak")
    assert not_forged(refused(key.detached(DATA, AGO), anchors(key))) == "weak-key"
    assert "1024 bits" in refused(key.detached(DATA, AGO), anchors(key)).what


def test_an_expired_signature_and_a_field_that_is_not_known() -> None:
    seconds = package_signing._sub(3, struct.pack(">I", 86400))
    assert not_forged(refused(KEY.signature(0, DATA, AGO, seconds))) == "expired-signature"
    lasting = KEY.signature(0, DATA, AGO, package_signing._sub(3, struct.pack(">I", 86400 * 4000)))
    assert verify(lasting, anchors(KEY)).signed_at == AGO
    assert not_forged(refused(KEY.signature(0, DATA, AGO, package_signing._sub(99 | 0x80, b"x")))) == "unknown-version"
    assert verify(KEY.signature(0, DATA, AGO, package_signing._sub(99, b"x")), anchors(KEY)).signed_at == AGO


def test_expired_and_revoked_keys() -> None:
    expired, revoked = Key(expires=AGO - timedelta(days=1)), Key(revoked=True)
    assert not_forged(refused(expired.detached(DATA, AGO), anchors(expired))) == "expired-key"
    assert not_forged(refused(KEY.detached(DATA, AGO), anchors(revoked))) == "revoked-key"


@dataclass(frozen=True)
class Extended(Key):
    """A key with several self-signatures: when each was made, and days that the key is then valid."""

    bindings: tuple[tuple[datetime, int], ...] = ()

    def certificate(self) -> bytes:
        user = self.user_id.encode()
        bound = self._prefixed() + b"\xb4" + struct.pack(">I", len(user)) + user
        flags = package_signing._sub(27, b"\x03")
        made = b""
        for moment, days in self.bindings:
            validity = package_signing._sub(9, struct.pack(">I", days * 86400)) if days else b""
            made += self.signature(0x13, bound, moment, flags + validity, "sha256")
        return packet(6, self._body()) + packet(13, user) + made


BORN = KEY.created


def test_a_key_that_was_extended_before_it_expired_is_good() -> None:
    key = Extended(bindings=((BORN, 950), (NOW - timedelta(days=60), 3000)))
    assert verify(key.detached(DATA, AGO), anchors(key)).notes == ()
    assert verify(key.detached(DATA, NOW - timedelta(days=10)), anchors(key)).notes == ()


def test_a_key_that_was_extended_after_it_had_signed_expired() -> None:
    key = Extended(bindings=((BORN, 800), (NOW - timedelta(days=60), 3000)))  # it was expired from 200 to 60 days ago
    error = refused(key.detached(DATA, AGO), anchors(key))
    assert not_forged(error) == "expired-key"
    assert "extended" in error.what
    assert verify(key.detached(DATA, NOW - timedelta(days=300)), anchors(key)).signed_at < AGO
    assert verify(key.detached(DATA, NOW - timedelta(days=30)), anchors(key)).signed_at > AGO


def test_a_copy_that_holds_its_last_self_signature_alone() -> None:
    """As ``gpg --export-options export-minimal`` leaves it: what the key was before is not told."""
    late = Extended(bindings=((NOW - timedelta(days=60), 3000),))
    error = refused(late.detached(DATA, AGO), anchors(late))
    assert not_forged(error) == "changed-key"
    assert f"{NOW - timedelta(days=60):%Y-%m-%d}" in error.what
    older = replace(late, bindings=((BORN, 0),))
    assert verify(late.detached(DATA, AGO), anchors(late, older)).signed_at == AGO


def test_a_real_key_with_subkeys_is_read() -> None:
    secret = pysequoia.Tsk.generate("LAB <lab@localhost>")
    certificate = secret.extract_certificate()
    pin = PackageKey(
        name="subkey", fingerprint=certificate.fingerprint.upper(), armored=str(certificate), source="a test"
    )
    signature = pysequoia.sign(secret.signer(), DATA, mode=pysequoia.SignatureMode.DETACHED)
    assert verify(bytes(signature), Anchors(name="LAB", package_keys=(pin,))).key.name == "subkey"


def test_a_document_that_ends_early_is_truncated() -> None:
    document = Apt().inrelease
    for cut in (*range(2, len(document) - 40, 61), len(document) - 30):
        with pytest.raises(VerificationError) as caught:
            verify_clearsigned(document[:-cut], anchors=anchors(KEY), at=NOW, what="InRelease", alone=True)
        assert caught.value.reason == "truncated", cut
    assert verify_clearsigned(document[:-1], anchors=anchors(KEY), at=NOW, what="InRelease", alone=True)


def test_a_good_and_a_bad_signature_side_by_side() -> None:
    """Of a repository one is enough; of a package each must verify."""
    both = Key("other").over_text(TEXT, AGO) + KEY.over_text(TEXT, AGO)
    found = verify_clearsigned(clear(TEXT, both), anchors=anchors(KEY), at=NOW, what="InRelease")
    assert found.key.fingerprint == KEY.fingerprint
    for pair in (KEY.detached(DATA, AGO) + KEY.detached(b"other", AGO), KEY.detached(DATA, AGO) * 2):
        with pytest.raises(VerificationError) as caught:
            verify_detached(pair, [DATA], size=len(DATA), anchors=anchors(KEY), at=NOW, what="it", every=True)
        assert caught.value.reason == "several-signatures"
