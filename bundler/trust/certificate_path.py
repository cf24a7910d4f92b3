"""Does a certificate lead to a pinned root, by rules that hold at a given time?

RFC 5280 section 6.1 for names, signatures, validity, basic constraints, path length and key usage; the extended
key usage nests, as Windows and browsers have it. Stricter than the standard: no SHA-1, no RSA under 2048 bits,
no name constraints (nobody whom we pin uses them, so nobody needs us to understand them).
``docs/decisions/0001-judging-authenticode-ourselves.md`` says why this is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from bundler.errors import VerificationError
from bundler.formats.certificate import UNREADABLE

ANY_PURPOSE: Final = "2.5.29.37.0"
STRONG: Final = frozenset({"sha256", "sha384", "sha512"})
"""The digests that are good enough, as hashlib names them."""

_MAX_LENGTH: Final = 6
_MAX_TRIALS: Final = 64
_MIN_RSA_BITS: Final = 2048
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        # Any policy is acceptable to us (RFC 5280, 6.1.1 (c)), so naming one is no limit.
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
_ALWAYS_REVOKED: Final = frozenset(
    {
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.ca_compromise,
        x509.ReasonFlags.aa_compromise,
    }
)

Path = tuple[x509.Certificate, ...]
"""From the signing certificate to the root."""


@dataclass(frozen=True)
class Authority:
    """What a path must end in, and the lists that may cut it."""

    roots: tuple[x509.Certificate, ...]
    purpose: str
    """Dotted extended key usage that every certificate below the root must allow."""
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = field(default=())


def name_of(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 writes it."""
    return certificate.subject.rfc4514_string()


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, as 64 lower-case hex digits."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def purposes(certificate: x509.Certificate) -> frozenset[str] | None:
    """The dotted extended key usages; None where the certificate does not limit them."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return frozenset(purpose.dotted_string for purpose in found)


def _refuse(certificate: x509.Certificate, what: str, reason: str = "bad-certificate") -> VerificationError:
    return VerificationError(f"the certificate of {name_of(certificate)} {what}", reason=reason)


def find(leaf: x509.Certificate, pool: Sequence[x509.Certificate], authority: Authority, at: datetime) -> Path:
    """Find a path from ``leaf`` over certificates of ``pool`` to a root, whose every rule holds at ``at`` (UTC).

    Raises :class:`~bundler.errors.VerificationError`: ``untrusted-root`` where no path is, and otherwise what is wrong
    with the first one: ``certificate-expired``, ``wrong-purpose``, ``weak-digest``, ``bad-certificate``, ``revoked``.
    """
    failures = []
    for path in _Search(pool, authority.roots).paths((leaf,)):
        failure = _failure(path, authority, at)
        if failure is None:
            return path
        failures.append(failure)
    raise failures[0] if failures else _refuse(leaf, "leads to no root that is trusted for this", "untrusted-root")


def _failure(path: Path, authority: Authority, at: datetime) -> VerificationError | None:
    try:
        check(path, authority, at)
    except VerificationError as error:
        return error
    return None


class _Search:
    """Tries issuers by name and signature, and not for ever."""

    def __init__(self, pool: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> None:
        self._roots = tuple(roots)
        self._pool = tuple(pool)
        self._trials = 0

    def paths(self, so_far: Path) -> Iterator[Path]:
        """Every path that continues ``so_far`` to a root, by name and signature alone."""
        for root in self._roots:
            if self._issued(so_far[-1], root) and root not in so_far:
                yield (*so_far, root)
        if len(so_far) < _MAX_LENGTH:
            for issuer in self._pool:
                if issuer not in so_far and self._issued(so_far[-1], issuer):
                    yield from self.paths((*so_far, issuer))

    def _issued(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        if certificate.issuer != issuer.subject or self._trials >= _MAX_TRIALS:
            return False
        self._trials += 1
        try:
            certificate.verify_directly_issued_by(issuer)
        except (InvalidSignature, *UNREADABLE):
            return False
        return True


def check(path: Path, authority: Authority, at: datetime) -> None:
    """Hold every rule against a path whose names and signatures fit; raises as :func:`find` does."""
    try:
        _check(path, authority, at)
    except UNREADABLE:
        raise _refuse(path[0], "or one above it cannot be read") from None


def _check(path: Path, authority: Authority, at: datetime) -> None:
    for certificate in path:
        _check_time(certificate, at)
        _check_extensions(certificate)
    for certificate in path[:-1]:
        _check_strength(certificate)
    for depth, certificate in enumerate(path[1:]):
        _check_authority(certificate, _intermediates(path[1 : 1 + depth]))
    for certificate in path[1:-1]:
        allowed = purposes(certificate)
        if allowed is not None and not allowed & {authority.purpose, ANY_PURPOSE}:
            raise _refuse(certificate, "may not issue for this purpose", "wrong-purpose")
    _check_leaf(path[0], authority.purpose)
    for certificate, issuer in pairwise(path):
        _check_revocation(certificate, issuer, authority.revocation_lists, at)


def check_alone(certificate: x509.Certificate, purpose: str, at: datetime) -> None:
    """Hold against one certificate every rule that asks nothing of its issuers: who pins it believes no issuer.

    Raises as :func:`find` does.
    """
    try:
        _check_time(certificate, at)
        _check_extensions(certificate)
        check_key(certificate)
        _check_leaf(certificate, purpose)
    except UNREADABLE:
        raise _refuse(certificate, "cannot be read") from None


def _intermediates(certificates: Sequence[x509.Certificate]) -> int:
    """How many count against a path length: those not self-issued (RFC 5280, 4.2.1.9)."""
    return sum(certificate.subject != certificate.issuer for certificate in certificates)


def _check_time(certificate: x509.Certificate, at: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= at <= end:
        word = "was not yet valid" if at < start else "had expired"
        raise _refuse(certificate, f"{word} at {at:%Y-%m-%d %H:%M} UTC", "certificate-expired")


def _check_extensions(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.oid == ExtensionOID.NAME_CONSTRAINTS or (extension.critical and extension.oid not in _UNDERSTOOD):
            raise _refuse(certificate, f"has a limit that is not understood ({extension.oid.dotted_string})")


def _check_strength(certificate: x509.Certificate) -> None:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in STRONG:
        raise _refuse(certificate, "was signed with a digest weaker than SHA-256", "weak-digest")
    check_key(certificate)


def check_key(certificate: x509.Certificate) -> None:
    """Refuse keys that are neither RSA of 2048 bits or more nor on an elliptic curve of 256 or more."""
    key = certificate.public_key()
    strong_rsa = isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS
    if not strong_rsa and not (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256):
        raise _refuse(certificate, "has a key that is too weak or of an unknown kind", "weak-key")


def _key_usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _basic_constraints(certificate: x509.Certificate) -> x509.BasicConstraints:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return x509.BasicConstraints(ca=False, path_length=None)


def _check_authority(certificate: x509.Certificate, below: int) -> None:
    """RFC 5280, 6.1.4 (k) to (n): it may issue certificates, and this far down."""
    constraints, usage = _basic_constraints(certificate), _key_usage(certificate)
    if not constraints.ca:
        raise _refuse(certificate, "issued another, though it is no authority")
    if usage is not None and not usage.key_cert_sign:
        raise _refuse(certificate, "issued another, though its key may not sign certificates")
    if constraints.path_length is not None and below > constraints.path_length:
        raise _refuse(certificate, "allows fewer authorities below it than there are")


def _check_leaf(certificate: x509.Certificate, purpose: str) -> None:
    usage, allowed = _key_usage(certificate), purposes(certificate)
    if _basic_constraints(certificate).ca:
        raise _refuse(certificate, "is an authority's, and authorities sign no files")
    if usage is not None and not usage.digital_signature:
        raise _refuse(certificate, "has a key that may not sign", "wrong-purpose")
    if allowed is None or purpose not in allowed:
        raise _refuse(certificate, "was not issued for this purpose", "wrong-purpose")


def _check_revocation(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    lists: Sequence[x509.CertificateRevocationList],
    at: datetime,
) -> None:
    """Hold the lists that are at hand against one certificate.

    A compromised key could have signed at any time, whatever its timestamp says; any other reason counts
    from the day on that the list names (RFC 5280, 5.3.1 and 5.3.2).
    """
    for revocations in lists:
        if revocations.issuer != certificate.issuer:
            continue
        if not revocations.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            # A root of the same name may have a list of its own: only the issuer's speaks of this certificate.
            continue
        entry = revocations.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None:
            _check_entry(certificate, entry, at)


def _check_entry(certificate: x509.Certificate, entry: x509.RevokedCertificate, at: datetime) -> None:
    since, reason = entry.revocation_date_utc, None
    for extension in entry.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
        elif isinstance(extension.value, x509.InvalidityDate):
            since = min(since, extension.value.invalidity_date.replace(tzinfo=timezone.utc))
    if reason == x509.ReasonFlags.remove_from_crl:
        return
    if reason in _ALWAYS_REVOKED:
        raise _refuse(certificate, "was revoked because its key was stolen", "revoked")
    if since <= at:
        raise _refuse(certificate, f"was revoked on {since:%Y-%m-%d}, before this was signed", "revoked")
