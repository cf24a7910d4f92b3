"""Verifies that a trusted signer sealed a bundle, and that the required approvers approved it.

Trust never comes from the bundle: the person who verifies gives the trusted fingerprints. Then everything must agree
with what the manifest says about its own seal, so that no seal can be removed or added unnoticed:

1. Each CMS seal is by a trusted certificate, over the right bytes, valid now and not revoked.
2. The OpenPGP seals verify, if the manifest names an OpenPGP key.
3. The approvals are by listed approvers, and there are enough.
4. The bundle has not expired.
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
from bundler.model.seal import Approval, Seal, Signer
from bundler.trust import approvals, openpgp, seal_signature
from bundler.trust.revocation import unused_crls
from bundler.trust.signer_identity import fingerprints

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrustPolicy:
    """What the person who verifies trusts."""

    signers: frozenset[str]
    """Fingerprints (SHA-256 of the certificate, lower-case hex)."""
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = ()
    approval: Approval | None = None
    """The approval policy that a bundle must have; None accepts the one that its sealer set."""


@dataclass(frozen=True)
class SealVerification:
    """The result of verifying a seal."""

    signer: Signer
    openpgp: str
    """Fingerprint of the OpenPGP key that sealed too; empty if none did."""
    approved_by: tuple[Signer, ...]
    unused_crls: tuple[str, ...] = ()
    """Issuers of the given revocation lists that apply to no signer of this bundle."""


def verify(found: CheckedBundle, trusted: TrustPolicy, *, at: datetime) -> SealVerification:
    """Verify the seal, the approvals and the expiry of an intact bundle.

    Args:
        found: the bundle.
        trusted: fingerprints, revocation lists and approval policy of the person who verifies.
        at: time of verification, with zone.

    Raises:
        VerificationError: ``no-seal``, ``other-signer``, ``bad-seal``, ``seal-expired``, ``seal-not-yet-valid``,
            ``seal-purpose``, ``seal-weak-key``, ``seal-revoked``, ``missing-approval``, ``unknown-approval`` or
            ``bundle-expired``.
    """
    seal = verify_signatures(found, trusted, at=at)
    _LOG.debug("signed by %s, sha256:%s", seal.signer.name, seal.signer.sha256)
    approved = approvals.verify(found, trusted.approval, trusted.revocation_lists, at=at)
    approvals.require_enough(found.manifest.approval, approved)
    not_after = found.manifest.not_after
    if not_after is not None and not_after < at:
        raise seal_error(
            f"the bundle expired on {not_after:%Y-%m-%d %H:%M} UTC", "bundle-expired", do="have a new bundle built"
        )
    return SealVerification(seal.signer, seal.openpgp, approved, _unused_crls(found, trusted))


def _unused_crls(found: CheckedBundle, trusted: TrustPolicy) -> tuple[str, ...]:
    """The issuers of the lists that apply to no signer of this bundle."""
    if not trusted.revocation_lists:
        return ()
    signatures = [path for path in found.signed if path.endswith(sums.CMS)]
    signers = [seal_signature.read(found.signed, path).certificates[0] for path in signatures]
    return unused_crls(trusted.revocation_lists, signers)


def verify_signatures(found: CheckedBundle, trusted: TrustPolicy, *, at: datetime) -> Seal:
    """Verify the sealer's signatures only, as ``approve`` and ``build`` do. Raises as :func:`verify`."""
    seal = found.manifest.seal
    if seal is None:
        raise seal_error(
            "the bundle has no seal: who built it cannot be verified",
            "no-seal",
            do="have it built with a seal (docs/sealing.md); `--insecure-no-seal` checks only its hashes",
        )
    plain = (sums.SUMS, sums.MANIFEST)
    for path in (*plain, *(path + sums.OPENPGP for path in plain if seal.openpgp)):
        _verify_signature(found.signed, path, seal, trusted, at)
    if seal.openpgp:
        _verify_openpgp(found, seal.openpgp, at)
    return seal


def _verify_signature(signed: Mapping[str, bytes], path: str, seal: Seal, trusted: TrustPolicy, at: datetime) -> None:
    found = seal_signature.read(signed, path + sums.CMS)
    if fingerprint(found.certificates[0]) not in trusted.signers:
        raise _other_signer(found.certificates[0], trusted)
    seal_signature.require_signed_by(
        found,
        seal_signature.content(signed, path),
        seal.signer,
        role="sealer",
        known=found.certificates,
        lists=trusted.revocation_lists,
        at=at,
        otherwise=f"the seal {path}{sums.CMS} does not match {path}",
        described="the manifest names another sealer than the seal",
    )
    if fingerprints(found.certificates[1:]) != seal.issuers:
        raise seal_error(f"{path}{sums.CMS} holds other certificates than the manifest names", "bad-seal")


def _other_signer(certificate: x509.Certificate, trusted: TrustPolicy) -> VerificationError:
    """Without the signer's fingerprint: it would be copied, and it must come through a separate channel."""
    name = ascii(certificate.subject.rfc4514_string())
    if not trusted.signers:
        return seal_error(
            f"the bundle claims to be signed by {name}, but no trusted signer was given",
            "other-signer",
            do="get the sealer's fingerprint through a separate channel, and give it with `--signer sha256:…` "
            "(or `--signer FILE`, ARC_BUNDLER_SIGNER, or `--definition FILE` with `seal.signers` in it)",
        )
    return seal_error(
        f"the bundle claims to be signed by {name}, with a certificate that is not a trusted signer's",
        "other-signer",
        details=[f"trusted: sha256:{one}" for one in sorted(trusted.signers)],
    )


def _verify_openpgp(found: CheckedBundle, fingerprint: str, at: datetime) -> None:
    """Verify the OpenPGP seals too: a server that has only gpgv relies on them."""
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
            raise seal_error(f"the OpenPGP seal over {path} is not valid", "bad-seal", details=[error.what]) from error
