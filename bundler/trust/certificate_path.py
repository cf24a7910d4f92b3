"""Finds and checks the path from a certificate to a pinned root.

1. :class:`_Search` builds candidate paths by name and signature, up to a length and a number of attempts, so that a
   hostile pool of certificates costs little.
2. :func:`check` applies every rule to a candidate, at the time that counts: the timestamp's, or now.
3. :func:`find` returns the first path that passes; otherwise it raises what is wrong with the first candidate, which
   is the one that the signer meant.

RFC 5280 section 6.1 for names, signatures, validity, basic constraints, path length and key usage; the extended key
usage nests, as in Windows and browsers. Stricter than the standard: no SHA-1, no RSA under 2048 bits, no name
constraints (no pinned publisher uses them, so a reader that does not implement them loses nothing by refusing them).
``docs/decisions/0001`` explains why no library does this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from bundler.errors import VerificationError
from bundler.formats.certificate import UNREADABLE
from bundler.trust import path_revocation

ANY_PURPOSE: Final = "2.5.29.37.0"
STRONG: Final = frozenset({"sha256", "sha384", "sha512"})
"""The accepted digests, as hashlib names them."""

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
        # Every policy is accepted here (RFC 5280, 6.1.1 (c)), so this extension restricts nothing.
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)

Path = tuple[x509.Certificate, ...]
"""From the signing certificate to the root."""


@dataclass(frozen=True)
class Authority:
    """The roots that a path must end in, its purpose, and the revocation lists at hand."""

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


def _error(certificate: x509.Certificate, what: str, reason: str = "bad-certificate") -> VerificationError:
    return VerificationError(f"the certificate of {name_of(certificate)} {what}", reason=reason)


def find(leaf: x509.Certificate, pool: Sequence[x509.Certificate], authority: Authority, at: datetime) -> Path:
    """Find a valid path from ``leaf`` to a root, or from a pinned ``leaf`` to itself.

    Args:
        leaf: the signing certificate.
        pool: certificates that may stand in between, in any order.
        authority: the roots, the purpose and the revocation lists.
        at: the time at which every rule must hold, in UTC.

    Returns:
        The path, the leaf first.

    Raises:
        VerificationError: ``untrusted-root`` if no path leads to a root; otherwise what is wrong with the first path:
            ``certificate-expired``, ``certificate-not-yet-valid``, ``wrong-purpose``, ``weak-digest``, ``weak-key``,
            ``bad-certificate``, ``revoked``.
    """
    if leaf in authority.roots:
        return _alone(leaf, authority, at)
    failures = []
    for path in _Search(pool, authority.roots).paths((leaf,)):
        try:
            check(path, authority, at)
        except VerificationError as error:  # noqa: PERF203 - one path at a time
            failures.append(error)
        else:
            return path
    raise failures[0] if failures else _error(leaf, "leads to no root that is trusted for this", "untrusted-root")


def _alone(certificate: x509.Certificate, authority: Authority, at: datetime) -> Path:
    """The path of a certificate that is pinned itself, as those are that sign with no authority above them.

    Tools that make them often leave the purpose out, or say that they are a CA's: the pin says what they are for.
    """
    _check_time(certificate, at)
    _check_extensions(certificate)
    check_key(certificate)
    usage, allowed = _key_usage(certificate), purposes(certificate)
    if (usage and not usage.digital_signature) or (allowed and not allowed & {authority.purpose, ANY_PURPOSE}):
        raise _error(certificate, "was not issued for this purpose", "wrong-purpose")
    _check_revocation((certificate, certificate), authority, at)
    return (certificate,)


def linked(leaf: x509.Certificate, pool: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> Path:
    """The first path from ``leaf`` to one of ``roots`` by names, signatures and CAs alone: it gives no trust.

    Who has an ordinary certificate under a root could otherwise issue others, and hide bytes in them.

    Raises:
        VerificationError: ``untrusted-root``.
    """
    for path in ((leaf,),) if leaf in roots else _Search(pool, roots).paths((leaf,)):
        if all(_basic_constraints(issuer).ca for issuer in path[1:]):
            return path
    raise _error(leaf, "leads to no known root", "untrusted-root")


class _Search:
    """Tries issuers by name and signature, a limited number of times."""

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
        # Names are compared first because they are cheap; each signature check counts, because certificates of one name
        # in a hostile pool could otherwise be combined without end.
        if certificate.issuer != issuer.subject or self._trials >= _MAX_TRIALS:
            return False
        self._trials += 1
        try:
            certificate.verify_directly_issued_by(issuer)
        except (InvalidSignature, *UNREADABLE):
            return False
        return True


def check(path: Path, authority: Authority, at: datetime) -> None:
    """Apply every rule to a path that fits by names and signatures. Raises as :func:`find`.

    1. Each certificate is valid at ``at`` and has no extension that could restrict it unknown to us.
    2. Each below the root has a strong signature and key; the root is trusted by its pin, not by its own signature.
    3. Each above the leaf may issue certificates, that far down.
    4. Each intermediate allows the purpose: extended key usage nests.
    5. The leaf may sign for the purpose and is no CA.
    6. None is revoked by a list of its issuer.
    """
    try:
        _check(path, authority, at)
    except UNREADABLE:
        raise _error(path[0], "or one above it cannot be read") from None


def _check(path: Path, authority: Authority, at: datetime) -> None:
    for certificate in path:
        _check_time(certificate, at)
        _check_extensions(certificate)
    for certificate in path[:-1]:
        algorithm = certificate.signature_hash_algorithm
        if algorithm is None or algorithm.name not in STRONG:
            raise _error(certificate, "was signed with a digest weaker than SHA-256", "weak-digest")
        check_key(certificate)
    for depth, certificate in enumerate(path[1:]):
        # Those not self-issued count against a path length (RFC 5280, 4.2.1.9).
        _check_authority(certificate, sum(below.subject != below.issuer for below in path[1 : 1 + depth]))
    for certificate in path[1:-1]:
        allowed = purposes(certificate)
        if allowed is not None and not allowed & {authority.purpose, ANY_PURPOSE}:
            raise _error(certificate, "is not allowed to issue certificates for this purpose", "wrong-purpose")
    _check_leaf(path[0], authority.purpose)
    _check_revocation(path, authority, at)


def check_alone(certificate: x509.Certificate, purpose: str, at: datetime) -> None:
    """Apply to one certificate every rule that does not concern its issuers: it is trusted by its own fingerprint.

    Raises as :func:`find`.
    """
    try:
        _check_time(certificate, at)
        _check_extensions(certificate)
        check_key(certificate)
        _check_leaf(certificate, purpose)
    except UNREADABLE:
        raise _error(certificate, "cannot be read") from None


def _check_time(certificate: x509.Certificate, at: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= at <= end:
        early = at < start
        word = "was not yet valid" if early else "had expired"
        reason = "certificate-not-yet-valid" if early else "certificate-expired"
        raise _error(certificate, f"{word} at {at:%Y-%m-%d %H:%M} UTC", reason)


def _check_extensions(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.oid == ExtensionOID.NAME_CONSTRAINTS or (extension.critical and extension.oid not in _UNDERSTOOD):
            raise _error(certificate, f"has an extension that is not supported ({extension.oid.dotted_string})")


def check_key(certificate: x509.Certificate) -> None:
    """Refuse keys that are neither RSA of 2048 bits or more nor on an elliptic curve of 256 or more."""
    key = certificate.public_key()
    strong_rsa = isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS
    if not strong_rsa and not (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256):
        raise _error(certificate, "has a key that is too weak or of an unknown kind", "weak-key")


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
    """RFC 5280, 6.1.4 (k) to (n): the certificate may issue others, with ``below`` CAs under it."""
    constraints, usage = _basic_constraints(certificate), _key_usage(certificate)
    if not constraints.ca:
        raise _error(certificate, "issued another one, but is not a CA")
    if usage is not None and not usage.key_cert_sign:
        raise _error(certificate, "issued another one, but its key is not for signing certificates")
    if constraints.path_length is not None and below > constraints.path_length:
        raise _error(certificate, "allows fewer CAs below it than there are")


def _check_leaf(certificate: x509.Certificate, purpose: str) -> None:
    usage, allowed = _key_usage(certificate), purposes(certificate)
    if _basic_constraints(certificate).ca:
        raise _error(certificate, "is a CA certificate, and CAs sign no files")
    if usage is not None and not usage.digital_signature:
        raise _error(certificate, "has a key that is not for signing", "wrong-purpose")
    if allowed is None or purpose not in allowed:
        raise _error(certificate, "was not issued for this purpose", "wrong-purpose")


def _check_revocation(path: Path, authority: Authority, at: datetime) -> None:
    for certificate, issuer in pairwise(path):
        why = path_revocation.fault(certificate, issuer, authority.revocation_lists, at)
        if why:
            raise _error(certificate, why, "revoked")
