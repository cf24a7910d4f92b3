"""Verifies OpenPGP signatures by pinned keys.

Sequoia (through ``pysequoia``) verifies the mathematics and applies its policy. This module adds the rules of
``docs/decisions/0002-openpgp-by-sequoia.md``:

1. A signature is read strictly first (:mod:`bundler.formats.openpgp_signature`): nothing foreign is in it.
2. One signature is verified at a time, so that an error concerns the signature that it names.
3. The signing certificate must be a pinned one, by its primary key's fingerprint.
4. Digests weaker than SHA-256 are refused whatever date the signature claims.
5. A revoked certificate is refused whatever the reason of the revocation.
6. A key that expired after signing is accepted, and the evidence notes it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pysequoia

from bundler.errors import VerificationError, WriteError
from bundler.formats import clear_signed, openpgp_signature
from bundler.formats.openpgp_signature import Signature
from bundler.formats.parse_error import ParseError
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.evidence import Document, Evidence
from bundler.trust import pinned_keys, unsigned_bytes
from bundler.trust.advice import advising
from bundler.trust.pinned_keys import Pinned, refused

CLOCK_SKEW = timedelta(minutes=30)
"""Allowed clock skew of the signer: Sequoia's own tolerance."""

_STRONG = {8: "sha256", 9: "sha384", 10: "sha512", 12: "sha3_256", 14: "sha3_512"}
"""RFC 9580 section 9.5, as hashlib names them."""
_WEAK = {1: "MD5", 2: "SHA1", 3: "RIPEMD160", 11: "SHA224"}
_KEY_ALGORITHMS = (1, 3, 17, 19, 22, 27, 28)
_BINARY, _TEXT = 0, 1
_IN_MEMORY = 4 << 20
_CHUNK = 1 << 20
_MAX_OTHER_AREA, _MAX_OTHER_REST = 512, 640
"""Bytes that a signature which is not verified may have in its hashed area, and beside it (4096-bit RSA needs 540)."""


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


Check = Callable[[Signature, Any], "pysequoia.Decrypted"]


def verify_detached(
    signatures: bytes,
    data: Iterable[bytes],
    *,
    size: int,
    anchors: Anchors,
    at: datetime,
    what: str,
    every: bool = False,
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
        every: require one signature, by a pinned key, as packages have.

    Raises:
        VerificationError: reasons of :mod:`bundler.formats.openpgp_signature` and :mod:`bundler.trust.pinned_keys`,
            ``unsigned``, ``wrong-key``, ``weak-digest``, ``unknown-algorithm``, ``old-signature``,
            ``future-signature``, ``several-signatures``, ``other-signature`` or ``bad-signature``.
        WriteError: the temporary file cannot be written.
    """
    with advising(anchors):
        claims = _claims(signatures, what)
        if every and len(claims) > 1:
            raise refused(what, "several-signatures", f"it has {len(claims)} signatures in place of one")
        with _as_argument(data, size) as argument:

            def check(claim: Signature, store: Any) -> pysequoia.Decrypted:
                if claim.kind != _BINARY:  # a text signature ignores changed line ends
                    raise refused(what, "bad-signature", "its signature is not over binary data")
                _require_digest_start(claim, argument)
                return pysequoia.verify(store=store, signature=pysequoia.Sig.from_bytes(claim.packet), **argument)

            return _verify_any(claims, check, anchors=anchors, at=at, what=what)


def verify_clearsigned(document: bytes, *, anchors: Anchors, at: datetime, what: str, alone: bool = False) -> Signed:
    """Verify a clear-signed document (RFC 9580 section 7).

    Only ``content`` of the result is signed: text before and after the block is ignored, or refused with ``alone``
    (``trailing-data``). Raises as :func:`verify_detached`, and reasons of :mod:`bundler.formats.clear_signed`.
    """
    with advising(anchors):
        parts = _parts(document, what)
        if alone and not parts.is_alone:
            raise refused(what, "trailing-data", "it holds more than one signed document")
        claims = _claims(parts.signature, what)

        def check(claim: Signature, store: Any) -> pysequoia.Decrypted:
            if claim.kind not in {_BINARY, _TEXT}:
                raise refused(what, "bad-signature", "its signature is not over a document")
            return pysequoia.verify(bytes=parts.message + _armored(claim.packet), store=store)

        return _verify_any(claims, check, anchors=anchors, at=at, what=what)


def _armored(packet: bytes) -> bytes:
    return str(pysequoia.Sig.from_bytes(packet)).encode()


def _parts(document: bytes, what: str) -> clear_signed.Parts:
    try:
        return clear_signed.split(document)
    except ParseError as error:
        raise VerificationError(f"{what} cannot be verified: {error}", reason=error.reason) from None


def _claims(block: bytes, what: str) -> tuple[Signature, ...]:
    if not block.strip():
        raise refused(what, "unsigned", "there is no signature")
    try:
        found = openpgp_signature.signatures(block)
    except ParseError as error:
        raise VerificationError(f"{what} cannot be verified: {error}", reason=error.reason) from None
    unsigned_bytes.refuse_archive(block, f"the signature of {what}")
    return found


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


def _verify_any(claims: Sequence[Signature], check: Check, *, anchors: Anchors, at: datetime, what: str) -> Signed:
    """Return the first signature that is valid; otherwise raise what is wrong with the first one by a pinned key."""
    pinned = pinned_keys.pinned(anchors, what)
    refusals: list[VerificationError] = []
    for claim in claims:
        # Several candidates if a key is pinned in several copies.
        for signer in (candidate for candidate in pinned if claim.key_id in candidate.keys):
            try:
                signed = _verify_one(claim, check, signer=signer, at=at, what=what)
            except VerificationError as refusal:  # noqa: PERF203 - one by one is the point
                refusals.append(refusal)
            else:
                _bound_others([other for other in claims if other is not claim], what)
                return signed
    if not refusals:
        details = [f"signed by key {claim.key_id.upper() or '(unnamed)'}" for claim in claims]
        details += [f"pinned: {candidate.key.fingerprint} {candidate.key.name}" for candidate in pinned]
        raise refused(what, "wrong-key", "no pinned key signed it", tuple(details))
    raise refusals[0]


def _bound_others(others: Sequence[Signature], what: str) -> None:
    """Require of the signatures by other keys, which nothing verifies, that they have no room for foreign bytes."""
    for other in others:
        if other.hashed_size > _MAX_OTHER_AREA or len(other.packet) - other.hashed_size > _MAX_OTHER_REST:
            raise refused(what, "other-signature", f"a further signature by another key has {len(other.packet)} bytes")


def _verify_one(claim: Signature, check: Check, *, signer: Pinned, at: datetime, what: str) -> Signed:
    """Verify one signature: its form, digest and date, the key's state, and last the mathematics."""
    _require_modern(claim, what)
    created = _created(claim, at, what)
    expires = pinned_keys.usable_until(signer, claim.key_id, created, what)
    name = signer.key.name
    with pinned_keys.library(what, "bad-signature", f"its signature does not match its bytes and the key {name}"):
        result = check(claim, lambda _: [signer.certificate])
    if signer.key.fingerprint not in [valid.certificate.upper() for valid in result.valid_sigs]:
        raise refused(what, "bad-signature", "the OpenPGP library names another signer than the pinned one")
    notes: tuple[str, ...] = ()
    if expires is not None and expires <= at:
        notes = (f"The key expired on {expires:%Y-%m-%d}; the signature was made before, on {created:%Y-%m-%d}.",)
    user_ids = [str(user_id) for user_id in signer.certificate.user_ids]
    return Signed(signer.key, next(iter(user_ids), ""), created, result.bytes or b"", notes)


def _require_modern(claim: Signature, what: str) -> None:
    """Refuse by name what Sequoia's policy refuses, or does not know."""
    if claim.digest in _WEAK:
        raise refused(what, "weak-digest", f"its signature uses {_WEAK[claim.digest]}, which can be forged")
    if claim.version == 3:
        raise refused(what, "old-signature", "its signature has the old version 3")
    if claim.digest not in _STRONG:
        raise refused(what, "unknown-algorithm", f"its signature uses the unknown digest {claim.digest}")
    if claim.unknown:
        raise refused(
            what, "unknown-version", f"its signature has a critical field of the unknown type {claim.unknown}"
        )
    if claim.key_algorithm not in _KEY_ALGORITHMS:
        raise refused(what, "unknown-algorithm", f"its signature uses the unknown key algorithm {claim.key_algorithm}")


def _require_digest_start(claim: Signature, argument: Mapping[str, Any]) -> None:
    """Require that the digest begins with the two bytes that the packet says, as rpm does: they are not signed."""
    digest = hashlib.new(_STRONG[claim.digest], claim.salt)
    if "file" in argument:
        with Path(argument["file"]).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    else:
        digest.update(argument["bytes"])
    digest.update(claim.hashed)
    if digest.digest()[:2] != claim.digest_start:
        raise ValueError("the digest of these bytes does not begin as the signature says")


def _created(claim: Signature, at: datetime, what: str) -> datetime:
    created = claim.created
    if created is None:
        raise refused(what, "bad-signature", "its signature has no date")
    if created > at + CLOCK_SKEW:
        raise refused(
            what,
            "future-signature",
            f"its signature is dated {created:%Y-%m-%d %H:%M} UTC, which is in the future",
        )
    if claim.expires is not None and claim.expires <= at:
        raise refused(what, "expired-signature", f"its signature expired on {claim.expires:%Y-%m-%d}")
    return created
