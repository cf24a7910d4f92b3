"""Foreign bytes in any unsigned part of a signature are refused, by their place; without them the file is accepted."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from bundler.errors import VerificationError
from bundler.formats import authenticode as der
from bundler.formats import der as encoding
from bundler.formats import portable_executable, powershell_signature, signature_form
from bundler.formats.msi_signature import SignedInstaller
from bundler.formats.portable_executable import SignedImage
from bundler.formats.powershell_signature import SignedScript, with_block
from bundler.lab import authenticode_signer, foreign_bytes
from bundler.lab.authority import Chain
from bundler.lab.foreign_bytes import Foreign
from bundler.trust import anchors as trusted
from bundler.trust import authenticode
from bundler.trust.advice import MEANINGS
from tests.support.authenticode_material import (
    NOW,
    Description,
    authority,
    chain,
    issue,
    ps1,
    signed,
    signer,
    signing,
    stamp,
    verify,
)

SIZES = (700, 40_000)
KINDS = ("msi", "pe", "ps1")

IN_SIGNATURE = {
    "certificate": "foreign-certificate",
    "unreadable certificate": "foreign-certificate",
    "attribute certificate": "foreign-attribute-certificate",
    "other certificate": "foreign-attribute-certificate",
    "revocation list": "foreign-revocation-list",
    "attribute": "unknown-attribute",
    "digest": "foreign-parameter",
    "further digest": "foreign-parameter",
    "signer's digest": "foreign-parameter",
    "signer's algorithm": "foreign-parameter",
    "version": "not-canonical",
}
IN_NESTED = {
    "certificate": "second-signature-certificate",
    "unreadable certificate": "second-signature-certificate",
    "attribute certificate": "second-signature-attribute-certificate",
    "other certificate": "second-signature-attribute-certificate",
    "revocation list": "second-signature-revocation-list",
    "attribute": "second-signature-attribute",
    "digest": "second-signature-parameter",
    "further digest": "second-signature-parameter",
    "signer's digest": "second-signature-parameter",
    "signer's algorithm": "second-signature-parameter",
    "version": "second-signature-form",
}
IN_TIMESTAMP = {
    "certificate": "timestamp-certificate",
    "unreadable certificate": "timestamp-certificate",
    "attribute certificate": "timestamp-attribute-certificate",
    "other certificate": "timestamp-attribute-certificate",
    "revocation list": "timestamp-revocation-list",
    "attribute": "timestamp-attribute",
    "digest": "timestamp-parameter",
    "further digest": "timestamp-parameter",
    "signer's digest": "timestamp-parameter",
    "signer's algorithm": "timestamp-parameter",
    "version": "timestamp-form",
}
IN_COUNTERSIGNATURE = {
    "attribute": "timestamp-attribute",
    "signer's digest": "timestamp-parameter",
    "signer's algorithm": "timestamp-parameter",
}
WANTED = {
    "signature": IN_SIGNATURE,
    "nested": IN_NESTED,
    "timestamp": IN_TIMESTAMP,
    "countersignature": IN_COUNTERSIGNATURE,
}
EVERY = [(inside, place, reason) for inside, places in WANTED.items() for place, reason in places.items()]


def how(inside: str, foreign: Foreign | None = None):
    style = "countersignature" if inside == "countersignature" else "rfc3161"
    return signing(stamp=stamp(style=style), nested=inside == "nested", foreign=foreign)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("inside", "place", "reason"), EVERY)
def test_foreign_bytes_are_refused_by_their_place(inside, place, reason, size, kind):
    document = signed(kind, how(inside, Foreign(place, size, inside)))
    assert len(document) > size
    with pytest.raises(VerificationError) as caught:
        verify(document, kind)
    assert caught.value.reason == reason, caught.value
    assert MEANINGS[reason][0] in caught.value.details


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", WANTED)
def test_without_them_the_same_file_is_accepted(inside, kind):
    assert verify(signed(kind, how(inside)), kind)


def test_every_place_of_the_labs_signer_is_tried():
    for inside in ("signature", "nested", "timestamp"):
        assert set(WANTED[inside]) == set(foreign_bytes.PLACES)


def test_small_ones_are_refused_too():
    for inside, place, reason in EVERY:
        with pytest.raises(VerificationError) as caught:
            verify(signed("ps1", how(inside, Foreign(place, 1, inside))), "ps1")
        assert caught.value.reason == reason, (inside, place)


def padded(algorithm: bytes, count: int) -> bytes:
    """An AlgorithmIdentifier with zeros before the last number of its type."""
    kind, *rest = encoding.elements(encoding.one(algorithm).contents)
    longer = encoding.value(0x06, kind.contents[:-1] + b"\x80" * count + kind.contents[-1:])
    return encoding.value(0x30, longer + b"".join(part.whole for part in rest))


def token_of(pkcs7: bytes) -> bytes:
    (token,) = der.read_signature(pkcs7).signers[0].others(der.TIMESTAMP_RFC3161)
    return token


def with_token(pkcs7: bytes, token: bytes) -> bytes:
    found = der.read_signature(pkcs7)
    changed = replace(found.signers[0], unsigned=((der.TIMESTAMP_RFC3161, (token,)),))
    return signature_form.rewritten(replace(found, signers=(changed,)))


class TestGenuineAttributeCertificate:
    """Microsoft's own one, in its own file, and changed copies of it."""

    @pytest.fixture
    def image(self, corpus):
        return (corpus / "authenticode/good-microsoft-pca2024.dll").read_bytes()

    def verify(self, image: bytes, change: Callable[[bytes], bytes]) -> str:
        pkcs7 = SignedImage(io.BytesIO(image)).pkcs7
        token = der.read_signature(token_of(pkcs7))
        held = tuple(change(each) if each[0] != 0x30 else each for each in token.held)
        changed = with_token(pkcs7, signature_form.rewritten(replace(token, held=held)))
        place = portable_executable.layout(io.BytesIO(image))
        document = authenticode_signer.with_certificate_table(image[: place.table], changed)
        try:
            authenticode.verify(io.BytesIO(document), "pe", anchors=trusted.microsoft(), at=NOW)
        except VerificationError as error:
            return error.reason
        return "accepted"

    def test_it_is_accepted(self, image):
        assert self.verify(image, lambda held: held) == "accepted"

    @pytest.mark.parametrize("tag", [0xA0, 0xA2, 0xA3])
    def test_under_another_tag(self, image, tag):
        assert self.verify(image, lambda held: bytes([tag]) + held[1:]) == "timestamp-attribute-certificate"

    def test_as_a_sequence(self, image):
        assert self.verify(image, lambda held: b"\x30" + held[1:]) == "timestamp-certificate"

    def test_twice(self, image):
        assert self.verify(image, lambda held: held + held) == "timestamp-attribute-certificate"

    def test_of_another_holder(self, image):
        changed = self.verify(image, lambda held: held.replace(b"nShield TSS ESN", b"nShield TSS LAB"))
        assert changed == "timestamp-attribute-certificate"

    def test_with_an_attribute_of_another_type(self, image):
        known, other = bytes.fromhex("060a2b0601040184590a0402"), bytes.fromhex("060a2b0601040184590a0403")
        assert self.verify(image, lambda held: held.replace(known, other)) == "timestamp-attribute-certificate"

    def test_with_bytes_behind_it(self, image):
        longer = self.verify(image, lambda held: held + b"LAB")
        assert longer in {"timestamp-attribute-certificate", "timestamp-form", "timestamp-invalid"}


class TestStrictDer:
    """The bytes around what is signed have one form."""

    def refused(self, pkcs7: bytes) -> str:
        document = with_block(ps1(), pkcs7)
        with pytest.raises(VerificationError) as caught:
            verify(document, "ps1")
        return caught.value.reason

    @pytest.fixture
    def pkcs7(self):
        return SignedScript(io.BytesIO(signed("ps1", signing()))).pkcs7

    def test_a_length_that_is_not_the_shortest(self, pkcs7):
        assert self.refused(b"\x30\x83\x00" + pkcs7[2:]) in {"not-canonical", "malformed"}

    def test_an_indefinite_length(self, pkcs7):
        assert self.refused(b"\x30\x80" + pkcs7[4:] + b"\0\0") in {"not-canonical", "malformed"}

    @pytest.mark.parametrize("more", [b"\0", b"LAB", b"\x05\x00", b"\0" * 700])
    def test_bytes_behind_the_signature(self, pkcs7, more):
        assert self.refused(pkcs7 + more) == "trailing-data"

    @pytest.mark.parametrize("more", [b"\x05\x00", b"\x04\x03LAB"])
    def test_elements_behind_its_parts(self, pkcs7, more):
        outer = encoding.one(pkcs7)
        kind, content = encoding.elements(outer.contents)
        data = encoding.one(content.contents)
        within = encoding.value(0x30, kind.whole + encoding.value(0xA0, data.whole + more))
        beside = encoding.value(0x30, outer.contents + more)
        inside = encoding.value(0x30, kind.whole + encoding.value(0xA0, encoding.value(0x30, data.contents + more)))
        assert {self.refused(changed) for changed in (within, beside, inside)} <= {"not-canonical", "malformed"}

    def test_a_certificate_with_another_unsigned_algorithm(self, pkcs7):
        found = der.read_signature(pkcs7)
        signed_part, algorithm, value = encoding.elements(encoding.one(found.held[-1]).contents)
        again = encoding.value(0x30, algorithm.contents[:-2] + encoding.value(0x04, b"LAB" * 300))
        changed = encoding.value(0x30, signed_part.whole + again + value.whole)
        assert self.refused(signature_form.rewritten(replace(found, held=(*found.held[:-1], changed)))) in {
            "foreign-certificate",
            "untrusted-root",
        }

    @pytest.mark.parametrize("place", ["digest", "signer's digest", "signer's algorithm"])
    @pytest.mark.parametrize("count", [1, 700])
    def test_an_identifier_that_is_not_in_its_shortest_form(self, pkcs7, place, count):
        """Zeros before a number of it (X.690, 8.19.2)."""
        found = der.read_signature(pkcs7)
        (signer,) = found.signers
        digest, algorithm = (padded(each, count) for each in signer.algorithms)
        changed = {
            "digest": replace(found, algorithms=(digest,)),
            "signer's digest": replace(found, signers=(replace(signer, algorithms=(digest, signer.algorithms[1])),)),
            "signer's algorithm": replace(
                found, signers=(replace(signer, algorithms=(signer.algorithms[0], algorithm)),)
            ),
        }[place]
        assert self.refused(signature_form.rewritten(changed)) in {"foreign-parameter", "malformed"}

    def test_a_known_digest_twice(self, pkcs7):
        found = der.read_signature(pkcs7)
        twice = replace(found, algorithms=found.algorithms * 2)
        assert self.refused(signature_form.rewritten(twice)) == "foreign-parameter"

    def test_a_known_attribute_twice(self, pkcs7):
        found = der.read_signature(pkcs7)
        (signer,) = found.signers
        twice = replace(signer, unsigned=(*signer.unsigned, (der.NESTED_SIGNATURE, ())))
        assert self.refused(signature_form.rewritten(replace(found, signers=(twice,)))) == "unknown-attribute"


def test_signatures_nested_too_deep_are_refused():
    deep = signing()
    document = b"text\r\n"
    digest = powershell_signature.text_digest("text\r\n", "sha256")
    inner = authenticode_signer.signature("ps1", digest, deep)
    for _ in range(5):
        inner = authenticode_signer.signature("ps1", digest, deep, [(der.NESTED_SIGNATURE, inner)])
    with pytest.raises(VerificationError) as caught:
        verify(with_block(document, inner), "ps1")
    assert caught.value.reason == "second-signature"


def test_a_nested_signature_of_another_signer_is_refused():
    other = chain(Description(number=5), authority("LAB foreign root", 6))
    digest = powershell_signature.text_digest(ps1().decode(), "sha256")
    inner = authenticode_signer.signature("ps1", digest, signing(chain=other))
    whole = authenticode_signer.signature("ps1", digest, signing(), [(der.NESTED_SIGNATURE, inner)])
    with pytest.raises(VerificationError) as caught:
        verify(with_block(ps1(), whole), "ps1")
    assert caught.value.reason == "second-signature"


def test_a_nested_signature_by_a_certificate_of_no_authority_is_refused():
    """Who has an ordinary certificate under a trusted root could hide bytes in those that it signs."""
    ordinary = signer().leaf
    issued = issue(Description(number=7), ordinary)
    own = Chain(issued, (ordinary, *signer().intermediates), signer().root)
    digest = powershell_signature.text_digest(ps1().decode(), "sha256")
    inner = authenticode_signer.signature("ps1", digest, signing(chain=own))
    whole = authenticode_signer.signature("ps1", digest, signing(), [(der.NESTED_SIGNATURE, inner)])
    with pytest.raises(VerificationError) as caught:
        verify(with_block(ps1(), whole), "ps1")
    assert caught.value.reason == "second-signature"


def test_a_nested_signature_of_another_file_is_refused():
    digest = powershell_signature.text_digest(ps1().decode(), "sha256")
    inner = authenticode_signer.signature("ps1", bytes(32), signing())
    whole = authenticode_signer.signature("ps1", digest, signing(), [(der.NESTED_SIGNATURE, inner)])
    with pytest.raises(VerificationError) as caught:
        verify(with_block(ps1(), whole), "ps1")
    assert caught.value.reason == "second-signature"


GENUINE = {
    "msi": "authenticode/good-microsoft-2023.msi",
    "pe": "authenticode/good-microsoft-pca2024.dll",
    "ps1": "authenticode/good-microsoft.psd1",
}


def resigned_msi(content: bytes, pkcs7: bytes) -> bytes:
    """A genuine installer with another signature, which fits into the last sector of the old one's stream."""
    place = content.index(SignedInstaller(io.BytesIO(content)).pkcs7)
    entry = content.index("\x05DigitalSignature\0".encode("utf-16-le"))
    (size,) = struct.unpack_from("<Q", content, entry + 120)
    assert len(pkcs7) <= size + -size % 4096
    changed = bytearray(content)
    changed[place : place + len(pkcs7)] = pkcs7
    struct.pack_into("<Q", changed, entry + 120, len(pkcs7))
    return bytes(changed)


def resigned_pe(content: bytes, pkcs7: bytes) -> bytes:
    return authenticode_signer.with_certificate_table(
        content[: portable_executable.layout(io.BytesIO(content)).table], pkcs7
    )


def resigned_ps1(content: bytes, pkcs7: bytes) -> bytes:
    before, _, _ = content.partition(f"\r\n{powershell_signature.BEGIN}".encode())
    return with_block(before, pkcs7)


RESIGNED = {
    "msi": (SignedInstaller, resigned_msi),
    "pe": (SignedImage, resigned_pe),
    "ps1": (SignedScript, resigned_ps1),
}


def genuine_verdict(corpus, kind: str, change: Callable[[bytes], bytes]) -> str:
    content = (corpus / GENUINE[kind]).read_bytes()
    reader, resigned = RESIGNED[kind]
    document = resigned(content, change(reader(io.BytesIO(content)).pkcs7))
    try:
        authenticode.verify(io.BytesIO(document), kind, anchors=trusted.microsoft(), at=datetime.now(timezone.utc))
    except VerificationError as error:
        return error.reason
    return "accepted"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", ["signature", "timestamp"])
@pytest.mark.parametrize("place", foreign_bytes.PLACES)
def test_a_genuine_file_with_foreign_bytes_is_refused(corpus, kind, inside, place):
    for size in (700,) if kind == "msi" else SIZES:
        reason = genuine_verdict(
            corpus, kind, lambda pkcs7, size=size: foreign_bytes.put(pkcs7, Foreign(place, size, inside))
        )
        assert reason == WANTED[inside][place]


@pytest.mark.parametrize("kind", KINDS)
def test_the_genuine_file_put_together_again_is_accepted(corpus, kind):
    assert (
        genuine_verdict(corpus, kind, lambda pkcs7: signature_form.rewritten(der.read_signature(pkcs7))) == "accepted"
    )
