"""Verifying OpenPGP signatures: signer, digest, time and signed bytes."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pysequoia
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import signature_armor
from bundler.formats.openpgp_signature import signatures
from bundler.lab.openpgp import armor
from bundler.model.anchor import Anchors, PackageKey
from bundler.trust.openpgp import Signed, verify_clearsigned, verify_detached
from tests.support.package_signing import NOW, Key, anchors, clear

KEY = Key()
OTHER = Key("other")
AGO = NOW - timedelta(days=100)
DATA = b"some bytes\r\n\x00\xff" * 100
# The line end before the signature is no part of the signed text (RFC 4880, 7.1).
TEXT = "Origin: LAB\nSuite: stable\n- a line with a dash"


def detached(signature: bytes, data: bytes = DATA, pins: Anchors | None = None, at=NOW) -> Signed:
    return verify_detached(signature, [data], size=len(data), anchors=pins or anchors(KEY), at=at, what="The file")


def clearsigned(document: bytes, pins: Anchors | None = None) -> Signed:
    return verify_clearsigned(document, anchors=pins or anchors(KEY), at=NOW, what="InRelease")


def refused(call, *args, **kwargs) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        call(*args, **kwargs)
    assert "\n" not in caught.value.what
    assert not any("\n" in line or "backtrace" in line for line in caught.value.details)
    return caught.value


def test_a_detached_signature_verifies() -> None:
    signed = detached(KEY.detached(DATA, AGO))
    assert (signed.key.fingerprint, signed.user_id) == (KEY.fingerprint, KEY.user_id)
    assert signed.signed_at == AGO
    assert signed.notes == ()


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_armored_or_not_and_by_any_strong_digest(digest: str) -> None:
    signature = Key(digest=digest).detached(DATA, AGO)
    assert detached(signature) == detached(armor("SIGNATURE", signature).encode())


def test_a_clear_signed_document_gives_its_signed_text() -> None:
    assert clearsigned(KEY.clear_signed(TEXT, AGO)).content == TEXT.encode()


def test_text_around_the_signed_block_is_no_part_of_it() -> None:
    document = b"Suite: evil\n\n" + KEY.clear_signed(TEXT, AGO) + b"\nSuite: evil\n"
    assert clearsigned(document).content == TEXT.encode()


def test_a_second_block_is_no_part_of_it() -> None:
    assert clearsigned(KEY.clear_signed(TEXT, AGO) + OTHER.clear_signed("Suite: evil\n", AGO)).content == TEXT.encode()


def test_text_smuggled_between_armor_and_signed_text_is_refused() -> None:
    document = KEY.clear_signed(TEXT, AGO).replace(b"Hash: SHA256\n\n", b"Hash: SHA256\nSuite: evil\n\n")
    try:
        content = clearsigned(document).content
    except VerificationError:
        return
    assert content == TEXT.encode()


def test_tampered_text_and_data_are_refused() -> None:
    assert refused(clearsigned, KEY.clear_signed(TEXT, AGO).replace(b"stable", b"stable2")).reason == "bad-signature"
    assert refused(detached, KEY.detached(DATA, AGO), DATA + b"\n").reason == "bad-signature"


def test_another_key_is_refused_and_both_are_named() -> None:
    error = refused(detached, OTHER.detached(DATA, AGO))
    assert error.reason == "wrong-key"
    assert OTHER.fingerprint[-16:] in error.details[0]
    assert any(KEY.fingerprint in line for line in error.details)


def test_a_signature_that_names_the_pinned_key_but_is_of_another_is_refused() -> None:
    forged = OTHER.detached(DATA, AGO).replace(bytes.fromhex(OTHER.fingerprint), bytes.fromhex(KEY.fingerprint))
    forged = forged.replace(bytes.fromhex(OTHER.fingerprint)[-8:], bytes.fromhex(KEY.fingerprint)[-8:])
    assert refused(detached, forged).reason == "bad-signature"


@pytest.mark.parametrize("age", [1, 12 * 366])
def test_sha1_is_refused_however_old_the_signature_claims_to_be(age: int) -> None:
    key = Key(created=NOW - timedelta(days=20 * 366))
    signature = Key(created=key.created, digest="sha1").detached(DATA, NOW - timedelta(days=age))
    assert refused(detached, signature, pins=anchors(key)).reason == "weak-digest"
    signature = Key(created=key.created, digest="sha1").over_text(TEXT, NOW - timedelta(days=age))
    assert refused(clearsigned, clear(TEXT, signature), anchors(key)).reason == "weak-digest"


def test_a_revoked_key_is_refused_for_earlier_signatures_too() -> None:
    assert refused(detached, KEY.detached(DATA, AGO), pins=anchors(Key(revoked=True))).reason == "revoked-key"


def test_a_key_that_expired_since_is_accepted_with_a_note() -> None:
    key = Key(expires=NOW - timedelta(days=10))
    signed = detached(key.detached(DATA, AGO), pins=anchors(key))
    assert f"{key.expires:%Y-%m-%d}" in signed.notes[0]
    assert clearsigned(key.clear_signed(TEXT, AGO), anchors(key)).notes == signed.notes


def test_a_signature_made_after_the_key_expired_is_refused() -> None:
    key = Key(expires=NOW - timedelta(days=200))
    assert refused(detached, key.detached(DATA, AGO), pins=anchors(key)).reason == "expired-key"


def test_a_signature_older_than_its_key_is_refused() -> None:
    signature = KEY.detached(DATA, KEY.created - timedelta(days=1))
    assert refused(detached, signature).reason == "bad-signature"


def test_a_signature_from_the_future_is_refused() -> None:
    assert refused(detached, KEY.detached(DATA, AGO), at=AGO - timedelta(days=1)).reason == "future-signature"
    assert refused(detached, KEY.detached(DATA, NOW + timedelta(days=3))).reason == "future-signature"


def test_a_key_bound_by_sha1_cannot_be_used() -> None:
    key = Key(binding_digest="sha1")
    assert refused(detached, key.detached(DATA, AGO), pins=anchors(key)).reason == "unusable-key"


def test_of_several_signatures_one_by_a_pinned_key_is_enough() -> None:
    weak = Key("weak", digest="sha1")
    others = (OTHER.over_text(TEXT, AGO), weak.over_text(TEXT, AGO))
    assert clearsigned(KEY.clear_signed(TEXT, AGO, others)).key.fingerprint == KEY.fingerprint
    assert clearsigned(clear(TEXT, KEY.over_text(TEXT, AGO) + others[0])).key.fingerprint == KEY.fingerprint
    assert detached(OTHER.detached(DATA, AGO) + KEY.detached(DATA, AGO)).key.fingerprint == KEY.fingerprint


def test_the_error_is_about_the_signature_of_the_pinned_key() -> None:
    packets = OTHER.detached(DATA, AGO) + KEY.detached(DATA + b"x", AGO)
    assert refused(detached, packets).reason == "bad-signature"


def test_a_text_signature_over_a_package_is_refused() -> None:
    data = b"a line\nanother\n"
    assert refused(detached, KEY.text_detached(data, AGO), data).reason == "bad-signature"


def test_a_pin_that_is_not_its_keys_is_refused() -> None:
    pin = PackageKey(name="mixed up", fingerprint=OTHER.fingerprint, armored=KEY.armored(), source="a test")
    error = refused(detached, KEY.detached(DATA, AGO), pins=Anchors(name="LAB", package_keys=(pin,)))
    assert error.reason == "unusable-key"


def test_of_several_copies_of_a_key_one_that_is_fit_is_enough() -> None:
    copies = anchors(Key(binding_digest="sha1"), KEY)
    assert detached(KEY.detached(DATA, AGO), pins=copies).signed_at == AGO


def test_of_a_package_there_is_one_signature_alone() -> None:
    both = OTHER.detached(DATA, AGO) + KEY.detached(DATA, AGO)
    at = {"size": len(DATA), "anchors": anchors(KEY, OTHER), "at": NOW, "what": "The file", "every": True}
    assert refused(verify_detached, both, [DATA], **at).reason == "several-signatures"


def test_without_pinned_keys_no_signature_verifies() -> None:
    assert refused(detached, KEY.detached(DATA, AGO), pins=Anchors(name="empty")).reason == "wrong-key"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "unsigned"),
        (TEXT.encode(), "unsigned"),
        (b"<!DOCTYPE html><html>Sign in</html>", "html"),
        (KEY.clear_signed(TEXT, AGO)[:-40], "truncated"),
    ],
)
def test_a_document_without_a_signed_block_is_unsigned(document: bytes, reason: str) -> None:
    assert refused(clearsigned, document).reason == reason


@pytest.mark.parametrize("signature", [b"", b"\n", b"garbage", KEY.certificate()])
def test_output_without_a_signature_is_refused(signature: bytes) -> None:
    assert refused(detached, signature).reason in {"unsigned", "malformed"}


@pytest.mark.parametrize("cut", [1, 3, 50, 200])
def test_a_signature_that_ends_early_is_truncated(cut: int) -> None:
    packet = KEY.detached(DATA, AGO)
    armored = armor("SIGNATURE", packet).encode()
    assert refused(detached, packet[:-cut]).reason == "truncated"
    assert refused(detached, armored[: -cut - 1]).reason == "truncated"


def test_a_signed_message_in_place_of_a_signature_is_refused() -> None:
    secret = pysequoia.Tsk.generate("LAB <lab@localhost>")
    assert refused(detached, pysequoia.sign(secret.signer(), DATA)).reason == "malformed"


def test_another_makers_keys_and_signatures_are_read_too() -> None:
    secret = pysequoia.Tsk.generate("LAB <lab@localhost>")  # signs with a subkey, Ed25519, SHA-512
    certificate = secret.extract_certificate()
    pin = PackageKey(
        name="subkey", fingerprint=certificate.fingerprint.upper(), armored=str(certificate), source="a test"
    )
    pins = Anchors(name="LAB", package_keys=(pin,))
    signature = pysequoia.sign(secret.signer(), DATA, mode=pysequoia.SignatureMode.DETACHED)
    assert detached(signature, pins=pins).user_id == "LAB <lab@localhost>"
    document = pysequoia.sign(secret.signer(), TEXT.encode(), mode=pysequoia.SignatureMode.CLEAR)
    assert clearsigned(document, pins).content == TEXT.encode()


def test_large_data_is_verified_from_a_temporary_file_that_is_removed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = bytes(5 << 20)
    assert detached(KEY.detached(data, AGO), data).key.fingerprint == KEY.fingerprint
    assert refused(detached, KEY.detached(data, AGO), data + b"x").reason == "bad-signature"
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, len(KEY.detached(DATA, AGO)) - 1), st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_no_flipped_byte_of_a_signature_brings_another_verdict(position: int, flip: int) -> None:
    signature = bytearray(KEY.detached(DATA, AGO))
    signature[position] ^= flip
    try:
        signed = detached(bytes(signature))
    except VerificationError:
        return
    assert (signed.key.fingerprint, signed.signed_at) == (KEY.fingerprint, AGO)  # an unhashed hint was changed


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_flipped_byte_of_a_document_changes_what_is_signed(data) -> None:
    document = bytearray(KEY.clear_signed(TEXT, AGO))
    document[data.draw(st.integers(0, len(document) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(VerificationError):
        assert clearsigned(bytes(document)).content == TEXT.encode()


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_raise_only_what_is_documented(noise: bytes) -> None:
    for call in (detached, clearsigned):
        refused(call, noise)
    refused(
        clearsigned, b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" + noise + b"\n-----BEGIN PGP SIGNATURE-----\n\n" + noise
    )


class TestMicrosoft:
    """The real keys and the real InRelease."""

    FINGERPRINT = "BC528686B50D79E339D3721CEB3E94ADBE1229CF"

    def pins(self, corpus: Path, name: str = "microsoft") -> Anchors:
        armored = (corpus / "keys" / f"{name}.asc").read_text()
        pin = PackageKey(name=name, fingerprint=self.FINGERPRINT, armored=armored, source="corpus")
        return Anchors(name="Microsoft", package_keys=(pin,))

    def test_inrelease_verifies(self, corpus: Path) -> None:
        signed = clearsigned((corpus / "repository" / "InRelease").read_bytes(), self.pins(corpus))
        assert signed.user_id == "Microsoft (Release signing) <gpgsecurity@microsoft.com>"
        assert signed.content.startswith(b"Origin: code stable\n")

    def test_the_old_copy_of_the_key_cannot_be_used(self, corpus: Path) -> None:
        document = (corpus / "repository" / "InRelease").read_bytes()
        error = refused(clearsigned, document, self.pins(corpus, "microsoft-old-sha1-binding"))
        assert error.reason == "unusable-key"

    def test_each_flip_that_an_inrelease_bears_is_explained(self, corpus: Path) -> None:
        document, pins = (corpus / "repository" / "InRelease").read_bytes(), self.pins(corpus)
        begin = document.index(b"\n-----BEGIN PGP SIGNATURE-----")
        version = document.index(b"Version: ") + 9
        body = document.index(b"\n\n", version) + 2
        packet = signature_armor.dearmor(document[begin + 1 :])
        start = packet.index(signatures(packet)[0].digest_start, 20)
        explained = {*range(version, body - 2), *range(body + start // 3 * 4, body + (start + 1) // 3 * 4 + 4)}
        borne = set()
        for position in (*range(60), *range(begin - 4, len(document))):
            for flip in (0x01, 0x02, 0x0F, 0x20, 0x80):
                mutant = bytearray(document)
                mutant[position] ^= flip
                with contextlib.suppress(VerificationError):
                    signed = verify_clearsigned(bytes(mutant), anchors=pins, at=NOW, what="InRelease", alone=True)
                    assert signed.content.startswith(b"Origin: code stable\n")
                    borne.add(position)
        assert borne
        assert borne <= explained
