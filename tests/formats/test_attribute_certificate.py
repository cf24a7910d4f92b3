"""The attribute certificate beside a timestamp: like the genuine ones, or refused by what is wrong with it."""

from __future__ import annotations

import hashlib

import pytest

from bundler.formats import attribute_certificate, der
from bundler.formats.attribute_certificate import Holder

SUBJECT = der.value(0x30, der.value(0x31, b"the name of a time-stamping unit, of which the form does not matter"))
ISSUER = der.value(0x30, der.value(0x31, b"the name of its issuer"))
CERTIFICATE = b"the certificate of the unit"
HOLDER = Holder(certificate=CERTIFICATE, subject=SUBJECT, issuer=ISSUER, serial=b"\x02\x01\x07")
RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
DEVIATION, POLICY = bytes.fromhex("060a2b0601040184590a0401"), bytes.fromhex("060a2b0601040184590a0402")


def names(tag: int, name: bytes) -> bytes:
    return der.value(tag, der.value(0xA4, name))


def digest_of(certificate: bytes = CERTIFICATE) -> bytes:
    bits = der.value(0x03, b"\0" + hashlib.sha1(certificate, usedforsecurity=False).digest())
    return der.value(0xA2, b"\x0a\x01\x01" + bytes.fromhex("300706052b0e03021a") + bits)


def attribute(kind: bytes, value: bytes) -> bytes:
    return der.value(0x30, kind + der.value(0x31, value))


NUMBERS = der.value(0x30, der.value(0x30, b"\x02\x05\x00\xee\x85\x88\xb5\x02\x01\x00"))
ATTRIBUTES = attribute(DEVIATION, NUMBERS) + attribute(POLICY, NUMBERS)


def made(**changes: bytes) -> bytes:
    """An attribute certificate as genuine ones are, with some of its parts exchanged."""
    parts = {
        "version": b"\x02\x01\x01",
        "holder": der.value(0x30, names(0xA1, SUBJECT) + digest_of()),
        "issuer": der.value(0xA0, names(0x30, ISSUER)),
        "signed": RSA_SHA256,
        "serial": b"\x02\x05\x00\xee\x85\x88\xb5",
        "period": der.value(0x30, der.value(0x18, b"20261023071813Z") + der.value(0x18, b"20261024071813Z")),
        "attributes": der.value(0x30, ATTRIBUTES),
        "extensions": b"",
        "algorithm": RSA_SHA256,
        "value": der.value(0x03, bytes(257)),
    } | changes
    *information, algorithm, value = parts.values()
    return der.value(0xA1, der.value(0x30, b"".join(information)) + algorithm + value)


def padded(size: int) -> bytes:
    """One of exactly ``size`` bytes, all of them in numbers of its attributes."""
    for count in range(200):
        for last in range(1, 12):
            numbers = b"\x02\x01\x01" * count + der.value(0x02, b"\x01" * last if last < 9 else b"\x01" * 8)
            document = made(attributes=der.value(0x30, attribute(DEVIATION, der.value(0x30, numbers))))
            if len(document) == size:
                return document
    raise AssertionError(size)


def test_one_like_the_genuine_ones_is_accepted():
    assert attribute_certificate.fault(made(), HOLDER) == ""


@pytest.mark.parametrize(("size", "accepted"), [(722, True), (940, True), (1023, True), (1024, False), (1025, False)])
def test_it_has_less_than_a_kilobyte(size, accepted):
    assert (attribute_certificate.fault(padded(size), HOLDER) == "") is accepted


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"\xa2" + made()[1:], "another tag"),
        (b"\xa0" + made()[1:], "another tag"),
        (b"", "another tag"),
        (made() + b"\0", "strict DER"),
        (b"\xa1\x80" + made()[4:] + b"\0\0", "strict DER"),
        (b"\xa1\x83\x00" + made()[2:], "strict DER"),
        (made()[:-1], "strict DER"),
        (made(extensions=der.value(0x30, b"")), "strict DER"),
        (made(version=b"\x02\x01\x00"), "another version"),
        (made(version=b"\x0a\x01\x01"), "another form"),
        (made(holder=der.value(0x30, names(0xA1, ISSUER) + digest_of())), "another certificate"),
        (made(holder=der.value(0x30, names(0xA1, SUBJECT) + digest_of(b"another"))), "another certificate"),
        (made(holder=der.value(0x30, names(0xA1, SUBJECT))), "another certificate"),
        (made(holder=der.value(0x30, names(0xA1, SUBJECT) + digest_of() * 2)), "another certificate"),
        (made(holder=der.value(0x30, names(0xA1, SUBJECT) + digest_of() + b"\x04\x03LAB")), "another certificate"),
        (made(issuer=der.value(0xA0, names(0x30, SUBJECT))), "another issuer"),
        (made(signed=RSA_SHA256[:-2] + b"\x04\x00"), "unknown algorithm"),
        (made(algorithm=der.value(0x30, RSA_SHA256[2:] + b"\x04\x03LAB")), "unknown algorithm"),
        (made(value=der.value(0x03, bytes(258))), "another length"),
        (made(value=der.value(0x03, b"\x01" + bytes(256))), "another length"),
        (made(serial=der.value(0x02, b"\x01" * 21)), "a number"),
        (made(period=der.value(0x30, der.value(0x18, b"20261023071813Z"))), "a period"),
        (made(period=der.value(0x30, der.value(0x18, b"LAB: 15 letters") * 2)), "a period"),
        (made(holder=der.value(0x31, names(0xA1, SUBJECT) + digest_of())), "another form"),
        (made(attributes=der.value(0x30, b"\x31" + attribute(DEVIATION, NUMBERS)[1:])), "attributes"),
        (made(attributes=der.value(0x30, attribute(b"\x06\x02\x2a\x03", NUMBERS))), "attributes"),
        (made(attributes=der.value(0x30, attribute(DEVIATION, NUMBERS) * 2)), "attributes"),
        (made(attributes=der.value(0x30, attribute(DEVIATION, NUMBERS * 2))), "attributes"),
        (made(attributes=der.value(0x30, attribute(DEVIATION, b"\x04\x03LAB"))), "attributes"),
        (made(attributes=der.value(0x30, attribute(DEVIATION, der.value(0x02, b"\x01" * 10)))), "attributes"),
    ],
)
def test_any_other_is_refused_by_what_is_wrong(document, why):
    assert why in attribute_certificate.fault(document, HOLDER)


@pytest.mark.parametrize(
    "holder",
    [
        names(0xA1, SUBJECT) + der.value(0xA0, names(0x30, ISSUER) + HOLDER.serial),
        der.value(0xA0, names(0x30, ISSUER) + HOLDER.serial),
        digest_of(),
    ],
)
def test_a_holder_may_be_named_by_number_or_digest_alone(holder):
    assert attribute_certificate.fault(made(holder=der.value(0x30, holder)), HOLDER) == ""
