"""Verifies OpenPGP signatures by pinned keys.

Sequoia (through ``pysequoia``) verifies the mathematics and applies its policy. This module adds the rules of
``docs/decisions/0002-openpgp-by-sequoia.md``:

1. One signature is verified at a time, so that an error concerns the signature that it names.
2. The signing certificate must be a pinned one, by its primary key's fingerprint.
3. Digests weaker than SHA-256 are refused whatever date the signature claims.
4. A revoked certificate is refused whatever the reason of the revocation.
5. A key that expired after signing is accepted, and the evidence notes it.
"""

from __future__ import annotations

import io
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pysequoia
from pysequoia.packet import HashAlgorithm, PacketPile, SignatureType, Tag

from bundler.errors import BundlerError, VerificationError, WriteError
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.evidence import Document, Evidence
from bundler.trust.advice import advising

CLOCK_SKEW = timedelta(minutes=30)
"""Allowed clock skew of the signer: Sequoia's own tolerance."""

_STRONG = (
    HashAlgorithm.SHA256,
    HashAlgorithm.SHA384,
    HashAlgorithm.SHA512,
    HashAlgorithm.SHA3_256,
    HashAlgorithm.SHA3_512,
)
_MAX_BLOCK = 1 << 18
_MAX_SIGNATURES = 16
_IN_MEMORY = 4 << 20

_CLEAR_BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE_BEGIN = b"-----BEGIN PGP SIGNATURE-----"
_SIGNATURE_END = b"-----END PGP SIGNATURE-----"


@dataclass(frozen=True)
class Signed:
    """A verified signature."""

    key: PackageKey
    user_id: str
    """Of the pinned key; empty if it has none."""
    signed_at: datetime
    """By the signature; UTC."""
    content: bytes = b""
    """The signed text of a clear-signed document, as the library returns it; empty for a detached signature."""
    notes: tuple[str, ...] = ()


def evidence(
    method: Literal["debsigs", "rpm-signature", "apt-repository", "yum-repository"],
    signed: Signed,
    anchors: Anchors,
    documents: Sequence[Document] = (),
) -> Evidence:
    """Evidence from a verified signature; ``documents`` are those of a repository's chain."""
    return Evidence(
        method=method,
        signer=signed.user_id,
        fingerprint=signed.key.fingerprint,
        anchors=anchors.name,
        anchor=signed.key.fingerprint,
        signed_at=signed.signed_at,
        documents=tuple(documents),
        notes=signed.notes,
    )


@dataclass(frozen=True)
class _Pinned:
    """A pinned key, parsed."""

    key: PackageKey
    certificate: pysequoia.Cert
    key_ids: frozenset[str]
    """The last 16 hex digits of its keys' fingerprints, lower-case (RFC 4880, 12.2)."""


@dataclass(frozen=True)
class _Claim:
    """A signature before verification, with what it claims."""

    packet: pysequoia.Sig
    type: SignatureType
    digest: HashAlgorithm
    key_id: str
    """16 hex digits, lower-case; empty if it names no key."""
    created: datetime | None


Check = Callable[[_Claim, Any], "pysequoia.Decrypted"]


def verify_detached(
    signatures: bytes, data: Iterable[bytes], *, size: int, anchors: Anchors, at: datetime, what: str
) -> Signed:
    """Verify detached signatures, of which one by a pinned key is enough.

    Args:
        signatures: armored or not, one or several.
        data: the signed bytes, in chunks.
        size: of ``data`` in bytes. Above 4 MiB it is copied to a temporary file, because the library reads either a
            file or one block of memory.
        anchors: the pinned keys.
        at: time of verification, with zone.
        what: what a person calls the signed data.

    Raises:
        VerificationError: ``unsigned``, ``malformed``, ``wrong-key``, ``weak-digest``, ``revoked-key``,
            ``expired-key``, ``unusable-key``, ``future-signature`` or ``bad-signature``.
        WriteError: the temporary file cannot be written.
    """
    with advising(anchors):
        claims = _claims(signatures, what)
        with _as_argument(data, size) as argument:

            def check(claim: _Claim, store: Any) -> pysequoia.Decrypted:
                if claim.type != SignatureType.Binary:  # a text signature ignores changed line ends
                    raise _refused(what, "bad-signature", "its signature is not over binary data")
                return pysequoia.verify(store=store, signature=claim.packet, **argument)

            return _verify_any(claims, check, anchors=anchors, at=at, what=what)


def verify_clearsigned(document: bytes, *, anchors: Anchors, at: datetime, what: str) -> Signed:
    """Verify a clear-signed document (RFC 4880, 7).

    Only ``content`` of the result is signed: text before and after the block is ignored. Raises as
    :func:`verify_detached`.
    """
    with advising(anchors):
        return _verify_clearsigned(document, anchors, at, what)


def _verify_clearsigned(document: bytes, anchors: Anchors, at: datetime, what: str) -> Signed:
    message, block = _clear_parts(document, what)
    claims = _claims(block, what)

    def check(claim: _Claim, store: Any) -> pysequoia.Decrypted:
        if claim.type not in (SignatureType.Text, SignatureType.Binary):
            raise _refused(what, "bad-signature", "its signature is not over a document")
        return pysequoia.verify(bytes=message + str(claim.packet).encode(), store=store)

    return _verify_any(claims, check, anchors=anchors, at=at, what=what)


def _refused(what: str, reason: str, why: str, details: Sequence[str] = ()) -> VerificationError:
    return VerificationError(f"{what} cannot be verified: {why}", reason=reason, details=details)


def _clear_parts(document: bytes, what: str) -> tuple[bytes, bytes]:
    """Split a document into the signed message and the armored signature."""
    lines = io.BytesIO(document).readlines()
    bare = [line.rstrip() for line in lines]
    try:
        begin = bare.index(_CLEAR_BEGIN)
        middle = bare.index(_SIGNATURE_BEGIN, begin)
        end = bare.index(_SIGNATURE_END, middle)
    except ValueError:
        page = document.lstrip()[:1] == b"<"
        reason = "html" if page else "unsigned"
        why = "it is an HTML page" if page else "it has no complete clear-signed block"
        raise _refused(what, reason, why) from None
    headers = itertools.takewhile(bool, bare[begin + 1 : middle])
    if not all(line.startswith(b"Hash: ") for line in headers):
        # RFC 9580, 7.1: no other header is allowed there, because it is not signed but looks as if it were.
        raise _refused(what, "trailing-data", "unsigned text was added before its signed text")
    return b"".join(lines[begin:middle]), b"".join(lines[middle : end + 1])


def _claims(block: bytes, what: str) -> list[_Claim]:
    if not block.strip():
        raise _refused(what, "unsigned", "there is no signature")
    if len(block) > _MAX_BLOCK:
        raise _refused(what, "malformed", "its signature is larger than any real one")
    with _library(what, "malformed", "its signature cannot be read"):
        packets = list(PacketPile.from_bytes(block))
        claims = []
        for packet in (pysequoia.Sig.from_bytes(bytes(p)) for p in packets if p.tag == Tag.Signature):
            fingerprint = packet.issuer_fingerprint
            key_id = fingerprint[-16:] if fingerprint else packet.issuer_key_id or ""
            claims.append(_Claim(packet, packet.signature_type, packet.hash_algorithm, key_id, packet.created))
    if not 0 < len(packets) == len(claims) <= _MAX_SIGNATURES:
        raise _refused(what, "malformed", "it has something other than signatures in place of its signature")
    return claims


@contextmanager
def _library(what: str, reason: str, why: str) -> Iterator[None]:
    """Turn an exception of the library into a VerificationError."""
    try:
        yield
    except BundlerError:
        raise
    except Exception as error:  # noqa: BLE001 - the library documents no exceptions of its own
        # Only its first line: the rest is the library's stack trace.
        first = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise _refused(what, reason, why, (first,)) from None


@contextmanager
def _as_argument(data: Iterable[bytes], size: int) -> Iterator[dict[str, Any]]:
    """``data`` as an argument of the library: bytes if small, otherwise a temporary file."""
    if size <= _IN_MEMORY:
        yield {"bytes": b"".join(data)}
        return
    with tempfile.TemporaryDirectory(prefix="arc-bundler-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "signed")
        try:
            with path.open("wb") as file:
                for chunk in data:
                    file.write(chunk)
        except OSError as error:
            raise WriteError(
                f"{size} bytes cannot be written to the folder for temporary files: {error.strerror}",
                details=(str(path),),
                do="free space there, or set TMPDIR (Windows: TEMP) to another folder",
            ) from None
        yield {"file": str(path)}


def _pinned(anchors: Anchors, what: str) -> list[_Pinned]:
    if not anchors.package_keys:
        raise _refused(what, "wrong-key", f"the anchors {anchors.name} pin no OpenPGP key")
    pinned: list[_Pinned] = []
    for key in anchors.package_keys:
        with _library(what, "unusable-key", f"the pinned key {key.name} cannot be read"):
            certificate = pysequoia.Cert.from_bytes(key.armored.encode())
            packets = PacketPile.from_bytes(bytes(certificate))
            fingerprints = [packet.fingerprint for packet in packets if packet.tag in (Tag.PublicKey, Tag.PublicSubkey)]
        if certificate.fingerprint.upper() != key.fingerprint:
            raise _refused(what, "unusable-key", f"the key {key.name} does not match its pin")
        pinned.append(_Pinned(key, certificate, frozenset(f[-16:] for f in fingerprints if f)))
    return pinned


def _verify_any(claims: list[_Claim], check: Check, *, anchors: Anchors, at: datetime, what: str) -> Signed:
    """Return the first signature that is valid; otherwise raise what is wrong with the first one by a pinned key."""
    pinned = _pinned(anchors, what)
    refusals: list[VerificationError] = []
    for claim in claims:
        # Several candidates if a key is pinned in several copies.
        for signer in (candidate for candidate in pinned if claim.key_id in candidate.key_ids):
            try:
                return _verify_one(claim, check, signer=signer, at=at, what=what)
            except VerificationError as refusal:  # noqa: PERF203 - one by one is the point
                refusals.append(refusal)
    if not refusals:
        signed = [f"signed by key {claim.key_id.upper() or '(unnamed)'}" for claim in claims]
        known = [f"pinned: {candidate.key.fingerprint} {candidate.key.name}" for candidate in pinned]
        raise _refused(what, "wrong-key", "no pinned key signed it", signed + known)
    raise refusals[0]


def _verify_one(claim: _Claim, check: Check, *, signer: _Pinned, at: datetime, what: str) -> Signed:
    """Verify one signature: its digest and date, the key's state, and last the mathematics."""
    if claim.digest not in _STRONG:
        name = str(claim.digest).rpartition(".")[2]
        raise _refused(what, "weak-digest", f"its signature uses {name}, which can be forged")
    created = _created(claim, at, what)
    expires = _usable_until(signer, what)
    if expires is not None and created >= expires:
        raise _refused(what, "expired-key", f"it was signed after its key expired ({expires:%Y-%m-%d})")
    with _library(what, "bad-signature", f"its signature does not match its bytes and the key {signer.key.name}"):
        result = check(claim, lambda _: [signer.certificate])
    if signer.key.fingerprint not in [valid.certificate.upper() for valid in result.valid_sigs]:
        raise _refused(what, "bad-signature", "the OpenPGP library names another signer than the pinned one")
    notes: tuple[str, ...] = ()
    if expires is not None and expires <= at:
        notes = (f"The key expired on {expires:%Y-%m-%d}; the signature was made before, on {created:%Y-%m-%d}.",)
    user_ids = [str(user_id) for user_id in signer.certificate.user_ids]
    return Signed(signer.key, next(iter(user_ids), ""), created, result.bytes or b"", notes)


def _created(claim: _Claim, at: datetime, what: str) -> datetime:
    created = claim.created
    if created is None:
        raise _refused(what, "bad-signature", "its signature has no date")
    if created > at + CLOCK_SKEW:
        raise _refused(
            what,
            "future-signature",
            f"its signature is dated {created:%Y-%m-%d %H:%M} UTC, which is in the future",
        )
    return created


def _usable_until(signer: _Pinned, what: str) -> datetime | None:
    """When the signer's key expires. Raises for a key that Sequoia's policy rejects altogether, or a revoked one."""
    with _library(what, "unusable-key", f"the pinned key {signer.key.name} cannot sign"):
        revoked, expires = signer.certificate.is_revoked, signer.certificate.expiration
    if revoked:
        raise _refused(what, "revoked-key", f"the key {signer.key.name} is revoked")
    return expires
