"""Checks a sealer's or an approver's certificate against certificate revocation lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from bundler.errors import VerificationError
from bundler.integrity.findings import DO_NOT_USE, seal_error
from bundler.trust.certificate_policy import display_name, is_issuer

Lists = Collection[x509.CertificateRevocationList]


def require_unrevoked(
    certificate: x509.Certificate, known: Sequence[x509.Certificate], lists: Lists, at: datetime
) -> None:
    """Refuse a certificate that its issuer revoked (RFC 5280 section 6.3.3).

    The date of the revocation does not matter: a seal has no timestamp, so only the signer says when it was made.

    Args:
        certificate: the signer's.
        known: certificates among which the issuer's must be; they need no trust, because only one that issued
            ``certificate`` is used.
        lists: those of other issuers are skipped.
        at: time of verification; a list must not have expired then.

    Raises:
        VerificationError: ``seal-revoked``, also for a list of this issuer that cannot be relied on.
    """
    who = display_name(certificate)
    for revoked in (one for one in lists if one.issuer == certificate.issuer):
        _require_issued(revoked, [one for one in known if is_issuer(one, certificate)], who)
        _require_current(revoked, at, who)
        if revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise _refused(f"the certificate of {who} was revoked by its issuer")


def unused_crls(lists: Lists, signers: Collection[x509.Certificate]) -> tuple[str, ...]:
    """The issuers of the ``lists`` that apply to none of the ``signers``: reported to the person who gave them."""
    issuers = {one.issuer for one in signers}
    return tuple(one.issuer.rfc4514_string() for one in lists if one.issuer not in issuers)


def _require_issued(revoked: x509.CertificateRevocationList, issuers: Collection[x509.Certificate], who: str) -> None:
    """Refuse a list if its issuer's certificate is missing, or did not sign it."""
    if not issuers:
        raise _refused(
            f"the revocation list for {who} cannot be verified: the issuer's certificate is missing",
            do="have the bundle sealed again with the issuer's certificate in `--seal-certificate FILE`; "
            f"or ask the issuer about {who}, and omit its list",
        )
    if not any(_signed_by(revoked, one) for one in issuers):
        raise _refused(
            f"the revocation list for {who} is not signed by the issuer that it names",
            do="download the list from the issuer again: this one proves nothing",
        )


def _require_current(revoked: x509.CertificateRevocationList, at: datetime, who: str) -> None:
    """Refuse a list that covers only some certificates, or that has expired."""
    if any(extension.critical for extension in revoked.extensions):
        raise _refused(
            f"the revocation list for {who} covers only some certificates",
            do="give the issuer's complete list, not a delta or a partial one (RFC 5280 sections 5.2.4 and 5.2.5)",
        )
    ends = revoked.next_update_utc
    if ends is not None and ends < at:
        raise _refused(
            f"the revocation list for {who} expired on {ends:%Y-%m-%d}",
            do="download the current list from the issuer",
        )


def _signed_by(revoked: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return revoked.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # any other kind raises
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False


def _refused(what: str, do: str = DO_NOT_USE) -> VerificationError:
    return seal_error(what, "seal-revoked", do=do)
