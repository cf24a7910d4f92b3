"""Verifies the timestamp of a signature: an RFC 3161 token, or the countersignature that came before it.

Sources: RFC 3161, 2.4.2 and appendix A; RFC 2985, 5.3.6.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from bundler.errors import UsageError, VerificationError
from bundler.formats import authenticode as der
from bundler.formats import authenticode_values
from bundler.formats.authenticode import Signer
from bundler.formats.certificate import UNREADABLE
from bundler.model.anchor import Anchors, Purpose
from bundler.trust import certificate_path, signed_data
from bundler.trust.carried import Stamp
from bundler.trust.certificate_path import STRONG, Authority

TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

_FAULTS: Final[dict[str, str]] = {
    "untrusted-root": "timestamp-untrusted",
    "certificate-expired": "timestamp-expired",
    "certificate-not-yet-valid": "timestamp-not-yet-valid",
    "wrong-purpose": "timestamp-wrong-purpose",
    "bad-certificate": "timestamp-bad-certificate",
    "weak-digest": "weak-digest",
    "weak-key": "weak-key",
    "revoked": "revoked",
    "not-canonical": "timestamp-form",
}
"""The kinds of faults of a timestamp and its certificates, by the reason of the same fault elsewhere."""


@dataclass(frozen=True)
class Timestamp:
    """When a file was signed, by a trusted authority."""

    time: datetime
    stamp: Stamp


def verify(signer: Signer, pool: tuple[x509.Certificate, ...], anchors: Anchors, at: datetime) -> Timestamp | None:
    """Verify the timestamp of a signature; None where it has none.

    Args:
        signer: of the file.
        pool: the certificates in its signature, among them a countersigner's.
        anchors: the pinned roots.
        at: time of verification, with zone.

    Raises:
        VerificationError: ``timestamp-…``, ``weak-digest``, ``weak-key`` or ``revoked``.
    """
    tokens, older = signer.others(der.TIMESTAMP_RFC3161), signer.others(der.COUNTERSIGNATURE)
    if len(tokens) + len(older) > 1:
        raise VerificationError("the signature has more than one timestamp", reason="timestamp-invalid")
    if not tokens and not older:
        return None
    try:
        stamp = _token(tokens[0], signer, anchors) if tokens else _countersignature(older[0], signer, pool, anchors)
    except VerificationError as error:
        reason = _FAULTS.get(error.reason, "timestamp-invalid")
        raise VerificationError(f"the timestamp is not trusted: {error.what}", reason=reason) from None
    if stamp.time > at + CLOCK_TOLERANCE:
        raise VerificationError(
            f"the timestamp, {stamp.time:%Y-%m-%d %H:%M} UTC, is in the future", reason="timestamp-in-future"
        )
    return stamp


def _token(token: bytes, signer: Signer, anchors: Anchors) -> Timestamp:
    """Verify a timestamp token (RFC 3161, 2.4.2) over this signature.

    1. The token's signature is its signer's, and names its certificate.
    2. Its imprint is the digest of this signature's value: so it cannot be taken from another file.
    3. Its certificate leads to a root for timestamps, at its own time.
    """
    signature = der.read_signature(token)
    stamper, pool = signed_data.only_signer(signature), signed_data.certificates(signature)
    leaf, info = signed_data.signing_certificate(stamper, pool), authenticode_values.read_timestamp_info(signature)
    signed_data.check_signature(stamper, leaf, signature.content_type, signature.content)
    _check_named_certificate(stamper, leaf)
    if stamper.digest_algorithm not in signature.digest_algorithms:
        raise VerificationError("it names two different digests", reason="timestamp-invalid")
    if info.algorithm not in STRONG:
        raise VerificationError("its imprint is weaker than SHA-256", reason="weak-digest")
    if not hmac.compare_digest(hashlib.new(info.algorithm, signer.signature).digest(), info.digest):
        raise VerificationError("it was made for another signature", reason="timestamp-invalid")
    return Timestamp(info.time, Stamp(stamper, _path(leaf, pool, anchors, info.time), signature))


def _check_named_certificate(stamper: Signer, leaf: x509.Certificate) -> None:
    """RFC 3161, 2.4.1 and RFC 5816: the token names the certificate that made it."""
    named = authenticode_values.read_signing_certificate(stamper)
    if named is None or named[0] not in {"sha1", *STRONG}:
        raise VerificationError("it does not name its certificate", reason="timestamp-invalid")
    # SHA-1 only selects a certificate here, which is in the token and verified by its own signature (RFC 2634, 5.4).
    if not hmac.compare_digest(leaf.fingerprint(signed_data.HASHES[named[0]]()), named[1]):
        raise VerificationError("it names another certificate", reason="timestamp-invalid")


def _countersignature(older: bytes, signer: Signer, pool: tuple[x509.Certificate, ...], anchors: Anchors) -> Timestamp:
    """Verify a countersignature, the form before RFC 3161: a SignerInfo with a signing time (RFC 2985, 5.3.6)."""
    stamper = der.read_countersignature(older)
    leaf, time = signed_data.signing_certificate(stamper, pool), stamper.attribute(der.SIGNING_TIME)
    if time is None:
        raise VerificationError("it has no signing time", reason="timestamp-invalid")
    signed_data.check_signature(stamper, leaf, der.DATA, signer.signature)
    when = authenticode_values.read_signing_time(time)
    return Timestamp(when, Stamp(stamper, _path(leaf, pool, anchors, when), None))


def _path(
    leaf: x509.Certificate, pool: tuple[x509.Certificate, ...], anchors: Anchors, at: datetime
) -> certificate_path.Path:
    if certificate_path.purposes(leaf) != frozenset({TIME_STAMPING}):
        raise VerificationError("its certificate is not for timestamps only", reason="wrong-purpose")
    return certificate_path.find(leaf, pool, authority(anchors, "timestamping", TIME_STAMPING), at)


def pinned_roots(anchors: Anchors) -> tuple[x509.Certificate, ...]:
    """The pinned roots for any purpose. Raises UsageError."""
    return authority(anchors, "code-signing", "").roots + authority(anchors, "timestamping", "").roots


def authority(anchors: Anchors, purpose: Purpose, key_purpose: str) -> Authority:
    """The pinned roots for a purpose, and the revocation lists."""
    try:
        roots = [x509.load_pem_x509_certificate(r.pem.encode()) for r in anchors.roots if purpose in r.purposes]
        lists = [x509.load_pem_x509_crl(pem.encode()) for pem in anchors.revocation_lists]
    except UNREADABLE as error:
        raise UsageError(f"the anchors {anchors.name} cannot be read: {error}") from None
    return Authority(tuple(roots), key_purpose, tuple(lists))
