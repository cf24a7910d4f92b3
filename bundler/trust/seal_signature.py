"""Does one signature over a file of a bundle hold? The same for the sealer's word and for an approver's."""

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
    """The signature at ``path``, read and not judged. Raises VerificationError: ``no-seal``, ``bad-seal``."""
    if path not in signed:
        raise seal_error(f"the seal {path} is missing, though the manifest says that it was made", "no-seal")
    try:
        return cms.read(signed[path])
    except ValueError as error:
        raise seal_error(f"{path} is no seal: {error}", "bad-seal") from error


def content(signed: Mapping[str, bytes], path: str) -> bytes:
    """The file at ``path``, which a signature is over. Raises VerificationError, ``no-seal``."""
    if path not in signed:
        raise seal_error(f"{path} is missing, though it was sealed", "no-seal")
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
    """Refuse a signature that is not ``over`` these bytes, not ``by`` this signer, or does not count ``at`` that time.

    Whether the signer is believed is the caller's question. ``known`` and ``lists`` are those of
    :func:`~bundler.trust.revocation.require_unrevoked`; ``otherwise`` and ``described`` say what is wrong where the
    bytes, or the signer, are others. Raises VerificationError: ``bad-seal``, or the reasons of :mod:`.purposes` and
    ``seal-revoked``.
    """
    certificate = found.certificates[0]
    if not verifies(certificate, found.algorithm, found.signature, over):
        raise seal_error(otherwise, "bad-seal")
    require_valid(certificate, at, role=role)
    require_unrevoked(certificate, known, lists, at)
    if signer_of(certificate) != by or found.algorithm != by.algorithm:
        raise seal_error(described, "bad-seal")


def signer_of(certificate: x509.Certificate) -> Signer | None:
    """The signer that ``certificate`` names; None for a key that signs no seal, or a name that cannot be read."""
    try:
        return signer(certificate)
    except (SigningError, ValueError):
        return None
