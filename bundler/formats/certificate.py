"""Reads X.509 certificates in PEM (RFC 7468) or DER, and their fingerprints; verifies nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from bundler.formats.parse_error import ParseError

LARGEST = 1 << 16
"""Bytes of one certificate's file."""

UNREADABLE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for certificates that it cannot read, also later: it parses extensions and keys on use."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
# No two repetitions that match the same characters: those would cost n * n steps on white space.
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


@dataclass(frozen=True)
class Certificate:
    """One certificate; times are UTC."""

    der: bytes
    name: str
    """The subject's common name, or the whole subject (RFC 4514) if it has none."""
    authority: bool
    """Whether basic constraints make it a CA (RFC 5280 section 4.2.1.9)."""
    signs_certificates: bool
    """Whether key usage, if present, has keyCertSign (section 4.2.1.3)."""
    self_signed: bool
    """Whether subject and issuer are equal, and its own key made its signature."""
    starts: datetime
    ends: datetime

    @property
    def sha1(self) -> str:
        """Thumbprint, as Windows shows it: 40 hexadecimal digits in upper case."""
        return thumbprint(self.der)

    @property
    def sha256(self) -> str:
        """SHA-256 of the DER in lower case."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> bytes:
        """PEM with lines of 64 characters: the same bytes whatever file it came from."""
        text = base64.b64encode(self.der)
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return b"\n".join((b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""))


def thumbprint(der: bytes) -> str:
    """SHA-1 of a certificate's DER: an identifier in Microsoft's tools, not a proof."""
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def fingerprint(found: x509.Certificate) -> str:
    """SHA-256 of a certificate's DER, 64 lower-case hexadecimal digits."""
    return found.fingerprint(SHA256()).hex()


def parse_fingerprint(text: str) -> str:
    """The SHA-256 in ``text`` as 64 lower-case hex digits; empty where it is not one.

    Colons, blanks, case and a leading ``sha256`` do not matter: ``openssl x509 -fingerprint`` and people write them.
    """
    digits = re.sub(r"[\s:]", "", text.lower()).removeprefix("sha256").removeprefix("fingerprint=")
    return digits if _SHA256.fullmatch(digits) else ""


def in_pem(document: bytes) -> Iterator[bytes]:
    """The DER of every certificate in a PEM document; text between them is ignored (RFC 7468 section 2)."""
    for match in _PEM.finditer(document):
        try:
            der = base64.b64decode(b"".join(match[1].split()), validate=True)
        except binascii.Error:
            raise ParseError("holds a certificate that is not valid base64") from None
        yield der


def read(document: bytes) -> Certificate:
    """The one certificate in ``document``, PEM or DER.

    Raises:
        ParseError: no or several certificates, a private key beside it, or a malformed certificate.
    """
    if len(document) > LARGEST:
        raise ParseError(f"is larger than {LARGEST} bytes", reason="too-big")
    if b"PRIVATE KEY-----" in document:
        raise ParseError("holds a private key, which must not leave its computer; give only the certificate")
    found = list(in_pem(document)) if b"-----BEGIN" in document else [document]
    if len(found) != 1:
        raise ParseError(f"holds {len(found) or 'no'} certificates; give one file for each")
    return _described(loaded(found[0]), found[0])


def loaded(der: bytes) -> x509.Certificate:
    """The certificate in ``der``. Names, times and extensions are parsed, its key is not.

    Raises:
        ParseError: it is not a readable certificate.
    """
    try:
        with warnings.catch_warnings():  # the library warns of what RFC 5280 forbids but CAs once issued
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(der)
            # The library parses these on use: use them here, so that no later code meets the error.
            _ = found.extensions, found.subject.rfc4514_string(), found.issuer.rfc4514_string()
            _ = found.not_valid_before_utc, found.not_valid_after_utc
    except UNREADABLE:
        raise ParseError("is not a certificate in PEM or DER") from None
    return found


def described(der: bytes) -> Certificate:
    """One certificate in DER. Raises ParseError."""
    return _described(loaded(der), der)


def has_number(found: x509.Certificate) -> bool:
    """Whether the serial number is one that an authority may give: a positive one (RFC 5280 section 4.1.2.2)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return found.serial_number > 0


def _described(found: x509.Certificate, der: bytes) -> Certificate:
    common = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    authority, signs = False, True  # as RFC 5280 has it without the two extensions
    for extension in found.extensions:
        if isinstance(extension.value, x509.BasicConstraints):
            authority = extension.value.ca
        elif isinstance(extension.value, x509.KeyUsage):
            signs = extension.value.key_cert_sign
    return Certificate(
        der=der,
        name=str(common[-1].value) if common else found.subject.rfc4514_string(),
        authority=authority,
        signs_certificates=signs,
        self_signed=_self_signed(found),
        starts=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
    )


def _self_signed(found: x509.Certificate) -> bool:
    if found.subject != found.issuer:
        return False
    try:
        found.verify_directly_issued_by(found)
    except (InvalidSignature, TypeError, ValueError, UnsupportedAlgorithm):
        return False
    return True
