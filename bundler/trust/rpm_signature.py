"""Did a pinned key sign this rpm package?

The header signature (tags 268 and 267, or 278 in v6 packages) covers all of the main header; the header carries the
digest of the compressed payload (tags 5092, 5093). Packages made before rpm 4.14 lack that digest; there the older
signature over header and payload (tags 1002, 1005) has to cover the payload
(rpm's documents "Signatures and digests in packages" and "Tags").
The lead and the signature header are not signed by design; whatever of them says something about the rest must say it
rightly, so that what is believed here is what rpm on the target will take.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from bundler.errors import VerificationError
from bundler.formats import rpm
from bundler.formats.rpm import Header, Layout, SignatureTag, Tag
from bundler.model.anchor import Anchors
from bundler.model.evidence import Evidence
from bundler.trust import openpgp
from bundler.trust.advice import as_verification_error
from bundler.trust.openpgp import Signed

_WHAT = "the package"
_CHUNK = 1 << 20
_PAYLOAD_DIGESTS = {8: "sha256", 9: "sha384", 10: "sha512"}  # RFC 4880, 9.4; weaker ones are not taken


@dataclass(frozen=True)
class _Passed:
    """What one pass over header and payload gave, in lower-case hex digits; empty where it was not asked for."""

    payload: str
    md5: str


def verify(file: BinaryIO, *, anchors: Anchors, at: datetime) -> Evidence:
    """Believe the rpm package ``file`` by its own signature, or raise :class:`VerificationError`.

    Reasons: those of :mod:`bundler.trust.openpgp` and :mod:`bundler.formats.rpm`, ``unsigned``, ``digest-mismatch``,
    ``unexpected-data`` and ``no-payload-digest``. ``at`` is the time of verification, with its zone.
    """
    with as_verification_error(_WHAT):
        layout = rpm.layout(file)
        signed = _signed_header(layout, anchors, at)
        _check_unsigned(layout)
        passed = _pass_over(file, layout)
        _check_md5(layout, passed)
        whole = _signed_whole(file, layout, anchors, at)
        _check_payload(layout, passed, whole)
    return openpgp.evidence("rpm-signature", signed, anchors)


def _signed_header(layout: Layout, anchors: Anchors, at: datetime) -> Signed:
    """Judge every signature over the header; all that are there must hold, as rpm demands, and there must be one."""
    blocks = _header_signatures(layout.signature)
    if not blocks:
        raise VerificationError(
            "the package is not signed: its signature was never made, or was stripped",
            reason="unsigned",
            do="do not install it; rpm itself may call its digests OK all the same",
        )
    blob = layout.header.blob
    verdicts = [
        openpgp.verify_detached(block, [blob], size=len(blob), anchors=anchors, at=at, what=_WHAT) for block in blocks
    ]
    return verdicts[0]


def _header_signatures(signature: Header) -> list[bytes]:
    blocks = [signature.binary(tag) for tag in (SignatureTag.RSA_HEADER, SignatureTag.DSA_HEADER)]
    found = [block for block in blocks if block is not None]
    if SignatureTag.OPENPGP in signature:  # v6: several, each in base64; one by a pinned key is enough
        found.append(b"".join(map(_from_base64, signature.strings(SignatureTag.OPENPGP))))
    return found


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise rpm.RpmError("a signature is not in base64") from None


def _check_unsigned(layout: Layout) -> None:
    """What the signature header says beside its signatures: the header's digests, the size, and room for more."""
    blob = layout.header.blob
    digests = {
        SignatureTag.SHA1_HEADER: hashlib.sha1(blob, usedforsecurity=False).hexdigest(),
        SignatureTag.SHA256_HEADER: hashlib.sha256(blob).hexdigest(),
    }
    for tag, digest in digests.items():
        if tag in layout.signature and layout.signature.string(tag) != digest:
            raise VerificationError("the package's header does not have the digest beside it", reason="digest-mismatch")
    if (layout.signature.binary(SignatureTag.RESERVED_SPACE) or b"").strip(b"\0"):
        raise VerificationError("the package has something in the room for later signatures", reason="unexpected-data")
    sizes = layout.signature.integers(SignatureTag.SIZE)
    if sizes and sizes != (layout.size - layout.header_offset,):
        reason = "truncated" if sizes[0] > layout.size - layout.header_offset else "trailing-data"
        raise VerificationError("the package is not as long as it says", reason=reason)


def _pass_over(file: BinaryIO, layout: Layout) -> _Passed:
    """Hash the payload, and header and payload together where MD5 stands beside them, in one pass."""
    algorithm = _payload_algorithm(layout.header)
    payload = hashlib.new(algorithm) if algorithm else None
    md5 = hashlib.md5(layout.header.blob, usedforsecurity=False) if SignatureTag.MD5 in layout.signature else None
    for chunk in _from(file, layout.payload_offset):
        if payload is not None:
            payload.update(chunk)
        if md5 is not None:
            md5.update(chunk)
    return _Passed(payload.hexdigest() if payload else "", md5.hexdigest() if md5 else "")


def _payload_algorithm(header: Header) -> str:
    """Name in hashlib of the payload digest's algorithm; empty where the header has no payload digest."""
    if Tag.PAYLOAD_DIGEST not in header:
        return ""
    numbers = header.integers(Tag.PAYLOAD_DIGEST_ALGORITHM) or (8,)  # v6 has SHA-256 here without saying so
    if numbers[0] not in _PAYLOAD_DIGESTS:
        raise VerificationError("the package's payload digest is too weak to believe", reason="weak-digest")
    return _PAYLOAD_DIGESTS[numbers[0]]


def _from(file: BinaryIO, offset: int) -> Iterator[bytes]:
    file.seek(offset)
    while chunk := file.read(_CHUNK):
        yield chunk


def _check_md5(layout: Layout, passed: _Passed) -> None:
    recorded = layout.signature.binary(SignatureTag.MD5)
    if recorded is not None and recorded.hex() != passed.md5:
        raise VerificationError("the package does not have the MD5 digest beside it", reason="digest-mismatch")


def _signed_whole(file: BinaryIO, layout: Layout, anchors: Anchors, at: datetime) -> bool:
    """Whether an old-style signature covers header and payload; one that is there and does not hold is refused."""
    blocks = [layout.signature.binary(tag) for tag in (SignatureTag.PGP, SignatureTag.GPG)]
    present = [block for block in blocks if block is not None]
    for block in present:
        data = _from(file, layout.header_offset)
        size = layout.size - layout.header_offset
        openpgp.verify_detached(block, data, size=size, anchors=anchors, at=at, what=_WHAT)
    return bool(present)


def _check_payload(layout: Layout, passed: _Passed, signed_whole: bool) -> None:
    recorded = layout.header.string(Tag.PAYLOAD_DIGEST)
    if not recorded and not signed_whole:
        raise VerificationError("nothing that is signed covers the package's payload", reason="no-payload-digest")
    if recorded and recorded.lower() != passed.payload:
        raise VerificationError(
            "the package's payload is not the one that was signed",
            reason="digest-mismatch",
            details=(f"signed {recorded}", f"found  {passed.payload}"),
        )
