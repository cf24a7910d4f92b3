"""Reads a trust policy: accepted signers, required approvals, and certificate revocation lists."""

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
"""Bytes of a revocation list; the largest public ones have a third of that."""


def read(
    signers: Iterable[str], *, definition: Path | None = None, revocation_lists: Iterable[Path] = (), today: date
) -> TrustPolicy:
    """The trust policy that a command's options state.

    Args:
        signers: Fingerprints as digits or words, or certificate files.
        definition: A definition that adds its ``seal.signers``, and demands its approvals.
        revocation_lists: CRL files, PEM or DER.
        today: Date for the definition's rules.

    Raises:
        UsageError: text that is neither a fingerprint nor a certificate, or a file that cannot be read.
        DefinitionError: the definition is wrong.

    """
    named = [fingerprint(text) for text in signers]
    approval = None
    if definition is not None:
        pins, approval = _demands(definition, today)
        named += map(fingerprint, pins)
    return TrustPolicy(frozenset(named), tuple(_revoked(path) for path in revocation_lists), approval)


def _demands(path: Path, today: date) -> tuple[tuple[str, ...], Approval | None]:
    """The signers and approvals that the definition at ``path`` demands."""
    # Imported here: verifying without a definition does not load what reads one.
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
    """A certificate's SHA-256 in 64 lower-case hex digits, from digits, from words, or from the file named ``text``.

    Raises UsageError.
    """
    given = certificate.parse_fingerprint(text) or _from_words(text)
    if given:
        return given
    path = Path(text)
    try:
        with path.open("rb") as file:
            document = file.read(certificate.LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{text!a} is neither a fingerprint nor a readable file",
            do="give sha256: and 64 hex digits, the 24 words, or a file with the signer's certificate",
        ) from error
    try:
        return _of_chain(document, path) or certificate.read(document).sha256
    except ParseError as fault:
        raise UsageError(
            f"the signer's file {path} {fault}", do="give the signer's certificate in PEM or DER"
        ) from fault


def _of_chain(document: bytes, path: Path) -> str:
    """The leaf's fingerprint from a PEM file with a whole chain, as `--seal-certificate` takes it; empty otherwise."""
    if b"PRIVATE KEY-----" in document or len(list(certificate.in_pem(document))) < 2:
        return ""
    try:
        return certificate.fingerprint(certificates.chain_of_leaf(certificates.parse(document, path), path)[0])
    except SigningError as error:
        raise UsageError(error.what, details=error.details, do=error.do) from error


def _from_words(text: str) -> str:
    try:
        return fingerprint_words.decode(text)
    except ParseError as fault:
        raise UsageError(
            f"the fingerprint in words {fault}", do="check the 24 words with the signer, or ask for the 64 digits"
        ) from fault


def _revoked(path: Path) -> x509.CertificateRevocationList:
    try:
        with path.open("rb") as file:
            document = file.read(_LARGEST_LIST + 1)
    except OSError as error:
        raise UsageError(
            f"the revocation list {path} cannot be read: {error.strerror or error}",
            do="give the path of a readable file",
        ) from error
    if len(document) > _LARGEST_LIST:
        raise UsageError(f"the revocation list {path} is larger than {_LARGEST_LIST} bytes", do="give the right file")
    load = x509.load_pem_x509_crl if document.startswith(b"-----BEGIN") else x509.load_der_x509_crl
    try:
        found = load(document)
        _ = found.issuer, found.extensions, found.next_update_utc  # the library parses them on access
    except UNREADABLE as error:
        raise UsageError(f"{path} is not a certificate revocation list", do="give one in PEM or DER") from error
    return found
