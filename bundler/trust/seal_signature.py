"""Verifies one CMS signature over a file of a bundle, the sealer's or an approver's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography import x509

from bundler.errors import SigningError
from bundler.formats import cms
from bundler.integrity.findings import seal_error
from bundler.model.seal import Signer
from bundler.trust.certificate_policy import Role, require_valid
from bundler.trust.public_key import verifies
from bundler.trust.revocation import Lists, require_unrevoked
from bundler.trust.signer_identity import signer


def read(signed: Mapping[str, bytes], path: str) -> cms.Detached:
    """Parse the signature at ``path`` without verifying it. Raises VerificationError: ``no-seal``, ``bad-seal``."""
    if path not in signed:
        raise seal_error(f"the seal {path} is missing, although the manifest names it", "no-seal")
    try:
        return cms.read(signed[path])
    except ValueError as error:
        raise seal_error(f"{path} is not a valid seal: {error}", "bad-seal") from error


def content(signed: Mapping[str, bytes], path: str) -> bytes:
    """The file at ``path``, which a signature covers. Raises VerificationError, ``no-seal``."""
    if path not in signed:
        raise seal_error(f"{path} is missing, although it was sealed", "no-seal")
    return signed[path]


def require_signed_by(
    found: cms.Detached,
    over: bytes,
    by: Signer,
    *,
    role: Role,
    known: Sequence[x509.Certificate],
    lists: Lists,
    at: datetime,
    otherwise: str,
    described: str,
) -> None:
    """Require a valid signature over some bytes by a described signer; whether to trust the signer is up to the caller.

    1. The key of the first certificate made the signature ``over`` these bytes.
    2. That certificate may sign bundles in this ``role`` at this time.
    3. It is not revoked.
    4. It is the certificate that the manifest describes as ``by``: so manifest and seal cannot name different signers.

    Args:
        found: the signature.
        over: the signed bytes.
        by: the signer as the manifest describes it.
        role: of the signer, for the message.
        known: certificates for :func:`~bundler.trust.revocation.require_unrevoked`.
        lists: revocation lists.
        at: time of verification, with zone.
        otherwise: the message if the bytes are others.
        described: the message if the signer is described differently.

    Raises:
        VerificationError: ``bad-seal``, a reason of :mod:`.certificate_policy`, or ``seal-revoked``.
    """
    certificate = found.certificates[0]
    if not verifies(certificate, found.algorithm, found.signature, over):
        raise seal_error(otherwise, "bad-seal")
    require_valid(certificate, at, role=role)
    require_unrevoked(certificate, known, lists, at)
    if signer_of(certificate) != by or found.algorithm != by.algorithm:
        raise seal_error(described, "bad-seal")


def signer_of(certificate: x509.Certificate) -> Signer | None:
    """The signer of ``certificate``; None for a key of a kind that never seals, or a name that cannot be read."""
    try:
        return signer(certificate)
    except (SigningError, ValueError):
        return None
