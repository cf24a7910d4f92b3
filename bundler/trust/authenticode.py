"""Did a trusted publisher sign this MSI, PE or PowerShell file, and did every byte of it stay as signed?

The order of the judgement:

1. The file is what it is said to be, and every byte of it is covered or known (the readers in ``formats``).
2. One signer; of two signatures side by side the one that is no SHA-1.
3. The digest that the signature holds is the file's, by SHA-256 or better.
4. The signature is the signer's.
5. The timestamp, where there is one, is of a trusted authority and over this signature: it is the time that counts.
6. The signer's certificate leads to a pinned root, by all rules, at that time.
7. The signer is the publisher.

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
from bundler.trust.advice import with_advice
from bundler.trust.certificate_path import STRONG, Authority

Kind = Literal["msi", "pe", "ps1"]

CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
LIFETIME_SIGNING: Final = "1.3.6.1.4.1.311.10.3.13"
"""A certificate with this purpose makes signatures that end with it, timestamp or not (szOID_KP_LIFETIME_SIGNING)."""

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
    """A file whose bytes are all covered or known: its signature, and the digest that it must hold."""

    pkcs7: bytes

    def digest(self, algorithm: str) -> bytes: ...


_READERS: Final[dict[Kind, Callable[[BinaryIO], _Subject]]] = {
    "msi": SignedInstaller,
    "pe": SignedImage,
    "ps1": SignedScript,
}


@dataclass(frozen=True)
class _Chosen:
    """The one signature that is judged, and what lies beside it."""

    signature: Signature
    signer: Signer
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Timestamp:
    time: datetime
    path: certificate_path.Path


def verify(file: BinaryIO, kind: Kind, *, anchors: Anchors, at: datetime) -> Evidence:
    """Judge ``file`` (seekable) as a ``kind``; ``at`` is the present, or the time to judge for (with time zone).

    Raises :class:`~bundler.errors.VerificationError` whose ``reason`` is one of :data:`bundler.trust.advice.MEANINGS`,
    and :class:`~bundler.errors.UsageError` where the anchors cannot be read.
    """
    with _explaining():
        return _verify_file(file, kind, anchors, at)


def verify_pinned(file: BinaryIO, kind: Kind, *, sha256: str, at: datetime) -> None:
    """Judge ``file`` as signed with the one certificate whose fingerprint is ``sha256``, valid ``at`` that moment.

    For what is believed by a fingerprint that was told, so that no issuer adds trust. ``sha256``: 64 lower-case hex
    digits. No timestamp is taken, nor anything else that the signature does not cover. Raises as :func:`verify` does;
    ``wrong-publisher`` where somebody else signed.
    """
    with _explaining():
        _verify_pinned(file, kind, sha256, at)


@contextmanager
def _explaining() -> Iterator[None]:
    """Say with a refusal what it usually means."""
    try:
        yield
    except VerificationError as error:
        raise with_advice(error) from None
    except UNREADABLE:
        unreadable = VerificationError("a certificate in the signature cannot be read", reason="malformed")
        raise with_advice(unreadable) from None


def _verify_pinned(file: BinaryIO, kind: Kind, sha256: str, at: datetime) -> None:
    chosen, _, leaf = _signed(file, kind)
    if chosen.signer.unsigned or chosen.notes:
        raise VerificationError("the signature carries something that it does not protect", reason="unknown-attribute")
    if not hmac.compare_digest(certificate_path.fingerprint(leaf), sha256):
        found = f"{certificate_path.name_of(leaf)} (sha256:{certificate_path.fingerprint(leaf)})"
        raise VerificationError(f"it is signed by {found}, and not by sha256:{sha256}", reason="wrong-publisher")
    certificate_path.check_alone(leaf, CODE_SIGNING, at)


def _signed(file: BinaryIO, kind: Kind) -> tuple[_Chosen, tuple[x509.Certificate, ...], x509.Certificate]:
    """The signature of a file that is as it was signed, the certificates that it carries, and its signer's own."""
    _expect_kind(file, kind)
    subject = _READERS[kind](file)
    chosen = _choose(der.read_signature(subject.pkcs7))
    _check_file(subject, kind, der.read_indirect_data(chosen.signature), chosen)
    pool = _certificates(chosen.signature)
    leaf = _signing_certificate(chosen.signer, pool)
    _check_signature(chosen.signer, leaf, chosen.signature.content_type, chosen.signature.content)
    return chosen, pool, leaf


def _verify_file(file: BinaryIO, kind: Kind, anchors: Anchors, at: datetime) -> Evidence:
    chosen, pool, leaf = _signed(file, kind)
    stamp = _timestamp(chosen.signer, pool, anchors, at)
    path = _path(leaf, pool, anchors, at, stamp)
    _check_publisher(leaf, anchors.publishers)
    return _evidence(path, stamp, chosen, anchors)


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
        raise VerificationError(f"this is no {kind} file but {found}", reason="unknown-kind")


def _only_signer(signature: Signature) -> Signer:
    if len(signature.signers) != 1:
        raise VerificationError(f"the signature has {len(signature.signers)} signers", reason="several-signers")
    return signature.signers[0]


def _choose(primary: Signature) -> _Chosen:
    """Take the primary signature, or the one beside it where the primary is SHA-1 (signed for old and new Windows)."""
    signer = _only_signer(primary)
    nested = signer.others(der.NESTED_SIGNATURE)
    if signer.digest_algorithm in STRONG:
        notes = (f"{len(nested)} more signature(s) beside the first; not relied upon",) if nested else ()
        return _Chosen(primary, signer, notes)
    strong = [found for found in map(der.read_signature, nested) if _only_signer(found).digest_algorithm in STRONG]
    if not strong:
        raise VerificationError("the file is signed with a digest weaker than SHA-256", reason="weak-digest")
    if len(strong) > 1:
        raise VerificationError("several signatures lie beside a SHA-1 one", reason="several-signers")
    note = "judged by the SHA-256 signature beside an older SHA-1 one, which was not relied upon"
    return _Chosen(strong[0], _only_signer(strong[0]), (note,))


def _check_file(subject: _Subject, kind: Kind, data: IndirectData, chosen: _Chosen) -> None:
    """The signature speaks of a file of this kind, and its digest is the file's."""
    if (data.kind, data.subject) != _EXPECTED[kind]:
        raise VerificationError(f"the signature was made for another kind of file than {kind}", reason="wrong-subject")
    if data.algorithm not in STRONG:
        raise VerificationError("the file's digest is weaker than SHA-256", reason="weak-digest")
    if chosen.signature.digest_algorithms != (chosen.signer.digest_algorithm,):
        raise VerificationError("the signature contradicts itself about its digest", reason="malformed")
    if not hmac.compare_digest(subject.digest(data.algorithm), data.digest):
        raise VerificationError("the file was changed after it was signed", reason="digest-mismatch")
    if any(attribute not in _KNOWN_UNSIGNED for attribute, _ in chosen.signer.unsigned):
        raise VerificationError("the signature carries something that it does not protect", reason="unknown-attribute")


def _certificates(signature: Signature) -> tuple[x509.Certificate, ...]:
    return tuple(map(x509.load_der_x509_certificate, signature.certificates))


def _signing_certificate(signer: Signer, pool: tuple[x509.Certificate, ...]) -> x509.Certificate:
    for certificate in pool:
        if certificate.serial_number == signer.serial and certificate.issuer.public_bytes() == signer.issuer:
            return certificate
    raise VerificationError("the signature does not carry its signer's certificate", reason="malformed")


def _check_signature(signer: Signer, leaf: x509.Certificate, content_type: str, content: bytes) -> None:
    """RFC 5652, 5.4 and 5.6: the attributes name the content, and the key signed the attributes."""
    if signer.digest_algorithm not in STRONG:
        raise VerificationError("the signature uses a digest weaker than SHA-256", reason="weak-digest")
    named, digest = signer.attribute(der.CONTENT_TYPE), signer.attribute(der.MESSAGE_DIGEST)
    if named is None or digest is None:
        raise VerificationError("the signature does not say what it signs", reason="malformed")
    actual = hashlib.new(signer.digest_algorithm, content).digest()
    if der.read_object_identifier(named) != content_type or not hmac.compare_digest(der.read_octets(digest), actual):
        raise VerificationError("the signed attributes are not those of the content", reason="bad-signature")
    _verify_value(signer, leaf)


def _verify_value(signer: Signer, leaf: x509.Certificate) -> None:
    certificate_path.check_key(leaf)
    key, algorithm = leaf.public_key(), _HASHES[signer.digest_algorithm]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer.signature_algorithm == "rsassa_pkcs1v15":
            key.verify(signer.signature, signer.signed_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.signature_algorithm == "ecdsa":
            key.verify(signer.signature, signer.signed_bytes, ec.ECDSA(algorithm))
        else:
            raise VerificationError("the signature is of an unknown kind", reason="unknown-algorithm")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise VerificationError("the signature is not its signer's", reason="bad-signature") from None


def _timestamp(signer: Signer, pool: tuple[x509.Certificate, ...], anchors: Anchors, at: datetime) -> _Timestamp | None:
    tokens, older = signer.others(der.TIMESTAMP_RFC3161), signer.others(der.COUNTERSIGNATURE)
    if len(tokens) + len(older) > 1:
        raise VerificationError("the signature has more than one timestamp", reason="timestamp-invalid")
    if not tokens and not older:
        return None
    try:
        stamp = _token(tokens[0], signer, anchors) if tokens else _countersignature(older[0], signer, pool, anchors)
    except VerificationError as error:
        raise _about_timestamp(error) from None
    if stamp.time > at + CLOCK_TOLERANCE:
        raise VerificationError(
            f"the timestamp, {stamp.time:%Y-%m-%d %H:%M} UTC, is yet to come", reason="timestamp-in-future"
        )
    return stamp


def _about_timestamp(error: VerificationError) -> VerificationError:
    """Say that it is the timestamp that is wrong; weak digests and revocation keep their own word."""
    reasons = {"untrusted-root": "timestamp-untrusted", "weak-digest": "weak-digest", "revoked": "revoked"}
    reason = reasons.get(error.reason, "timestamp-invalid")
    return VerificationError(f"the timestamp is not believed: {error.what}", reason=reason)


def _token(token: bytes, signer: Signer, anchors: Anchors) -> _Timestamp:
    """RFC 3161: a token whose imprint is the digest of this signature."""
    signature = der.read_signature(token)
    stamper, pool = _only_signer(signature), _certificates(signature)
    leaf, info = _signing_certificate(stamper, pool), der.read_timestamp_info(signature)
    _check_signature(stamper, leaf, signature.content_type, signature.content)
    _check_named_certificate(stamper, leaf)
    if stamper.digest_algorithm not in signature.digest_algorithms:
        raise VerificationError("it contradicts itself about its digest", reason="timestamp-invalid")
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


# SHA-1 names a certificate here that is in the token anyway, and is checked by its own signature (RFC 2634, 5.4).
_NAMING: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {"sha1": hashes.SHA1, **_HASHES}


def _countersignature(older: bytes, signer: Signer, pool: tuple[x509.Certificate, ...], anchors: Anchors) -> _Timestamp:
    """The kind from before RFC 3161: a SignerInfo over the signature's bytes, with a signing time (RFC 2985, 5.3.6)."""
    stamper = der.read_countersignature(older)
    leaf, time = _signing_certificate(stamper, pool), stamper.attribute(der.SIGNING_TIME)
    if time is None:
        raise VerificationError("it says no time", reason="timestamp-invalid")
    _check_signature(stamper, leaf, der.DATA, signer.signature)
    when = der.read_signing_time(time)
    return _Timestamp(when, _timestamp_path(leaf, pool, anchors, when))


def _timestamp_path(
    leaf: x509.Certificate, pool: tuple[x509.Certificate, ...], anchors: Anchors, at: datetime
) -> certificate_path.Path:
    if certificate_path.purposes(leaf) != frozenset({TIME_STAMPING}):
        raise VerificationError("its certificate is not for timestamps alone", reason="wrong-purpose")
    return certificate_path.find(leaf, pool, _authority(anchors, "timestamping", TIME_STAMPING), at)


def _path(
    leaf: x509.Certificate,
    pool: tuple[x509.Certificate, ...],
    anchors: Anchors,
    at: datetime,
    stamp: _Timestamp | None,
) -> certificate_path.Path:
    """The signer's path at the time of its timestamp, or now where it has none or its lifetime is all it has."""
    authority = _authority(anchors, "code-signing", CODE_SIGNING)
    path = certificate_path.find(leaf, pool, authority, stamp.time if stamp else at)
    if stamp and LIFETIME_SIGNING in (certificate_path.purposes(leaf) or ()):
        certificate_path.check(path, authority, at)
    return path


def _authority(anchors: Anchors, purpose: Purpose, key_purpose: str) -> Authority:
    """The roots that may vouch for a purpose, and the revocation lists at hand."""
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
        f"the file is signed by {certificate_path.name_of(leaf)}, who is none of the publishers asked for",
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
    notes = chosen.notes if stamp else (*chosen.notes, "no timestamp: believed only while its certificate is valid")
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
