"""Decides whether a certificate may seal a bundle at a given time.

The same rules apply before signing (exit 8) and when a seal is verified (exit 6), so that no bundle is sealed that a
target server refuses. The certificate's name plays no role here: a seal is trusted by its certificate's fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from bundler.errors import SigningError, VerificationError
from bundler.model.seal import Algorithm

LEAST_RSA, MOST_RSA = 2048, 4096
"""Bits. Below is too weak (NIST SP 800-131A); above, the oldest targets' tools have not been tried."""

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning, RFC 9336."""

_SEALING = frozenset([ExtendedKeyUsageOID.CODE_SIGNING, DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])

Reason = Literal["seal-expired", "seal-not-yet-valid", "seal-purpose", "seal-weak-key"]

Role = Literal["sealer", "approver"]

_REFUSED: dict[Role, tuple[str, str]] = {
    "sealer": (
        "the bundle is sealed with a certificate that is not valid for sealing",
        "do not use it; have it sealed again with a valid certificate",
    ),
    "approver": (
        "the bundle is approved with a certificate that is not valid for approving",
        "do not use it; have it built again with the approver's valid certificate in the definition",
    ),
}
"""By role: what is wrong, and what to do, for the person who verifies."""


@dataclass(frozen=True)
class CertificateFault:
    """Why a certificate may not seal."""

    reason: Reason
    """The reason word of :class:`~bundler.errors.VerificationError`."""
    what: str
    """A sentence without its full stop; "it" is the certificate."""
    do: str
    """Advice for the person who signs."""


def faults(
    certificate: x509.Certificate, chain: Sequence[x509.Certificate], at: datetime
) -> tuple[CertificateFault, ...]:
    """Why ``certificate`` may not seal at that time; empty if it may.

    Args:
        certificate: the signer's.
        chain: its issuer's, that one's issuer's, and so on. It adds no trust; it must only belong to the certificate.
        at: the time, with zone.
    """
    key = _key(certificate)
    return (
        *((key,) if isinstance(key, CertificateFault) else ()),
        *_purpose_faults(certificate),
        *_time_faults(certificate, at),
        *_chain_faults(certificate, chain),
    )


def require_usable(certificate: x509.Certificate, chain: Sequence[x509.Certificate], at: datetime) -> None:
    """Require a certificate that may seal, before signing with it. Raises :class:`SigningError`."""
    found = faults(certificate, chain, at)
    if found:
        raise SigningError(
            "this certificate is not valid for sealing a bundle",
            details=[f"certificate: {display_name(certificate)}", *(f"{problem.what}." for problem in found)],
            do=found[0].do,
        )


def require_valid(certificate: x509.Certificate, at: datetime, *, role: Role) -> None:
    """Require a certificate that may sign a bundle in that ``role``, when verifying. Raises VerificationError."""
    found = faults(certificate, (), at)
    if found:
        what, do = _REFUSED[role]
        clock = found[0].reason in ("seal-expired", "seal-not-yet-valid")
        raise VerificationError(
            what,
            reason=found[0].reason,
            details=[f"certificate: {display_name(certificate)}", *(f"{problem.what}." for problem in found)],
            do=f"{'set the clock if it is wrong; otherwise ' if clock else ''}{do}",
        )


def algorithm_of(certificate: x509.Certificate) -> Algorithm:
    """The signature algorithm for the key of ``certificate``. Raises :class:`SigningError` for an unsuitable key."""
    found = _key(certificate)
    if isinstance(found, CertificateFault):
        raise SigningError(
            "this type of key cannot seal",
            details=[f"certificate: {display_name(certificate)}", f"{found.what}."],
            do=found.do,
        )
    return found


def display_name(certificate: x509.Certificate) -> str:
    """A certificate's subject on one line (RFC 4514), in ASCII whatever it contains."""
    try:
        text = certificate.subject.rfc4514_string() or "without a name"
    except ValueError:
        return "its name cannot be read"
    return ascii(text)[1:-1]


def _key(certificate: x509.Certificate) -> Algorithm | CertificateFault:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return _weak("its key is of an unknown kind")
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa-sha256" if LEAST_RSA <= key.key_size <= MOST_RSA else _weak(f"its key is RSA, {key.key_size} bits")
    if isinstance(key, ec.EllipticCurvePublicKey):
        if isinstance(key.curve, ec.SECP256R1):
            return "ecdsa-sha256"
        return "ecdsa-sha384" if isinstance(key.curve, ec.SECP384R1) else _weak(f"its key is on {key.curve.name}")
    kinds = (("Ed25519", ed25519.Ed25519PublicKey), ("Ed448", ed448.Ed448PublicKey), ("DSA", dsa.DSAPublicKey))
    name = next((name for name, kind in kinds if isinstance(key, kind)), "of a type that cannot seal")
    return _weak(f"its key is {name}")


def _weak(what: str) -> CertificateFault:
    allowed = f"RSA with {LEAST_RSA} to {MOST_RSA} bits, or on P-256 or P-384"
    return CertificateFault("seal-weak-key", f"{what}; it must be {allowed}", f"use a key that is {allowed}")


def _purpose_faults(certificate: x509.Certificate) -> Iterator[CertificateFault]:
    """RFC 5280 sections 4.2 (critical extensions), 4.2.1.3 (key usage), 4.2.1.12 (extended key usage)."""
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm):
        yield _misused("its extensions cannot be read")
        return
    for extension in extensions:
        content = extension.value
        if isinstance(content, x509.KeyUsage) and not content.digital_signature:
            yield _misused("its key usage lacks digitalSignature")
        elif isinstance(content, x509.ExtendedKeyUsage) and _SEALING.isdisjoint(content):
            yield _misused("its extended key usage lacks codeSigning, documentSigning or emailProtection")
        elif isinstance(content, x509.UnrecognizedExtension) and extension.critical:
            yield _misused(f"it has an unknown critical extension ({content.oid.dotted_string})")


def _misused(what: str) -> CertificateFault:
    wanted = "have the key certified with keyUsage digitalSignature and extendedKeyUsage codeSigning"
    return CertificateFault("seal-purpose", what, f"{wanted} (docs/sealing.md)")


def _time_faults(certificate: x509.Certificate, at: datetime) -> Iterator[CertificateFault]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at < begins:
        do = "check this computer's clock, or wait until the certificate is valid"
        yield CertificateFault("seal-not-yet-valid", f"it is valid from {_shown(begins)}; now it is {_shown(at)}", do)
    if at > ends:
        do = "renew the certificate; or set this computer's clock if the certificate has not expired"
        yield CertificateFault("seal-expired", f"it was valid until {_shown(ends)}; now it is {_shown(at)}", do)


def _chain_faults(certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> Iterator[CertificateFault]:
    for issued, issuer in zip((certificate, *chain), chain, strict=False):
        if not is_issuer(issuer, issued):
            what = f"the chain is broken: {display_name(issuer)} did not issue {display_name(issued)}"
            yield CertificateFault(
                "seal-purpose", what, "give only the certificate, or with it the certificates of its issuers"
            )
            return


def is_issuer(issuer: x509.Certificate, issued: x509.Certificate) -> bool:
    """Whether ``issuer`` issued ``issued``: by the signature, and by the names (RFC 5280 section 4.1.2.4)."""
    try:
        issued.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
