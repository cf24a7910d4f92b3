"""Checks the attribute certificate that Microsoft's time-stamping units put into their tokens.

It states how the unit's clock was set (nCipher's arc 1.3.6.1.4.1.601). The timestamp does not cover it, and the key
that signed it is not published: so it may hold only what the genuine ones hold, which are all of one form.

Sources: RFC 5755, section 4.1, for the form; RFC 5652, 10.2.2, for its place in a signature, where its tag is ``[1]``
as Microsoft writes it; about 400 genuine files of 2020 to 2026.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bundler.formats import der
from bundler.formats.der import Element

TAG: Final = 0xA1
"""Of an attribute certificate in a CertificateSet."""
LIMIT: Final = 1 << 10
"""Bytes; it must have less. The genuine ones have 722 to 940."""

_SEQUENCE, _SET, _INTEGER, _OID, _ENUMERATED, _TIME, _BITS = 0x30, 0x31, 0x02, 0x06, 0x0A, 0x18, 0x03
_BY_NUMBER, _BY_NAME, _BY_DIGEST, _NAME, _ISSUED_BY = 0xA0, 0xA1, 0xA2, 0xA4, 0xA0
_VERSION_2: Final = b"\x01"
_OF_CERTIFICATE: Final = b"\x01"
_DIGESTS: Final = {
    "sha1": bytes.fromhex("06052b0e03021a"),
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
}
_ALGORITHMS: Final = frozenset(
    bytes.fromhex(f"300d06092a864886f70d0101{number}0500") for number in ("05", "0b", "0c", "0d")
)
"""RSA with SHA-1, as until 2023, or with SHA-2."""
_ATTRIBUTES: Final = frozenset({bytes.fromhex("060a2b0601040184590a0401"), bytes.fromhex("060a2b0601040184590a0402")})
"""1.3.6.1.4.1.601.10.4.1 and .2: measured deviations of the clock, and what the unit's policy allows."""
_NESTING: Final = frozenset({_SEQUENCE, _SET, 0xA0, 0xA1})
_LONGEST: Final = {_INTEGER: 9, _OID: 16}
"""Bytes of the values in the attributes, by type; there are no others."""
_MOMENT: Final = re.compile(rb"[0-9]{14}Z")
_LONGEST_SERIAL: Final = 20  # RFC 5755, 4.2.5
_SIGNATURES: Final = frozenset({128, 256, 384, 512})
"""Bytes of its signature: RSA of 1024 bits and more."""


@dataclass(frozen=True)
class Holder:
    """The certificate that made the timestamp."""

    certificate: bytes
    """DER."""
    subject: bytes
    """DER of its name."""
    issuer: bytes
    """DER of its issuer's name."""
    serial: bytes
    """DER of its number."""


def fault(document: bytes, holder: Holder) -> str:
    """What is wrong with an attribute certificate beside a timestamp; empty if it is like the genuine ones.

    Args:
        document: a member of a CertificateSet, with its tag.
        holder: the certificate that it must be about.
    """
    if document[:1] != bytes([TAG]):
        return "has another tag than [1]"
    if len(document) >= LIMIT:
        return f"has {len(document)} bytes; genuine ones have less than {LIMIT}"
    try:
        return _fault(der.elements(der.one(document).contents), holder)
    except ValueError:
        return "is not in strict DER, or not of the form that genuine ones have"


def _fault(parts: Sequence[Element], holder: Holder) -> str:
    information, algorithm, value = parts
    version, about, by, signed, serial, period, attributes = der.elements(information.contents)
    outer = (information.tag, version.tag, about.tag, serial.tag, period.tag, attributes.tag, value.tag)
    bits = value.contents
    times = [time.tag == _TIME and bool(_MOMENT.fullmatch(time.contents)) for time in _inside(period)]
    rules = (
        (
            outer == (_SEQUENCE, _INTEGER, _SEQUENCE, _INTEGER, _SEQUENCE, _SEQUENCE, _BITS),
            "is of another form than genuine ones",
        ),
        (version.contents == _VERSION_2, "is of another version than genuine ones"),
        (_is_about(about, holder), "is about another certificate than the timestamp's signer"),
        (by.whole == der.value(_ISSUED_BY, _general_name(holder.issuer, _SEQUENCE)), "names another issuer"),
        (signed.whole == algorithm.whole and algorithm.whole in _ALGORITHMS, "has an unknown algorithm"),
        (bits[:1] == b"\0" and len(bits) - 1 in _SIGNATURES, "has a signature of another length than genuine ones"),
        (len(serial.contents) <= _LONGEST_SERIAL, "has a number that no authority gives"),
        (times == [True, True], "has a period of another form than genuine ones"),
        (_are_known(attributes), "has attributes that genuine ones do not have"),
    )
    return next((why for holds, why in rules if not holds), "")


def _is_about(about: Element, holder: Holder) -> bool:
    """Whether the holder is the signer (RFC 5755, 4.2.2 and 7.3), and nothing else is said of it.

    Genuine ones give its name, and the SHA-1 of its certificate.
    """
    by_number = der.value(_BY_NUMBER, _general_name(holder.issuer, _SEQUENCE) + holder.serial)
    certain = {by_number, *(_by_digest(holder.certificate, name) for name in _DIGESTS)}
    said = [part.whole for part in _inside(about)]
    admitted = certain | {_general_name(holder.subject, _BY_NAME)}
    return len(set(said)) == len(said) and certain & set(said) != set() and set(said) <= admitted


def _by_digest(certificate: bytes, name: str) -> bytes:
    digest = hashlib.new(name, certificate, usedforsecurity=False).digest()
    algorithm = der.value(_SEQUENCE, _DIGESTS[name])
    return der.value(_BY_DIGEST, der.value(_ENUMERATED, _OF_CERTIFICATE) + algorithm + der.value(_BITS, b"\0" + digest))


def _are_known(attributes: Element) -> bool:
    """Whether each attribute is a known one, once, with one value of numbers and identifiers."""
    found = [_inside(attribute) for attribute in _inside(attributes)]
    kinds = [kind.whole for kind, _ in found]
    if any(attribute.tag != _SEQUENCE for attribute in _inside(attributes)):
        return False
    if len(set(kinds)) != len(kinds) or not set(kinds) <= _ATTRIBUTES:
        return False
    return all(values.tag == _SET and len(_inside(values)) == 1 and _are_numbers(values) for _, values in found)


def _are_numbers(value: Element) -> bool:
    if value.tag in _NESTING:
        return all(map(_are_numbers, _inside(value)))
    return 0 < len(value.contents) <= _LONGEST.get(value.tag, 0)


def _inside(value: Element) -> tuple[Element, ...]:
    return der.elements(value.contents)


def _general_name(name: bytes, tag: int) -> bytes:
    """GeneralNames with one directory name."""
    return der.value(tag, der.value(_NAME, name))
