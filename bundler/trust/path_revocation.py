"""Says whether a revocation list revokes a certificate of a path at the time of signing (RFC 5280, 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Final

from cryptography import x509

_ALWAYS_REVOKED: Final = frozenset(
    {
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.ca_compromise,
        x509.ReasonFlags.aa_compromise,
    }
)


def fault(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    lists: Sequence[x509.CertificateRevocationList],
    at: datetime,
) -> str:
    """Why a certificate counts as revoked; empty if it does not.

    A compromised key can have signed at any time, whatever the timestamp says. Any other reason counts from the date in
    the list on (RFC 5280, 5.3.1 and 5.3.2).

    Args:
        certificate: the one in question.
        issuer: its issuer's certificate.
        lists: the revocation lists at hand.
        at: the time that counts, in UTC.
    """
    for revocations in lists:
        if revocations.issuer != certificate.issuer:
            continue
        if not revocations.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            # A root of the same name may have its own list: only the issuer's list applies to this certificate.
            continue
        entry = revocations.get_revoked_certificate_by_serial_number(certificate.serial_number)
        why = _entry_fault(entry, at) if entry is not None else ""
        if why:
            return why
    return ""


def _entry_fault(entry: x509.RevokedCertificate, at: datetime) -> str:
    since, reason = entry.revocation_date_utc, None
    for extension in entry.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
        elif isinstance(extension.value, x509.InvalidityDate):
            since = min(since, extension.value.invalidity_date.replace(tzinfo=timezone.utc))
    if reason == x509.ReasonFlags.remove_from_crl:
        return ""
    if reason in _ALWAYS_REVOKED:
        return "was revoked because its key was compromised"
    return f"was revoked on {since:%Y-%m-%d}, before this was signed" if since <= at else ""
