"""Verifies the signature of an rpm package.

Source: rpm's documents "Signatures and digests in packages" and "Tags".

1. The header signature (tags 268 and 267, or 278 in v6 packages) covers the whole main header.
2. The header holds the digest of the compressed payload (tags 5092, 5093). Packages made before rpm 4.14 lack it; then
   the older signature over header and payload (tags 1002, 1005) must cover the payload.
3. Lead and signature header are not signed by design. Whatever they say about the rest must be right, so that a package
   that is verified here is one that rpm on the target accepts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from bundler.errors import VerificationError
from bundler.formats import rpm, rpm_signature_header
from bundler.formats.rpm import Layout, Tag
from bundler.formats.rpm_header import Header, RpmError
from bundler.formats.rpm_signature_header import SignatureTag
from bundler.model.anchor import Anchors
from bundler.model.evidence import Evidence
from bundler.trust import openpgp, unsigned_bytes
from bundler.trust.advice import advising, as_verification_error
from bundler.trust.openpgp import Signed

_WHAT = "the package"
_CHUNK = 1 << 20
_PAYLOAD_DIGESTS = {8: "sha256", 9: "sha384", 10: "sha512"}  # RFC 4880, 9.4; weaker ones are refused


def verify(file: BinaryIO, *, anchors: Anchors, at: datetime) -> Evidence:
    """Verify an rpm package by its own signature.

    Args:
        file: the package, seekable.
        anchors: the pinned OpenPGP keys.
        at: time of verification, with zone.

    Raises:
        VerificationError: reasons of :mod:`bundler.trust.openpgp` and :mod:`bundler.formats.rpm`, ``unsigned``,
            ``digest-mismatch``, ``unexpected-data`` and ``no-payload-digest``.
    """
    with advising(anchors), as_verification_error(_WHAT):
        layout = rpm.layout(file)
        signed = _signed_header(layout, anchors, at)
        _check_unsigned(layout)
        if layout.payload_offset == layout.size:
            raise VerificationError("the package ends where its payload should begin", reason="truncated")
        covered = (layout.header_offset, layout.size - layout.header_offset)
        unsigned_bytes.require_no_archive(file, [covered], _WHAT)
        found = _payload_digest(file, layout)
        whole = _signed_whole(file, layout, anchors, at)
        _check_payload(layout, found, whole)
    return openpgp.evidence("rpm-signature", signed, anchors)


def _signed_header(layout: Layout, anchors: Anchors, at: datetime) -> Signed:
    """Verify every signature over the header: there must be one, and all must be valid, as rpm requires."""
    held = [layout.signature.binary(tag) for tag in (SignatureTag.RSA_HEADER, SignatureTag.DSA_HEADER)]
    blocks = [block for block in held if block is not None]
    blocks += map(_from_base64, layout.signature.strings(SignatureTag.OPENPGP))  # v6: several, each in base64
    if not blocks:
        raise VerificationError(
            "the package is not signed: it never was, or its signature was removed",
            reason="unsigned",
            do="do not install it, even if `rpm -K` reports `digests OK`",
        )
    blob = layout.header.blob
    verified = [_verified(block, [blob], len(blob), anchors, at) for block in blocks]
    return verified[0]


def _verified(block: bytes, data: Iterable[bytes], size: int, anchors: Anchors, at: datetime) -> Signed:
    if block.startswith(b"-"):  # rpm reads packets alone
        raise RpmError("a signature is armored")
    return openpgp.verify_detached(block, data, size=size, anchors=anchors, at=at, what=_WHAT, every=True)


def _from_base64(text: str) -> bytes:
    try:
        packets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RpmError("a signature is not valid base64") from None
    if base64.b64encode(packets).decode() != text:
        raise RpmError("a signature is not in the only base64 form of its bytes")
    return packets


def _check_unsigned(layout: Layout) -> None:
    """Check the rest of the signature header: known tags alone, digests of the main header, and the size."""
    blob = layout.header.blob
    digests = {
        SignatureTag.SHA1_HEADER: hashlib.sha1(blob, usedforsecurity=False).hexdigest(),
        SignatureTag.SHA256_HEADER: hashlib.sha256(blob).hexdigest(),
        SignatureTag.SHA3_256_HEADER: hashlib.sha3_256(blob).hexdigest(),
    }
    for tag, digest in digests.items():
        if tag in layout.signature and layout.signature.string(tag) != digest:
            raise VerificationError(
                "the digest in the signature header does not match the main header", reason="digest-mismatch"
            )
    rpm_signature_header.check(layout.signature)
    size = layout.size - layout.header_offset
    for recorded in (*layout.signature.integers(SignatureTag.SIZE), *layout.signature.integers(SignatureTag.LONG_SIZE)):
        if recorded != size:
            reason = "truncated" if recorded > size else "trailing-data"
            raise VerificationError("the package does not have the size in its signature header", reason=reason)


def _payload_digest(file: BinaryIO, layout: Layout) -> str:
    """Digest of the payload in lower-case hex; empty if the header has none to compare.

    Where the signature header has an MD5, of header and payload together, it is checked in the same pass.
    """
    algorithm = _payload_algorithm(layout.header)
    payload = hashlib.new(algorithm) if algorithm else None
    md5 = hashlib.md5(layout.header.blob, usedforsecurity=False) if SignatureTag.MD5 in layout.signature else None
    for chunk in _from(file, layout.payload_offset):
        if payload is not None:
            payload.update(chunk)
        if md5 is not None:
            md5.update(chunk)
    recorded = layout.signature.binary(SignatureTag.MD5)
    if recorded is not None and recorded.hex() != (md5.hexdigest() if md5 else ""):
        raise VerificationError("the MD5 in the signature header does not match the package", reason="digest-mismatch")
    return payload.hexdigest() if payload else ""


def _payload_algorithm(header: Header) -> str:
    """The payload digest's algorithm, as hashlib names it; empty if the header has no payload digest."""
    if Tag.PAYLOAD_DIGEST not in header:
        return ""
    numbers = header.integers(Tag.PAYLOAD_DIGEST_ALGORITHM) or (8,)  # v6 has SHA-256 here without saying so
    if numbers[0] not in _PAYLOAD_DIGESTS:
        raise VerificationError("the package's payload digest is weaker than SHA-256", reason="weak-digest")
    return _PAYLOAD_DIGESTS[numbers[0]]


def _from(file: BinaryIO, offset: int) -> Iterator[bytes]:
    file.seek(offset)
    while chunk := file.read(_CHUNK):
        yield chunk


def _signed_whole(file: BinaryIO, layout: Layout, anchors: Anchors, at: datetime) -> bool:
    """Whether an old-style signature covers header and payload; an invalid one is refused."""
    blocks = [layout.signature.binary(tag) for tag in (SignatureTag.PGP, SignatureTag.GPG)]
    present = [block for block in blocks if block is not None]
    for block in present:
        data = _from(file, layout.header_offset)
        size = layout.size - layout.header_offset
        _verified(block, data, size, anchors, at)
    return bool(present)


def _check_payload(layout: Layout, found: str, signed_whole: bool) -> None:
    recorded = layout.header.string(Tag.PAYLOAD_DIGEST)
    if not recorded and not signed_whole:
        raise VerificationError("no signature covers the package's payload", reason="no-payload-digest")
    if recorded and recorded.lower() != found:
        raise VerificationError(
            "the package's payload differs from the signed one",
            reason="digest-mismatch",
            details=(f"signed {recorded}", f"found  {found}"),
        )
