"""Describes the signer of a certificate in the form that manifest, people and scripts compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bundler.formats import cms
from bundler.formats.certificate import fingerprint, loaded
from bundler.model.seal import Recognised, Signer
from bundler.trust.certificate_policy import algorithm_of


def signer(certificate: x509.Certificate, *, name: str = "") -> Signer:
    """Describe the signer of ``certificate``.

    Args:
        certificate: the signer's.
        name: shown instead of its subject (RFC 4514) if given.

    Raises:
        SigningError: the key is of a kind that never seals.
    """
    return Signer(
        name=name or certificate.subject.rfc4514_string(),
        sha256=fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        algorithm=algorithm_of(certificate),
    )


def fingerprints(certificates: Iterable[x509.Certificate]) -> tuple[str, ...]:
    """SHA-256 of each in hex, sorted: certificates in a seal have no order (RFC 5652 section 5.1, a SET)."""
    return tuple(sorted(map(fingerprint, certificates)))


def recognised(certificates: Sequence[x509.Certificate], *, name: str = "") -> Recognised:
    """Describe the first of ``certificates``, with every form that its seals can have; they hold all of them."""
    described = signer(certificates[0], name=name)
    return Recognised(signer=described, forms=cms.forms(certificates, described.algorithm))


def public_key(der: bytes) -> bytes:
    """The public key of the certificate in ``der``, as DER of SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).

    Two certificates of one key give the same bytes.

    Raises:
        SigningError: the key is of a kind that never seals.
        ParseError: ``der`` is not a certificate.
    """
    certificate = loaded(der)
    algorithm_of(certificate)
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def from_der(der: bytes, *, name: str) -> Recognised:
    """Like :func:`recognised`, for one certificate in DER."""
    return recognised((loaded(der),), name=name)
