"""Verifies the signatures in a file that its verdict does not rest on, so that they hide nothing.

A file for old and new Windows has a SHA-1 signature, and one by SHA-256 nested in it; others have two of one kind. One
is verified by every rule (:mod:`.authenticode`). For the others it is enough that a trusted authority issued their
certificates and their signers signed this file: SHA-1, an expired certificate or another publisher change nothing,
because no trust comes from them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from bundler.errors import VerificationError
from bundler.formats import authenticode as der
from bundler.formats import authenticode_values
from bundler.formats.authenticode import Signature, Signer
from bundler.formats.certificate import UNREADABLE
from bundler.trust import carried, certificate_path, signed_data
from bundler.trust.carried import Stamp
from bundler.trust.certificate_path import Path

DIGESTS: Final = certificate_path.STRONG | {"sha1"}
Roots = tuple[x509.Certificate, ...]

_DEPTH: Final = 2
"""How deep signatures may be nested in a second one; genuine ones are nested once in all."""
_UNREADABLE: Final = {"not-canonical": "second-signature-form"}
"""The reasons for nested signatures that cannot be read, by those for other signatures."""


@dataclass(frozen=True)
class Subject:
    """The file, as every signature in it must describe it."""

    kind: str
    """Dotted type of the file, as in :class:`~bundler.formats.authenticode_values.IndirectData`."""
    system: bytes
    """Class identifier of its subject interface package."""
    digest: Callable[[str], bytes]
    roots: Roots
    """The pinned roots, and former ones: to recognise certificates, not to trust them."""


def require_genuine(
    found: Signature, subject: Subject, *, besides: Signature | None = None, depth: int = _DEPTH
) -> None:
    """Require that a second signature is one over this file, and holds nothing foreign.

    Args:
        found: the signature, nested in another one or around it.
        subject: the file.
        besides: the signature that is verified by every rule, where it is nested in this one.
        depth: how many more levels of nesting there may be.

    Raises:
        VerificationError: ``second-signature``, or the reasons of :mod:`.carried`.
    """
    try:
        signer, path = _verified(found, subject)
        stamps = tuple(_stamps(signer, found, subject.roots))
    except VerificationError as error:
        raise _refused(error.what) from None
    except UNREADABLE:
        raise _refused("a certificate in it cannot be read") from None
    carried.require_nothing_foreign(found, "second signature", path, stamps)
    require_genuine_inside(signer, subject, besides=besides, depth=depth)


def require_genuine_inside(
    signer: Signer, subject: Subject, *, besides: Signature | None = None, depth: int = _DEPTH
) -> None:
    """Require it of the signatures that are nested in one. Raises as :func:`require_genuine`."""
    nested = [_read(each) for each in signer.others(der.NESTED_SIGNATURE)]
    for each in nested:
        if besides is not None and each.whole == besides.whole:
            continue
        if not depth:
            raise _refused("signatures are nested too deep")
        require_genuine(each, subject, depth=depth - 1)


def _read(nested: bytes) -> Signature:
    try:
        return der.read_signature(nested)
    except VerificationError as error:
        raise VerificationError(error.what, reason=_UNREADABLE.get(error.reason, "second-signature")) from None


def _verified(found: Signature, subject: Subject) -> tuple[Signer, Path]:
    """The signer of a signature over this file, and its path to a root by names and signatures alone."""
    signer, pool = signed_data.only_signer(found), signed_data.certificates(found)
    data = authenticode_values.read_indirect_data(found)
    if (data.kind, data.subject) != (subject.kind, subject.system) or data.algorithm not in DIGESTS:
        raise VerificationError("it was made for another kind of file", reason="wrong-subject")
    if not hmac.compare_digest(subject.digest(data.algorithm), data.digest):
        raise VerificationError("it was made for another file", reason="digest-mismatch")
    leaf = signed_data.signing_certificate(signer, pool)
    signed_data.check_signature(signer, leaf, found.content_type, found.content, digests=DIGESTS)
    return signer, certificate_path.linked(leaf, pool, subject.roots)


def _stamps(signer: Signer, found: Signature, roots: Roots) -> Iterator[Stamp]:
    """The timestamps of a signature, by whatever authority under the roots."""
    for each in signer.others(der.TIMESTAMP_RFC3161):
        token = der.read_signature(each)
        stamper, info = signed_data.only_signer(token), authenticode_values.read_timestamp_info(token)
        if info.algorithm not in DIGESTS or hashlib.new(info.algorithm, signer.signature).digest() != info.digest:
            raise VerificationError("its timestamp was made for another signature", reason="timestamp-invalid")
        path = _stamper(stamper, token, token.content_type, token.content, roots)
        yield Stamp(stamper, path, token)
    for each in signer.others(der.COUNTERSIGNATURE):
        stamper = der.read_countersignature(each)
        yield Stamp(stamper, _stamper(stamper, found, der.DATA, signer.signature, roots), None)


def _stamper(stamper: Signer, found: Signature, content_type: str, content: bytes, roots: Roots) -> Path:
    """The path of a timestamp's signer; its key must have signed ``content``."""
    pool = signed_data.certificates(found)
    leaf = signed_data.signing_certificate(stamper, pool)
    signed_data.check_signature(stamper, leaf, content_type, content, digests=DIGESTS)
    return certificate_path.linked(leaf, pool, roots)


def _refused(why: str) -> VerificationError:
    return VerificationError(
        f"a second signature in the file hides what it holds, because it cannot be verified: {why}",
        reason="second-signature",
    )
