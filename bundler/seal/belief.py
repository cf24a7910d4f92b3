"""Is a bundle sealed by somebody who is believed, and approved by those who must be asked?

Nothing in the bundle says whom to believe: that comes from whoever verifies. Everything else must then agree with
what the manifest says of its own seal, so that no seal can be taken away or added unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from bundler.errors import NotBelieved, SigningError
from bundler.formats.armor import armor
from bundler.formats.certificate import fingerprint
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.manifest import Manifest
from bundler.model.seal import Approval, Seal, Signer
from bundler.seal import cms, purposes, sums
from bundler.seal.check import Checked
from bundler.seal.identity import fingerprints, signer
from bundler.seal.purposes import is_issuer, require_believable
from bundler.seal.sealing import OPENPGP_KEY
from bundler.seal.signing import fits
from bundler.trust import openpgp

_DO = "do not use it; ask who built it, by another way than the bundle"


@dataclass(frozen=True)
class Trusted:
    """Whom the one who verifies believes."""

    signers: frozenset[str]
    """Fingerprints (SHA-256 of the certificate, lower-case hex)."""
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = ()
    approval: Approval | None = None
    """Whose approvals a bundle must ask for; None leaves that to the bundle's own sealer."""


@dataclass(frozen=True)
class Vouched:
    """A seal that is believed."""

    signer: Signer
    openpgp: str
    """Fingerprint of the OpenPGP key that sealed as well; empty: none did."""
    approved_by: tuple[Signer, ...]


def believe(found: Checked, trusted: Trusted, *, at: datetime) -> Vouched:
    """Believe a bundle whose hashes were checked: its seal, its approvals, and that its time is not over.

    Raises :class:`NotBelieved` with reason ``no-seal``, ``other-signer``, ``bad-seal``, ``seal-expired``,
    ``seal-not-yet-valid``, ``seal-purpose``, ``seal-weak-key``, ``seal-revoked``, ``missing-approval``,
    ``unknown-approval`` or ``bundle-expired``.
    """
    seal = believe_seal(found, trusted, at=at)
    approved = approvals(found, trusted, at=at)
    _require_enough(found.manifest, approved)
    _require_in_time(found.manifest, at)
    return Vouched(seal.signer, seal.openpgp, approved)


def believe_seal(found: Checked, trusted: Trusted, *, at: datetime) -> Seal:
    """Believe the sealer's signatures alone, as whoever has just made them does. Raises as :func:`believe`."""
    seal = found.manifest.seal
    if seal is None:
        raise _refused(
            "nobody sealed this bundle: whoever made it cannot be told from whoever changed it",
            "no-seal",
            do="have it built with a seal (docs/sealing.md); with `--insecure-no-seal` its hashes alone are checked",
        )
    for path in _sealed(seal):
        _believe_one(found.signed, path, seal, trusted, at)
    if seal.openpgp:
        _believe_openpgp(found, seal.openpgp, at)
    return seal


def _sealed(seal: Seal) -> tuple[str, ...]:
    """What the seal's CMS signatures are over."""
    plain = (sums.SUMS, sums.MANIFEST)
    return (*plain, *(path + sums.OPENPGP for path in plain)) if seal.openpgp else plain


def _believe_one(signed: Mapping[str, bytes], path: str, seal: Seal, trusted: Trusted, at: datetime) -> None:
    detached = _read(signed, path + sums.CMS)
    certificate = detached.certificates[0]
    sha256 = fingerprint(certificate)
    if sha256 not in trusted.signers:
        raise _other_signer(certificate, sha256, trusted)
    if not fits(certificate, detached.algorithm, detached.signature, _signed(signed, path)):
        raise _refused(f"the seal {path}{sums.CMS} is over something else", "bad-seal")
    require_believable(certificate, (), at)
    _require_unrevoked(certificate, detached.certificates, trusted.revocation_lists, at)
    if _signer(certificate) != seal.signer or detached.algorithm != seal.signer.algorithm:
        raise _refused("the manifest names another sealer than the one whose seal it has", "bad-seal")
    if fingerprints(detached.certificates[1:]) != seal.issuers:
        raise _refused(f"{path}{sums.CMS} holds other certificates than the sealer put there", "bad-seal")


def _read(signed: Mapping[str, bytes], path: str) -> cms.Detached:
    if path not in signed:
        raise _refused(f"the seal {path} is missing, though the manifest says that it was made", "no-seal")
    try:
        return cms.read(signed[path])
    except ValueError as error:
        raise _refused(f"{path} is no seal: {error}", "bad-seal") from error


def _signed(signed: Mapping[str, bytes], path: str) -> bytes:
    if path not in signed:
        raise _refused(f"{path} is missing, though it was sealed", "no-seal")
    return signed[path]


def _signer(certificate: x509.Certificate) -> Signer | None:
    try:
        return signer(certificate)
    except (SigningError, ValueError):
        return None


def _other_signer(certificate: x509.Certificate, sha256: str, trusted: Trusted) -> NotBelieved:
    name = ascii(certificate.subject.rfc4514_string())
    if not trusted.signers:
        return _refused(
            f"the bundle is sealed by {name}, and you named nobody whom you believe",
            "other-signer",
            details=[f"sha256:{sha256}"],
            do="get the sealer's fingerprint by another way than the bundle, and give it with "
            "`--signer sha256:…` (or `--signer FILE`, `--definition FILE`, ARC_BUNDLER_SIGNER)",
        )
    return _refused(
        f"the bundle is sealed by {name}, whom you do not believe",
        "other-signer",
        details=[f"sealed by: sha256:{sha256}", *(f"believed: sha256:{one}" for one in sorted(trusted.signers))],
    )


def _require_unrevoked(
    certificate: x509.Certificate,
    known: Sequence[x509.Certificate],
    lists: Collection[x509.CertificateRevocationList],
    at: datetime,
) -> None:
    """Refuse a certificate that its issuer took back (RFC 5280 section 6.3.3): a list counts if its issuer signed it.

    The issuer's certificate must be among those ``known``, which need no trust: they are looked at if they issued it.
    A list of another issuer says nothing. ``at`` before the revocation is no excuse: nothing but the signer's own word
    says when a seal was made.
    """
    who = purposes.named(certificate)
    concerned = [one for one in lists if one.issuer == certificate.issuer]
    for revoked in concerned:
        issuers = [one for one in known if is_issuer(one, certificate)]
        if not issuers:
            raise _refused(
                f"whether the revocation list is by the issuer of {who} cannot be told: its certificate is not here",
                "seal-revoked",
                do="have the bundle sealed with its issuer's certificate, too, in `--seal-certificate FILE`; "
                f"or ask the issuer itself about {who}, and leave its list out",
            )
        if not any(_signed_by(revoked, one) for one in issuers):
            raise _refused(
                f"a revocation list names the issuer of {who}, but is not signed by it",
                "seal-revoked",
                do="fetch the list from the issuer itself: this one says nothing, good or bad",
            )
        if any(extension.critical for extension in revoked.extensions):
            raise _refused(
                f"the revocation list of the issuer of {who} tells of some certificates alone",
                "seal-revoked",
                do="give the issuer's whole list: no delta, and not one of a part (RFC 5280 sections 5.2.4 and 5.2.5)",
            )
        ends = revoked.next_update_utc
        if ends is not None and ends < at:
            raise _refused(
                f"the revocation list of the issuer of {who} ended on {ends:%Y-%m-%d}",
                "seal-revoked",
                do="fetch the present list from the issuer",
            )
        if revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise _refused(f"the certificate of {who} was revoked by its issuer", "seal-revoked")


def _signed_by(revoked: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return revoked.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # any other kind raises
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False


def _believe_openpgp(found: Checked, fingerprint: str, at: datetime) -> None:
    """The OpenPGP seals hold as well: a server that has only gpgv rests on them."""
    key = PackageKey(
        name="sealer",
        fingerprint=fingerprint,
        armored=armor(found.documents.get(OPENPGP_KEY, b""), "PGP PUBLIC KEY BLOCK"),
        source=OPENPGP_KEY,
    )
    pinned = Anchors(name="the sealer", package_keys=(key,))
    for path in (sums.SUMS, sums.MANIFEST):
        content = _signed(found.signed, path)
        seal = _signed(found.signed, path + sums.OPENPGP)
        try:
            openpgp.verify_detached(seal, [content], size=len(content), anchors=pinned, at=at, what=path)
        except NotBelieved as error:
            raise _refused(f"the OpenPGP seal over {path} does not hold", "bad-seal", details=[error.what]) from error


def approvals(found: Checked, trusted: Trusted, *, at: datetime) -> tuple[Signer, ...]:
    """Who has approved a bundle whose hashes were checked; enough of them or not. Raises as :func:`believe`."""
    wanted = found.manifest.approval
    if trusted.approval is not None and _counted(wanted) != _counted(trusted.approval):
        raise _refused(
            "the bundle asks for other approvals than those that you ask for",
            "unknown-approval",
            details=[f"the bundle: {_asked(wanted)}", f"you: {_asked(trusted.approval)}"],
        )
    given = sorted(path for path in found.signed if path.startswith(sums.APPROVALS))
    if wanted is None:
        if given:
            raise _refused("it holds approvals, and its manifest asks for none", "unknown-approval", details=given)
        return ()
    return tuple(_approver(found.signed, path, wanted, trusted, at) for path in given)


def _counted(approval: Approval | None) -> tuple[int, frozenset[str]]:
    """What decides of an approval; how people are called, and in which order, does not."""
    return (approval.required, frozenset(one.sha256 for one in approval.approvers)) if approval else (0, frozenset())


def _asked(approval: Approval | None) -> str:
    """Whose approvals are asked for, on one line."""
    if approval is None:
        return "none"
    return f"{approval.required} of {', '.join(f'{one.name!a} (sha256:{one.sha256})' for one in approval.approvers)}"


def _require_enough(manifest: Manifest, approved: Collection[Signer]) -> None:
    wanted = manifest.approval
    if wanted and len(approved) < wanted.required:
        missing = [one.name for one in wanted.approvers if one not in approved]
        raise _refused(
            f"{len(approved)} of the {wanted.required} approvals that it needs are there",
            "missing-approval",
            details=[f"not yet approved by: {name}" for name in missing],
            do="have it reviewed, and approved with `arc-bundler approve`",
        )


def _approver(signed: Mapping[str, bytes], path: str, wanted: Approval, trusted: Trusted, at: datetime) -> Signer:
    detached = _read(signed, path)
    certificate = detached.certificates[0]
    sha256 = fingerprint(certificate)
    named = [one for one in wanted.approvers if one.sha256 == sha256]
    if not named or path != sums.approval(sha256) or len(detached.certificates) != 1:
        raise _refused(f"{path} is by nobody whom the manifest names as approver", "unknown-approval")
    if not fits(certificate, detached.algorithm, detached.signature, _signed(signed, sums.SUMS)):
        raise _refused(f"the approval {path} is of something else", "bad-seal")
    require_believable(certificate, (), at, role="approver")
    # An approval holds its own certificate alone; where one authority serves all, the sealer's issuers are known.
    known = (certificate, *(_read(signed, sums.SUMS + sums.CMS).certificates if trusted.revocation_lists else ()))
    _require_unrevoked(certificate, known, trusted.revocation_lists, at)
    own = replace(named[0], name=certificate.subject.rfc4514_string())
    if _signer(certificate) != own or detached.algorithm != own.algorithm:
        raise _refused(f"the manifest describes the approver of {path} otherwise than the certificate", "bad-seal")
    return named[0]


def _require_in_time(manifest: Manifest, at: datetime) -> None:
    if manifest.not_after is not None and manifest.not_after < at:
        raise _refused(
            f"the bundle was to be used until {manifest.not_after:%Y-%m-%d %H:%M} UTC",
            "bundle-expired",
            do="have a new one built",
        )


def _refused(what: str, reason: str, *, details: Sequence[str] = (), do: str = _DO) -> NotBelieved:
    return NotBelieved(what, reason=reason, details=details, do=do)
