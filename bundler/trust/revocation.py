"""Did the issuer of a sealer's or an approver's certificate take it back?"""

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
    """Refuse a certificate that its issuer took back (RFC 5280 section 6.3.3): a list counts if its issuer signed it.

    The issuer's certificate must be among those ``known``, which need no trust: they are looked at if they issued it.
    A list of another issuer says nothing. ``at`` before the revocation is no excuse: nothing but the signer's own word
    says when a seal was made. Raises :class:`~bundler.errors.VerificationError`, ``seal-revoked``.
    """
    who = display_name(certificate)
    for revoked in (one for one in lists if one.issuer == certificate.issuer):
        _require_issued(revoked, [one for one in known if is_issuer(one, certificate)], who)
        _require_telling(revoked, at, who)
        if revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise _refused(f"the certificate of {who} was revoked by its issuer")


def unused_crls(lists: Lists, signers: Collection[x509.Certificate]) -> tuple[str, ...]:
    """The issuers of those ``lists`` that tell of none of the ``signers``: whoever gave them may think otherwise."""
    issuers = {one.issuer for one in signers}
    return tuple(one.issuer.rfc4514_string() for one in lists if one.issuer not in issuers)


def _require_issued(revoked: x509.CertificateRevocationList, issuers: Collection[x509.Certificate], who: str) -> None:
    """Refuse a list whose issuer is not here, or which that issuer did not sign."""
    if not issuers:
        raise _refused(
            f"whether the revocation list is by the issuer of {who} cannot be told: its certificate is not here",
            do="have the bundle sealed with its issuer's certificate, too, in `--seal-certificate FILE`; "
            f"or ask the issuer itself about {who}, and leave its list out",
        )
    if not any(_signed_by(revoked, one) for one in issuers):
        raise _refused(
            f"a revocation list names the issuer of {who}, but is not signed by it",
            do="fetch the list from the issuer itself: this one says nothing, good or bad",
        )


def _require_telling(revoked: x509.CertificateRevocationList, at: datetime, who: str) -> None:
    """Refuse a list that tells of some certificates alone, or of the past."""
    if any(extension.critical for extension in revoked.extensions):
        raise _refused(
            f"the revocation list of the issuer of {who} tells of some certificates alone",
            do="give the issuer's whole list: no delta, and not one of a part (RFC 5280 sections 5.2.4 and 5.2.5)",
        )
    ends = revoked.next_update_utc
    if ends is not None and ends < at:
        raise _refused(
            f"the revocation list of the issuer of {who} ended on {ends:%Y-%m-%d}",
            do="fetch the present list from the issuer",
        )


def _signed_by(revoked: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return revoked.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # any other kind raises
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False


def _refused(what: str, do: str = DO_NOT_USE) -> VerificationError:
    return seal_error(what, "seal-revoked", do=do)
