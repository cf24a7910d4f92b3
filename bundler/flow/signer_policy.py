"""Whom does the one who verifies believe? Fingerprints, certificates, a definition, and lists of what was revoked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from cryptography import x509

from bundler.errors import SigningError, UsageError
from bundler.formats import certificate, fingerprint_words
from bundler.formats.certificate import UNREADABLE
from bundler.formats.parse_error import ParseError
from bundler.model.seal import Approval
from bundler.signing import certificates
from bundler.trust.verify_seal import TrustPolicy

_LARGEST_LIST = 32 << 20
"""Bytes of a revocation list: the largest public ones have a third of it."""


def read(
    signers: Iterable[str], *, definition: Path | None = None, revocation_lists: Iterable[Path] = (), today: date
) -> TrustPolicy:
    """Collect whom to believe; raises :class:`UsageError` for what names nobody, DefinitionError for a definition."""
    named = [fingerprint(text) for text in signers]
    approval = None
    if definition is not None:
        pins, approval = _asked(definition, today)
        named += map(fingerprint, pins)
    return TrustPolicy(frozenset(named), tuple(_revoked(path) for path in revocation_lists), approval)


def _asked(path: Path, today: date) -> tuple[tuple[str, ...], Approval | None]:
    """Who may seal, and who must have approved, by the definition at ``path``."""
    # Here, not above: most verify without a definition, and do not wait for what reads one.
    from bundler.flow import project as projects
    from bundler.flow import side_files
    from bundler.flow.build import seal_policy
    from bundler.products import definition_file

    written = projects.text(path)
    definition = definition_file.load(path, written, today=today, strict=False).definition
    if definition.approval is None:
        return definition.seal.signers, None
    people = seal_policy.recognised(side_files.approvers(path, written, definition))
    approvers = tuple(one.signer for one in people)
    return definition.seal.signers, Approval(required=definition.approval.required, approvers=approvers)


def fingerprint(text: str) -> str:
    """The fingerprint that ``text`` is, as digits or as words, or whose certificate is in the file of that name.

    64 lower-case hex digits. Raises :class:`UsageError`.
    """
    pasted = certificate.parse_fingerprint(text) or _heard(text)
    if pasted:
        return pasted
    path = Path(text)
    try:
        with path.open("rb") as file:
            document = file.read(certificate.LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{text!a} is neither a fingerprint nor a file that can be read",
            do="give sha256: and 64 hex digits, the 24 words, or a file with the sealer's certificate",
        ) from error
    try:
        return _of_chain(document, path) or certificate.read(document).sha256
    except ParseError as fault:
        raise UsageError(
            f"the signer's file {path} {fault}", do="give the sealer's certificate, in PEM or DER"
        ) from fault


def _of_chain(document: bytes, path: Path) -> str:
    """The fingerprint of a signer who has its issuers beside it, as `--seal-certificate` takes them; else empty."""
    if b"PRIVATE KEY-----" in document or len(list(certificate.in_pem(document))) < 2:
        return ""
    try:
        return certificate.fingerprint(certificates.chain_of_leaf(certificates.parse(document, path), path)[0])
    except SigningError as error:
        raise UsageError(error.what, details=error.details, do=error.do) from error


def _heard(text: str) -> str:
    try:
        return fingerprint_words.decode(text)
    except ParseError as fault:
        raise UsageError(
            f"the fingerprint in words {fault}", do="have the 24 words read to you again, or ask for the 64 digits"
        ) from fault


def _revoked(path: Path) -> x509.CertificateRevocationList:
    try:
        with path.open("rb") as file:
            document = file.read(_LARGEST_LIST)
    except OSError as error:
        raise UsageError(
            f"the revocation list {path} cannot be read: {error.strerror or error}",
            do="give the path of a file that you may read",
        ) from error
    load = x509.load_pem_x509_crl if document.startswith(b"-----BEGIN") else x509.load_der_x509_crl
    try:
        found = load(document)
        _ = found.issuer, found.extensions, found.next_update_utc  # they are parsed when asked for
    except UNREADABLE as error:
        raise UsageError(f"{path} is no certificate revocation list", do="give one in PEM or DER") from error
    return found
