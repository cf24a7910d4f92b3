"""Who is it that a certificate names, as people and scripts compare it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bundler.formats import cms
from bundler.formats.certificate import fingerprint, loaded
from bundler.model.seal import Recognised, Signer
from bundler.trust.certificate_policy import algorithm_of


def signer(certificate: x509.Certificate, *, name: str = "") -> Signer:
    """The signer that ``certificate`` names; ``name`` stands for its subject (RFC 4514) where it is given.

    Raises as :func:`bundler.trust.certificate_policy.algorithm_of` for a key that never signs a seal.
    """
    return Signer(
        name=name or certificate.subject.rfc4514_string(),
        sha256=fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        algorithm=algorithm_of(certificate),
    )


def fingerprints(certificates: Iterable[x509.Certificate]) -> tuple[str, ...]:
    """SHA-256 of each in hex, sorted: in a seal they have no order (RFC 5652 section 5.1, a SET)."""
    return tuple(sorted(map(fingerprint, certificates)))


def recognised(certificates: Sequence[x509.Certificate], *, name: str = "") -> Recognised:
    """The first of ``certificates`` with every form that its seals have, which hold the others too."""
    described = signer(certificates[0], name=name)
    return Recognised(signer=described, forms=cms.forms(certificates, described.algorithm))


def public_key(der: bytes) -> bytes:
    """The public key of the certificate in ``der``, as DER (RFC 5280 section 4.1.2.7): whatever else it says, one key.

    Raises as :func:`bundler.trust.certificate_policy.algorithm_of`, and ParseError for no certificate.
    """
    certificate = loaded(der)
    algorithm_of(certificate)
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def from_der(der: bytes, *, name: str) -> Recognised:
    """As :func:`recognised`, for one certificate in DER that was read before."""
    return recognised((loaded(der),), name=name)
