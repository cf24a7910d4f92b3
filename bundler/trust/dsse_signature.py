"""Verifies the signature of a DSSE envelope with a certificate's key."""

from __future__ import annotations

from cryptography import x509

from bundler.errors import SigningError, VerificationError
from bundler.formats import dsse
from bundler.formats.certificate import fingerprint
from bundler.formats.parse_error import ParseError
from bundler.trust.certificate_policy import algorithm_of
from bundler.trust.public_key import verifies


def verify(document: bytes, certificate: x509.Certificate, *, payload_type: str = dsse.IN_TOTO) -> bytes:
    """Verify that the key of ``certificate`` signed the envelope ``document`` as ``payload_type``.

    Whether the certificate is trusted and valid is for the caller to verify.

    Returns:
        The payload.

    Raises:
        VerificationError: ``bad-provenance`` for another form or payload type, or a signature that does not match;
            ``other-signer`` for another key.
    """
    try:
        found = dsse.read(document)
    except ParseError as error:
        raise _error(str(error)) from None
    if found.payload_type != payload_type:
        raise _error(f"the envelope has the payload type {found.payload_type!a}; expected {payload_type!a}")
    if found.keyid != fingerprint(certificate):
        raise _error(
            f"the envelope is signed by {found.keyid!a}; expected {fingerprint(certificate)}", reason="other-signer"
        )
    if not _matches(certificate, found):
        raise _error("the envelope's signature does not match its content")
    return found.payload


def _matches(certificate: x509.Certificate, found: dsse.Envelope) -> bool:
    try:
        algorithm = algorithm_of(certificate)
    except SigningError:  # a key of a kind that never signs here
        return False
    return verifies(certificate, algorithm, found.signature, dsse.pae(found.payload_type, found.payload))


def _error(what: str, *, reason: str = "bad-provenance") -> VerificationError:
    return VerificationError(
        what, reason=reason, do="do not use it; get the file again from the person who built the bundle"
    )
