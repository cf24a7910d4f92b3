"""Verifies Authenticode signatures of MSI, PE and PowerShell files.

1. The file is of the expected kind, and every byte of it is covered or known (the readers in ``formats``).
2. There is one signer. Of two signatures side by side, the one that is not SHA-1 counts.
3. The digest in the signature is the file's, by SHA-256 or better.
4. The signer's key made the signature.
5. The timestamp, if any, is from a trusted authority and over this signature. Its time then counts for step 6.
6. The signer's certificate leads to a pinned root, by all rules, at that time.
7. Nothing foreign is in the unsigned parts of the signature, nor in another one beside it.
8. The signer is a trusted publisher.

Sources: "Windows Authenticode Portable Executable Signature Format" (Microsoft, 2008); RFC 5652, 5.4 to 5.6;
RFC 3161, 2.4.2 and appendix A; RFC 5280, 6.1.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, Final

from cryptography import x509

from bundler.errors import VerificationError
from bundler.formats import authenticode as der
from bundler.formats import authenticode_values, certificate
from bundler.formats.authenticode import Signature, Signer
from bundler.formats.certificate import UNREADABLE
from bundler.model.anchor import Anchors
from bundler.model.evidence import ChainLink, Evidence
from bundler.trust import carried, certificate_path, publishers, second_signature, signed_data, signed_file, timestamp
from bundler.trust.advice import advising
from bundler.trust.anchors import former_roots
from bundler.trust.certificate_path import STRONG
from bundler.trust.signed_file import Kind, Subject
from bundler.trust.timestamp import Timestamp

CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
LIFETIME_SIGNING: Final = "1.3.6.1.4.1.311.10.3.13"
"""Signatures by a certificate with this purpose expire with it, timestamp or not (szOID_KP_LIFETIME_SIGNING)."""


@dataclass(frozen=True)
class _Chosen:
    """The signature that is verified, and notes about others beside it."""

    primary: Signature
    """The one around all others."""
    signature: Signature
    signer: Signer
    notes: tuple[str, ...] = ()


def verify(file: BinaryIO, kind: Kind, *, anchors: Anchors, at: datetime) -> Evidence:
    """Verify a signed file by trust anchors.

    Args:
        file: seekable.
        kind: the kind that it must be.
        anchors: roots, publishers and revocation lists.
        at: time of verification, with zone.

    Returns:
        The chain of signer and timestamp, as evidence.

    Raises:
        VerificationError: with a reason of :data:`bundler.trust.advice.MEANINGS`.
        UsageError: the anchors cannot be read.
    """
    with advising(anchors), _readable():
        subject, chosen = _subject(file, kind)
        pool, leaf = _signed(subject, kind, chosen)
        stamp = timestamp.verify(chosen.signer, pool, anchors, at)
        path = _path(leaf, pool, anchors, at, stamp)
        _check_carried(subject, kind, chosen, (path, stamp), anchors)
        signed_file.require_no_archive(file, subject)
        notes = publishers.require(leaf, anchors.publishers)
        return _evidence(path, stamp, replace(chosen, notes=(*chosen.notes, *notes)), anchors)


def verify_pinned(file: BinaryIO, kind: Kind, *, sha256: str, at: datetime) -> None:
    """Verify a file signed with one certificate, given by its fingerprint, so that no issuer adds trust.

    No timestamp is accepted, nor anything else that the signature does not cover.

    Args:
        file: seekable.
        kind: the kind that it must be.
        sha256: fingerprint of the certificate, 64 lower-case hex digits.
        at: the time at which the certificate must be valid, with zone.

    Raises:
        VerificationError: as :func:`verify`; ``wrong-publisher`` for another signer.
    """
    with advising(), _readable():
        subject, chosen = _subject(file, kind)
        _, leaf = _signed(subject, kind, chosen)
        if chosen.signer.unsigned or chosen.notes:
            raise VerificationError("the signature carries data that it does not protect", reason="unknown-attribute")
        if not hmac.compare_digest(certificate_path.fingerprint(leaf), sha256):
            found = f"{certificate_path.name_of(leaf)} (sha256:{certificate_path.fingerprint(leaf)})"
            raise VerificationError(f"it is signed by {found}; expected sha256:{sha256}", reason="wrong-publisher")
        certificate_path.check_alone(leaf, CODE_SIGNING, at)
        signed_file.require_no_archive(file, subject)


@contextmanager
def _readable() -> Iterator[None]:
    """Refuse certificates that the library cannot read; it parses their parts when they are used."""
    try:
        yield
    except UNREADABLE:
        raise VerificationError("a certificate in the signature cannot be read", reason="malformed") from None


def _subject(file: BinaryIO, kind: Kind) -> tuple[Subject, _Chosen]:
    """A file of that kind, and its signature (steps 1 and 2)."""
    subject = signed_file.open_signed(file, kind)
    return subject, _choose(der.read_signature(subject.pkcs7))


def _signed(subject: Subject, kind: Kind, chosen: _Chosen) -> tuple[tuple[x509.Certificate, ...], x509.Certificate]:
    """The certificates that the signature of an unchanged file carries, and its signer's (steps 3 and 4)."""
    _check_file(subject, kind, authenticode_values.read_indirect_data(chosen.signature), chosen)
    pool = signed_data.certificates(chosen.signature)
    leaf = signed_data.signing_certificate(chosen.signer, pool)
    signed_data.check_signature(chosen.signer, leaf, chosen.signature.content_type, chosen.signature.content)
    return pool, leaf


def _choose(primary: Signature) -> _Chosen:
    """Choose the primary signature, or the nested one if the primary is SHA-1 (signed for old and new Windows)."""
    signer = signed_data.only_signer(primary)
    nested = signer.others(der.NESTED_SIGNATURE)
    if signer.digest_algorithm in STRONG:
        notes = (f"{len(nested)} more signature(s) besides the first; not used",) if nested else ()
        return _Chosen(primary, primary, signer, notes)
    strong = [
        found for found in map(der.read_signature, nested) if signed_data.only_signer(found).digest_algorithm in STRONG
    ]
    if not strong:
        raise VerificationError("the file is signed with a digest weaker than SHA-256", reason="weak-digest")
    if len(strong) > 1:
        raise VerificationError("several signatures are nested in a SHA-1 one", reason="several-signers")
    note = "verified by the SHA-256 signature; an older SHA-1 signature was not used"
    return _Chosen(primary, strong[0], signed_data.only_signer(strong[0]), (note,))


def _check_file(subject: Subject, kind: Kind, data: authenticode_values.IndirectData, chosen: _Chosen) -> None:
    """Require a signature for a file of this kind, with the file's digest."""
    if (data.kind, data.subject) != signed_file.EXPECTED[kind]:
        raise VerificationError(f"the signature was made for another kind of file than {kind}", reason="wrong-subject")
    if data.algorithm not in STRONG:
        raise VerificationError("the file's digest is weaker than SHA-256", reason="weak-digest")
    if chosen.signer.digest_algorithm not in chosen.signature.digest_algorithms:
        raise VerificationError("the signature names two different digests", reason="malformed")
    if not hmac.compare_digest(subject.digest(data.algorithm), data.digest):
        raise VerificationError("the file was changed after it was signed", reason="digest-mismatch")


def _path(
    leaf: x509.Certificate,
    pool: tuple[x509.Certificate, ...],
    anchors: Anchors,
    at: datetime,
    stamp: Timestamp | None,
) -> certificate_path.Path:
    """The signer's path, valid at its timestamp; valid now without one, or if it has the lifetime purpose."""
    authority = timestamp.authority(anchors, "code-signing", CODE_SIGNING)
    path = certificate_path.find(leaf, pool, authority, stamp.time if stamp else at)
    if stamp and LIFETIME_SIGNING in (certificate_path.purposes(leaf) or ()):
        certificate_path.check(path, authority, at)
    return path


def _check_carried(
    subject: Subject,
    kind: Kind,
    chosen: _Chosen,
    verified: tuple[certificate_path.Path, Timestamp | None],
    anchors: Anchors,
) -> None:
    """Refuse foreign bytes in the signature, in its timestamp, and in signatures nested in it or around it (step 7)."""
    path, stamp = verified
    place: carried.Place = "signature" if chosen.signature is chosen.primary else "second signature"
    carried.require_nothing_foreign(chosen.signature, place, path, (stamp.stamp,) if stamp else ())
    roots = (*timestamp.pinned_roots(anchors), *map(certificate.loaded, former_roots(anchors)))
    every = second_signature.Subject(*signed_file.EXPECTED[kind], subject.second_digest, roots)
    second_signature.require_genuine_inside(chosen.signer, every)
    if chosen.signature is not chosen.primary:
        second_signature.require_genuine(chosen.primary, every, besides=chosen.signature)


def _links(path: certificate_path.Path) -> tuple[ChainLink, ...]:
    return tuple(
        ChainLink(
            subject=certificate_path.name_of(certificate),
            issuer=certificate.issuer.rfc4514_string(),
            sha256=certificate_path.fingerprint(certificate),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
        for certificate in path
    )


def _evidence(path: certificate_path.Path, stamp: Timestamp | None, chosen: _Chosen, anchors: Anchors) -> Evidence:
    notes = chosen.notes if stamp else (*chosen.notes, "no timestamp: valid only while its certificate is")
    return Evidence(
        method="authenticode",
        signer=certificate_path.name_of(path[0]),
        fingerprint=certificate_path.fingerprint(path[0]),
        anchors=anchors.name,
        anchor=certificate_path.fingerprint(path[-1]),
        signed_at=stamp.time if stamp else None,
        timestamped_by=certificate_path.name_of(stamp.stamp.path[0]) if stamp else "",
        chain=_links(path),
        timestamp_chain=_links(stamp.stamp.path) if stamp else (),
        notes=notes,
    )
