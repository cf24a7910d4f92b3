"""Is a bundle sealed by somebody who is believed, and approved by those who must be asked?

Nothing in the bundle says whom to believe: that comes from whoever verifies. Everything else must then agree with
what the manifest says of its own seal, so that no seal can be taken away or added unseen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from bundler.errors import VerificationError
from bundler.formats.armor import armor
from bundler.formats.certificate import fingerprint
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle
from bundler.integrity.findings import seal_error
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.manifest import Manifest
from bundler.model.seal import Approval, Seal, Signer
from bundler.trust import approvals, openpgp, seal_signature
from bundler.trust.revocation import unused_crls
from bundler.trust.signer_identity import fingerprints

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrustPolicy:
    """Whom the one who verifies believes."""

    signers: frozenset[str]
    """Fingerprints (SHA-256 of the certificate, lower-case hex)."""
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = ()
    approval: Approval | None = None
    """Whose approvals a bundle must ask for; None leaves that to the bundle's own sealer."""


@dataclass(frozen=True)
class SealVerification:
    """A seal that is believed."""

    signer: Signer
    openpgp: str
    """Fingerprint of the OpenPGP key that sealed as well; empty: none did."""
    approved_by: tuple[Signer, ...]
    unused_crls: tuple[str, ...] = ()
    """Issuers of revocation lists that told of nobody who signed here."""


def verify(found: CheckedBundle, trusted: TrustPolicy, *, at: datetime) -> SealVerification:
    """Believe a bundle whose hashes were checked: its seal, its approvals, and that its time is not over.

    Raises :class:`VerificationError` with reason ``no-seal``, ``other-signer``, ``bad-seal``, ``seal-expired``,
    ``seal-not-yet-valid``, ``seal-purpose``, ``seal-weak-key``, ``seal-revoked``, ``missing-approval``,
    ``unknown-approval`` or ``bundle-expired``.
    """
    seal = verify_signatures(found, trusted, at=at)
    _LOG.debug("signed by %s, sha256:%s", seal.signer.name, seal.signer.sha256)
    approved = approvals.verify(found, trusted.approval, trusted.revocation_lists, at=at)
    approvals.require_enough(found.manifest.approval, approved)
    _require_in_time(found.manifest, at)
    return SealVerification(seal.signer, seal.openpgp, approved, _unused_crls(found, trusted))


def _unused_crls(found: CheckedBundle, trusted: TrustPolicy) -> tuple[str, ...]:
    """The issuers of those lists that told of nobody who signed here."""
    if not trusted.revocation_lists:
        return ()
    signatures = [path for path in found.signed if path.endswith(sums.CMS)]
    signers = [seal_signature.read(found.signed, path).certificates[0] for path in signatures]
    return unused_crls(trusted.revocation_lists, signers)


def verify_signatures(found: CheckedBundle, trusted: TrustPolicy, *, at: datetime) -> Seal:
    """Believe the sealer's signatures alone, as whoever has just made them does. Raises as :func:`verify`."""
    seal = found.manifest.seal
    if seal is None:
        raise seal_error(
            "nobody sealed this bundle: whoever made it cannot be told from whoever changed it",
            "no-seal",
            do="have it built with a seal (docs/sealing.md); with `--insecure-no-seal` its hashes alone are checked",
        )
    for path in _sealed(seal):
        _verify_signature(found.signed, path, seal, trusted, at)
    if seal.openpgp:
        _verify_openpgp(found, seal.openpgp, at)
    return seal


def _sealed(seal: Seal) -> tuple[str, ...]:
    """What the seal's CMS signatures are over."""
    plain = (sums.SUMS, sums.MANIFEST)
    return (*plain, *(path + sums.OPENPGP for path in plain)) if seal.openpgp else plain


def _verify_signature(signed: Mapping[str, bytes], path: str, seal: Seal, trusted: TrustPolicy, at: datetime) -> None:
    found = seal_signature.read(signed, path + sums.CMS)
    sha256 = fingerprint(found.certificates[0])
    if sha256 not in trusted.signers:
        raise _other_signer(found.certificates[0], sha256, trusted)
    seal_signature.require_signed_by(
        found,
        seal_signature.content(signed, path),
        seal.signer,
        role="sealer",
        known=found.certificates,
        lists=trusted.revocation_lists,
        at=at,
        otherwise=f"the seal {path}{sums.CMS} is over something else",
        described="the manifest names another sealer than the one whose seal it has",
    )
    if fingerprints(found.certificates[1:]) != seal.issuers:
        raise seal_error(f"{path}{sums.CMS} holds other certificates than the sealer put there", "bad-seal")


def _other_signer(certificate: x509.Certificate, sha256: str, trusted: TrustPolicy) -> VerificationError:
    name = ascii(certificate.subject.rfc4514_string())
    if not trusted.signers:
        return seal_error(
            f"the bundle is sealed by {name}, and you named nobody whom you believe",
            "other-signer",
            details=[f"sha256:{sha256}"],
            do="get the sealer's fingerprint by another way than the bundle, and give it with `--signer sha256:…` "
            "(or `--signer FILE`, ARC_BUNDLER_SIGNER, or `--definition FILE` with `seal.signers` in it)",
        )
    return seal_error(
        f"the bundle is sealed by {name}, whom you do not believe",
        "other-signer",
        details=[f"sealed by: sha256:{sha256}", *(f"believed: sha256:{one}" for one in sorted(trusted.signers))],
    )


def _verify_openpgp(found: CheckedBundle, fingerprint: str, at: datetime) -> None:
    """The OpenPGP seals hold as well: a server that has only gpgv rests on them."""
    key = PackageKey(
        name="sealer",
        fingerprint=fingerprint,
        armored=armor(found.documents.get(sums.OPENPGP_KEY, b""), "PGP PUBLIC KEY BLOCK"),
        source=sums.OPENPGP_KEY,
    )
    pinned = Anchors(name="the sealer", package_keys=(key,))
    for path in (sums.SUMS, sums.MANIFEST):
        content = seal_signature.content(found.signed, path)
        seal = seal_signature.content(found.signed, path + sums.OPENPGP)
        try:
            openpgp.verify_detached(seal, [content], size=len(content), anchors=pinned, at=at, what=path)
        except VerificationError as error:
            raise seal_error(f"the OpenPGP seal over {path} does not hold", "bad-seal", details=[error.what]) from error


def _require_in_time(manifest: Manifest, at: datetime) -> None:
    if manifest.not_after is not None and manifest.not_after < at:
        raise seal_error(
            f"the bundle was to be used until {manifest.not_after:%Y-%m-%d %H:%M} UTC",
            "bundle-expired",
            do="have a new one built",
        )
