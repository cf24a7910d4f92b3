"""Reads one X.509 certificate in PEM (RFC 7468) or DER, without verifying it."""

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
"""What cryptography raises for certificates that it cannot read; it reads extensions and keys when asked for them."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")


@dataclass(frozen=True)
class Certificate:
    """One certificate; times are UTC."""

    der: bytes
    name: str
    """The subject's common name, or the whole subject (RFC 4514) where it has none."""
    authority: bool
    """Basic constraints say that it is a certificate authority (RFC 5280 section 4.2.1.9)."""
    signs_certificates: bool
    """Key usage, where there is one, has keyCertSign (section 4.2.1.3)."""
    self_signed: bool
    """Subject and issuer are one, and its own key made its signature."""
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
        """In PEM, lines of 64 characters: the same bytes whatever file it came from."""
        text = base64.b64encode(self.der)
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return b"\n".join((b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""))


def thumbprint(der: bytes) -> str:
    """SHA-1 of a certificate's DER: its name in Microsoft's tables, not a proof of anything."""
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def fingerprint(found: x509.Certificate) -> str:
    """SHA-256 of a certificate's DER, 64 lower-case hexadecimal digits: what it is known by."""
    return found.fingerprint(SHA256()).hex()


def parse_fingerprint(text: str) -> str:
    """The SHA-256 in ``text`` as 64 lower-case hex digits; empty where it is not one.

    Colons, blanks, case and a leading ``sha256`` do not matter: ``openssl x509 -fingerprint`` and people write them.
    """
    digits = re.sub(r"[\s:]", "", text.lower()).removeprefix("sha256").removeprefix("fingerprint=")
    return digits if _SHA256.fullmatch(digits) else ""


def in_pem(document: bytes) -> Iterator[bytes]:
    """The DER of every certificate in a PEM document; what is between them is passed over (RFC 7468 section 2)."""
    return (_decoded(match[1]) for match in _PEM.finditer(document))


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise ParseError("a certificate in it is no base64") from None


def read(document: bytes) -> Certificate:
    """The one certificate in ``document``, PEM or DER.

    Raises :class:`~bundler.formats.parse_error.ParseError` for none, several, a private key beside it, or bytes that
    no certificate has.
    """
    if len(document) > LARGEST:
        raise ParseError(f"is larger than {LARGEST} bytes", reason="too-big")
    if b"PRIVATE KEY-----" in document:
        raise ParseError("holds a private key, which must not travel; give the certificate alone")
    found = list(in_pem(document)) if b"-----BEGIN" in document else [document]
    if len(found) != 1:
        raise ParseError(f"holds {len(found) or 'no'} certificates; one file for each is wanted")
    return _described(loaded(found[0]), found[0])


def loaded(der: bytes) -> x509.Certificate:
    """The certificate in ``der``. Its names, times and extensions can all be read; its key is not looked at.

    Raises :class:`~bundler.formats.parse_error.ParseError`.
    """
    try:
        with warnings.catch_warnings():  # the library warns of what RFC 5280 forbids and CAs did once
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(der)
            # They are parsed when asked for.
            _ = found.extensions, found.subject.rfc4514_string(), found.issuer.rfc4514_string()
            _ = found.not_valid_before_utc, found.not_valid_after_utc
    except UNREADABLE:
        raise ParseError("is no certificate in PEM or DER") from None
    return found


def _described(found: x509.Certificate, der: bytes) -> Certificate:
    common = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Certificate(
        der=der,
        name=str(common[-1].value) if common else found.subject.rfc4514_string(),
        authority=_authority(found),
        signs_certificates=_signs(found),
        self_signed=_self_signed(found),
        starts=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
    )


def _authority(found: x509.Certificate) -> bool:
    try:
        return found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _signs(found: x509.Certificate) -> bool:
    try:
        return found.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _self_signed(found: x509.Certificate) -> bool:
    if found.subject != found.issuer:
        return False
    try:
        found.verify_directly_issued_by(found)
    except (InvalidSignature, TypeError, ValueError, UnsupportedAlgorithm):
        return False
    return True
