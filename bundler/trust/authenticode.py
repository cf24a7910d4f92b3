"""Verifies Authenticode signatures of MSI, PE and PowerShell files.

1. The file is of the expected kind, and every byte of it is covered or known (the readers in ``formats``).
2. There is one signer. Of two signatures side by side, the one that is not SHA-1 counts.
3. The digest in the signature is the file's, by SHA-256 or better.
4. The signer's key made the signature.
5. The timestamp, if any, is from a trusted authority and over this signature. Its time then counts for step 6.
6. The signer's certificate leads to a pinned root, by all rules, at that time.
7. The signer is a trusted publisher.

Sources: "Windows Authenticode Portable Executable Signature Format" (Microsoft, 2008); RFC 5652, 5.4 to 5.6;
RFC 3161, 2.4.2 and appendix A; RFC 5280, 6.1.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Final, Literal, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from bundler.errors import UsageError, VerificationError
from bundler.formats import authenticode as der
from bundler.formats import sniff
from bundler.formats.authenticode import IndirectData, Signature, Signer
from bundler.formats.certificate import UNREADABLE
from bundler.formats.msi_signature import SignedInstaller
from bundler.formats.portable_executable import SignedImage
from bundler.formats.powershell_signature import SignedScript
from bundler.model.anchor import Anchors, Publisher, Purpose
from bundler.model.evidence import ChainLink, Evidence
from bundler.trust import certificate_path
from bundler.trust.advice import advising
from bundler.trust.certificate_path import STRONG, Authority

Kind = Literal["msi", "pe", "ps1"]

CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
LIFETIME_SIGNING: Final = "1.3.6.1.4.1.311.10.3.13"
"""Signatures by a certificate with this purpose expire with it, timestamp or not (szOID_KP_LIFETIME_SIGNING)."""

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
_TAIL: Final = 64 * 1024
_HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_EXPECTED: Final[dict[Kind, tuple[str, bytes]]] = {
    "msi": (der.SPC_SIP_INFO, der.MSI_SUBJECT),
    "pe": (der.SPC_PE_IMAGE, b""),
    "ps1": (der.SPC_SIP_INFO, der.SCRIPT_SUBJECT),
}
_KNOWN_UNSIGNED: Final = frozenset({der.TIMESTAMP_RFC3161, der.COUNTERSIGNATURE, der.NESTED_SIGNATURE})


class _Subject(Protocol):
    """A file with every byte covered or known: its signature, and the digest that the signature must hold."""

    pkcs7: bytes

    def digest(self, algorithm: str) -> bytes: ...


_READERS: Final[dict[Kind, Callable[[BinaryIO], _Subject]]] = {
    "msi": SignedInstaller,
    "pe": SignedImage,
    "ps1": SignedScript,
}


@dataclass(frozen=True)
class _Chosen:
    """The signature that is verified, and notes about others beside it."""

    signature: Signature
    signer: Signer
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Timestamp:
    time: datetime
    path: certificate_path.Path


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
        chosen, pool, leaf = _signed(file, kind)
        stamp = _timestamp(chosen.signer, pool, anchors, at)
        path = _path(leaf, pool, anchors, at, stamp)
        _check_publisher(leaf, anchors.publishers)
        return _evidence(path, stamp, chosen, anchors)


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
        chosen, _, leaf = _signed(file, kind)
        if chosen.signer.unsigned or chosen.notes:
            raise VerificationError("the signature carries data that it does not protect", reason="unknown-attribute")
        if not hmac.compare_digest(certificate_path.fingerprint(leaf), sha256):
            found = f"{certificate_path.name_of(leaf)} (sha256:{certificate_path.fingerprint(leaf)})"
            raise VerificationError(f"it is signed by {found}; expected sha256:{sha256}", reason="wrong-publisher")
        certificate_path.check_alone(leaf, CODE_SIGNING, at)


@contextmanager
def _readable() -> Iterator[None]:
    """Refuse certificates that the library cannot read; it parses their parts when they are used."""
    try:
        yield
    except UNREADABLE:
        raise VerificationError("a certificate in the signature cannot be read", reason="malformed") from None


def _signed(file: BinaryIO, kind: Kind) -> tuple[_Chosen, tuple[x509.Certificate, ...], x509.Certificate]:
    """The signature of an unchanged file, the certificates that it carries, and its signer's (steps 1 to 4)."""
    _expect_kind(file, kind)
    subject = _READERS[kind](file)
    chosen = _choose(der.read_signature(subject.pkcs7))
    _check_file(subject, kind, der.read_indirect_data(chosen.signature), chosen)
    pool = _certificates(chosen.signature)
    leaf = _signing_certificate(chosen.signer, pool)
    _check_signature(chosen.signer, leaf, chosen.signature.content_type, chosen.signature.content)
    return chosen, pool, leaf


def _expect_kind(file: BinaryIO, kind: Kind) -> None:
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    file.seek(0)
    found = sniff.kind(file.read(sniff.HEAD), tail)
    if found == "html":
        raise VerificationError("this is an HTML page", reason="html")
    if found == "empty":
        raise VerificationError("the file is empty", reason="empty")
    if found != kind and not (kind == "ps1" and found == "text"):
        raise VerificationError(f"this is not a {kind} file; its content is {found}", reason="unknown-kind")


def _only_signer(signature: Signature) -> Signer:
    if len(signature.signers) != 1:
        raise VerificationError(f"the signature has {len(signature.signers)} signers", reason="several-signers")
    return signature.signers[0]


def _choose(primary: Signature) -> _Chosen:
    """Choose the primary signature, or the nested one if the primary is SHA-1 (signed for old and new Windows)."""
    signer = _only_signer(primary)
    nested = signer.others(der.NESTED_SIGNATURE)
    if signer.digest_algorithm in STRONG:
        notes = (f"{len(nested)} more signature(s) besides the first; not used",) if nested else ()
        return _Chosen(primary, signer, notes)
    strong = [found for found in map(der.read_signature, nested) if _only_signer(found).digest_algorithm in STRONG]
    if not strong:
        raise VerificationError("the file is signed with a digest weaker than SHA-256", reason="weak-digest")
    if len(strong) > 1:
        raise VerificationError("several signatures are nested in a SHA-1 one", reason="several-signers")
    note = "verified by the SHA-256 signature; an older SHA-1 signature was not used"
    return _Chosen(strong[0], _only_signer(strong[0]), (note,))


def _check_file(subject: _Subject, kind: Kind, data: IndirectData, chosen: _Chosen) -> None:
    """Require a signature for a file of this kind, with the file's digest."""
    if (data.kind, data.subject) != _EXPECTED[kind]:
        raise VerificationError(f"the signature was made for another kind of file than {kind}", reason="wrong-subject")
    if data.algorithm not in STRONG:
        raise VerificationError("the file's digest is weaker than SHA-256", reason="weak-digest")
    if chosen.signature.digest_algorithms != (chosen.signer.digest_algorithm,):
        raise VerificationError("the signature names two different digests", reason="malformed")
    if not hmac.compare_digest(subject.digest(data.algorithm), data.digest):
        raise VerificationError("the file was changed after it was signed", reason="digest-mismatch")
    if any(attribute not in _KNOWN_UNSIGNED for attribute, _ in chosen.signer.unsigned):
        raise VerificationError("the signature carries data that it does not protect", reason="unknown-attribute")


def _certificates(signature: Signature) -> tuple[x509.Certificate, ...]:
    return tuple(map(x509.load_der_x509_certificate, signature.certificates))


def _signing_certificate(signer: Signer, pool: tuple[x509.Certificate, ...]) -> x509.Certificate:
    for certificate in pool:
        if certificate.serial_number == signer.serial and certificate.issuer.public_bytes() == signer.issuer:
            return certificate
    raise VerificationError("the signature does not carry its signer's certificate", reason="malformed")


def _check_signature(signer: Signer, leaf: x509.Certificate, content_type: str, content: bytes) -> None:
    """RFC 5652, 5.4 and 5.6: the signed attributes hold type and digest of the content, and the key signed them."""
    if signer.digest_algorithm not in STRONG:
        raise VerificationError("the signature uses a digest weaker than SHA-256", reason="weak-digest")
    named, digest = signer.attribute(der.CONTENT_TYPE), signer.attribute(der.MESSAGE_DIGEST)
    if named is None or digest is None:
        raise VerificationError("the signature does not name what it signs", reason="malformed")
    actual = hashlib.new(signer.digest_algorithm, content).digest()
    if der.read_object_identifier(named) != content_type or not hmac.compare_digest(der.read_octets(digest), actual):
        raise VerificationError("the signed attributes do not match the content", reason="bad-signature")
    certificate_path.check_key(leaf)
    key, algorithm = leaf.public_key(), _HASHES[signer.digest_algorithm]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer.signature_algorithm == "rsassa_pkcs1v15":
            key.verify(signer.signature, signer.signed_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.signature_algorithm == "ecdsa":
            key.verify(signer.signature, signer.signed_bytes, ec.ECDSA(algorithm))
        else:
            raise VerificationError("the signature has an unknown algorithm", reason="unknown-algorithm")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise VerificationError("the signature was not made by its signer's key", reason="bad-signature") from None


_TIMESTAMP_FAULTS: Final[dict[str, str]] = {
    "untrusted-root": "timestamp-untrusted",
    "certificate-expired": "timestamp-expired",
    "certificate-not-yet-valid": "timestamp-not-yet-valid",
    "wrong-purpose": "timestamp-wrong-purpose",
    "bad-certificate": "timestamp-bad-certificate",
    "weak-digest": "weak-digest",
    "weak-key": "weak-key",
    "revoked": "revoked",
}
"""The kinds of faults of a timestamp and its certificates, by the reason of the same fault elsewhere."""


def _timestamp(signer: Signer, pool: tuple[x509.Certificate, ...], anchors: Anchors, at: datetime) -> _Timestamp | None:
    tokens, older = signer.others(der.TIMESTAMP_RFC3161), signer.others(der.COUNTERSIGNATURE)
    if len(tokens) + len(older) > 1:
        raise VerificationError("the signature has more than one timestamp", reason="timestamp-invalid")
    if not tokens and not older:
        return None
    try:
        stamp = _token(tokens[0], signer, anchors) if tokens else _countersignature(older[0], signer, pool, anchors)
    except VerificationError as error:
        reason = _TIMESTAMP_FAULTS.get(error.reason, "timestamp-invalid")
        raise VerificationError(f"the timestamp is not trusted: {error.what}", reason=reason) from None
    if stamp.time > at + CLOCK_TOLERANCE:
        raise VerificationError(
            f"the timestamp, {stamp.time:%Y-%m-%d %H:%M} UTC, is in the future", reason="timestamp-in-future"
        )
    return stamp


def _token(token: bytes, signer: Signer, anchors: Anchors) -> _Timestamp:
    """Verify a timestamp token (RFC 3161, 2.4.2) over this signature.

    1. The token's signature is its signer's, and names its certificate.
    2. Its imprint is the digest of this signature's value: so it cannot be taken from another file.
    3. Its certificate leads to a root for timestamps, at its own time.
    """
    signature = der.read_signature(token)
    stamper, pool = _only_signer(signature), _certificates(signature)
    leaf, info = _signing_certificate(stamper, pool), der.read_timestamp_info(signature)
    _check_signature(stamper, leaf, signature.content_type, signature.content)
    _check_named_certificate(stamper, leaf)
    if stamper.digest_algorithm not in signature.digest_algorithms:
        raise VerificationError("it names two different digests", reason="timestamp-invalid")
    if info.algorithm not in STRONG:
        raise VerificationError("its imprint is weaker than SHA-256", reason="weak-digest")
    if not hmac.compare_digest(hashlib.new(info.algorithm, signer.signature).digest(), info.digest):
        raise VerificationError("it was made for another signature", reason="timestamp-invalid")
    return _Timestamp(info.time, _timestamp_path(leaf, pool, anchors, info.time))


def _check_named_certificate(stamper: Signer, leaf: x509.Certificate) -> None:
    """RFC 3161, 2.4.1 and RFC 5816: the token names the certificate that made it."""
    named = der.read_signing_certificate(stamper)
    if named is None or named[0] not in {"sha1", *STRONG}:
        raise VerificationError("it does not name its certificate", reason="timestamp-invalid")
    if not hmac.compare_digest(leaf.fingerprint(_NAMING[named[0]]()), named[1]):
        raise VerificationError("it names another certificate", reason="timestamp-invalid")


# SHA-1 only selects a certificate here, which is in the token and verified by its own signature (RFC 2634, 5.4).
_NAMING: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {"sha1": hashes.SHA1, **_HASHES}


def _countersignature(older: bytes, signer: Signer, pool: tuple[x509.Certificate, ...], anchors: Anchors) -> _Timestamp:
    """Verify a countersignature, the form before RFC 3161: a SignerInfo with a signing time (RFC 2985, 5.3.6)."""
    stamper = der.read_countersignature(older)
    leaf, time = _signing_certificate(stamper, pool), stamper.attribute(der.SIGNING_TIME)
    if time is None:
        raise VerificationError("it has no signing time", reason="timestamp-invalid")
    _check_signature(stamper, leaf, der.DATA, signer.signature)
    when = der.read_signing_time(time)
    return _Timestamp(when, _timestamp_path(leaf, pool, anchors, when))


def _timestamp_path(
    leaf: x509.Certificate, pool: tuple[x509.Certificate, ...], anchors: Anchors, at: datetime
) -> certificate_path.Path:
    if certificate_path.purposes(leaf) != frozenset({TIME_STAMPING}):
        raise VerificationError("its certificate is not for timestamps only", reason="wrong-purpose")
    return certificate_path.find(leaf, pool, _authority(anchors, "timestamping", TIME_STAMPING), at)


def _path(
    leaf: x509.Certificate,
    pool: tuple[x509.Certificate, ...],
    anchors: Anchors,
    at: datetime,
    stamp: _Timestamp | None,
) -> certificate_path.Path:
    """The signer's path, valid at its timestamp; valid now without one, or if it has the lifetime purpose."""
    authority = _authority(anchors, "code-signing", CODE_SIGNING)
    path = certificate_path.find(leaf, pool, authority, stamp.time if stamp else at)
    if stamp and LIFETIME_SIGNING in (certificate_path.purposes(leaf) or ()):
        certificate_path.check(path, authority, at)
    return path


def _authority(anchors: Anchors, purpose: Purpose, key_purpose: str) -> Authority:
    """The pinned roots for a purpose, and the revocation lists."""
    try:
        roots = [x509.load_pem_x509_certificate(r.pem.encode()) for r in anchors.roots if purpose in r.purposes]
        lists = [x509.load_pem_x509_crl(pem.encode()) for pem in anchors.revocation_lists]
    except UNREADABLE as error:
        raise UsageError(f"the anchors {anchors.name} cannot be read: {error}") from None
    return Authority(tuple(roots), key_purpose, tuple(lists))


def _check_publisher(leaf: x509.Certificate, publishers: tuple[Publisher, ...]) -> None:
    carried = certificate_path.purposes(leaf) or frozenset()
    names = [
        [attribute.value for attribute in leaf.subject.get_attributes_for_oid(kind)]
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    ]
    for publisher in publishers:
        if names == [[publisher.common_name], [publisher.organization]] and carried >= set(publisher.key_purposes):
            return
    raise VerificationError(
        f"the file is signed by {certificate_path.name_of(leaf)}, which is not a trusted publisher",
        reason="wrong-publisher",
    )


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


def _evidence(path: certificate_path.Path, stamp: _Timestamp | None, chosen: _Chosen, anchors: Anchors) -> Evidence:
    notes = chosen.notes if stamp else (*chosen.notes, "no timestamp: valid only while its certificate is")
    return Evidence(
        method="authenticode",
        signer=certificate_path.name_of(path[0]),
        fingerprint=certificate_path.fingerprint(path[0]),
        anchors=anchors.name,
        anchor=certificate_path.fingerprint(path[-1]),
        signed_at=stamp.time if stamp else None,
        timestamped_by=certificate_path.name_of(stamp.path[0]) if stamp else "",
        chain=_links(path),
        timestamp_chain=_links(stamp.path) if stamp else (),
        notes=notes,
    )
