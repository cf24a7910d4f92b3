"""Refuses what rides along in the unsigned parts of a signature.

A program can be hidden there, and the signature stays valid: a JAR in the signature of an MSI runs. So a signature
holds the certificates of the path that was verified, the attributes that signers add, and nothing else; what those
attributes hold is verified by the same rules (:mod:`.timestamp`, :mod:`.second_signature`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bundler.errors import VerificationError
from bundler.formats import attribute_certificate, signature_form
from bundler.formats import authenticode as der
from bundler.formats.authenticode import Signature, Signer

Place = Literal["signature", "second signature", "timestamp"]
"""Where in a file: its signature, a signature nested in that or around it, or a timestamp token of either."""

_ADMITTED: Final = frozenset({der.TIMESTAMP_RFC3161, der.COUNTERSIGNATURE, der.NESTED_SIGNATURE})
"""The unsigned attributes of a file's signature. A timestamp has none."""
_DIGESTS: Final = frozenset({"sha1", "sha256", "sha384", "sha512"})
_X509: Final = 0x30
_MOST: Final = 2
"""How often a certificate may be in one signature: osslsigncode writes a timestamp's own one twice."""

_REASONS: Final[Mapping[tuple[str, str], str]] = {
    ("signature", "certificate"): "foreign-certificate",
    ("second signature", "certificate"): "second-signature-certificate",
    ("timestamp", "certificate"): "timestamp-certificate",
    ("signature", "revocation list"): "foreign-revocation-list",
    ("second signature", "revocation list"): "second-signature-revocation-list",
    ("timestamp", "revocation list"): "timestamp-revocation-list",
    ("signature", "attribute"): "unknown-attribute",
    ("second signature", "attribute"): "second-signature-attribute",
    ("timestamp", "attribute"): "timestamp-attribute",
    ("signature", "attribute certificate"): "foreign-attribute-certificate",
    ("second signature", "attribute certificate"): "second-signature-attribute-certificate",
    ("timestamp", "attribute certificate"): "timestamp-attribute-certificate",
    ("signature", "parameter"): "foreign-parameter",
    ("second signature", "parameter"): "second-signature-parameter",
    ("timestamp", "parameter"): "timestamp-parameter",
    ("signature", "form"): "not-canonical",
    ("second signature", "form"): "second-signature-form",
    ("timestamp", "form"): "timestamp-form",
}
"""The reason of a refusal, by the place and by what is foreign there."""


@dataclass(frozen=True)
class Stamp:
    """A verified timestamp."""

    signer: Signer
    path: tuple[x509.Certificate, ...]
    token: Signature | None
    """An RFC 3161 token; None for a countersignature, which has its certificates in the signature around it."""


def require_nothing_foreign(
    found: Signature, place: Place, path: Sequence[x509.Certificate], stamps: Sequence[Stamp] = ()
) -> None:
    """Refuse a signature that holds more than its signer and a timestamping service put into it.

    Args:
        found: the signature, which is verified otherwise.
        place: where in the file it is.
        path: the certificates that it was verified by, the signer's first; their root may be in the signature or not.
        stamps: the timestamps in it.

    Raises:
        VerificationError: by place and kind, ``foreign-certificate``, ``timestamp-attribute`` and so on.
    """
    if found.revocation:
        raise _foreign(place, "revocation list", f"holds {len(found.revocation)} bytes of revocation lists")
    # A countersigner's certificates are here, and some signers write those of a token here, too.
    _check_certificates(found, place, (*path, *(certificate for stamp in stamps for certificate in stamp.path)))
    for signer in found.signers:
        _require_plain(signer, place)
    _check_digests(found, place)
    if signature_form.rewritten(found) != found.whole:
        raise _foreign(place, "form", "has bytes that belong to none of its parts, or is not in strict DER")
    for stamp in stamps:
        if stamp.token is None:
            _require_plain(stamp.signer, "timestamp")
        else:
            require_nothing_foreign(stamp.token, "timestamp", stamp.path)


def _check_digests(found: Signature, place: Place) -> None:
    """Refuse algorithms of digests that no signer here uses: their identifiers can be of any length."""
    if not all(map(signature_form.is_plain_algorithm, found.algorithms)):
        raise _foreign(place, "parameter", "gives an algorithm of a digest parameters, which those do not have")
    # A timestamping service may name another one than its signer uses (RFC 5652, 5.1).
    known = _DIGESTS if place == "timestamp" else {signer.digest_algorithm for signer in found.signers}
    if len(set(found.digest_algorithms)) < len(found.digest_algorithms) or not known.issuperset(
        found.digest_algorithms
    ):
        raise _foreign(place, "parameter", "names an algorithm of a digest that its signer does not use, or one twice")


def _require_plain(signer: Signer, place: Place) -> None:
    """Refuse what a SignerInfo holds beside its signature. Raises as :func:`require_nothing_foreign`."""
    admitted = _ADMITTED if place != "timestamp" else frozenset()
    kinds = Counter(kind for kind, _ in signer.unsigned)
    for kind, values in signer.unsigned:
        if kind not in admitted:
            size = sum(map(len, values))
            raise _foreign(place, "attribute", f"holds an unsigned attribute {kind} of {size} bytes, which is unknown")
        if kinds[kind] > 1 or not values:
            raise _foreign(place, "attribute", f"holds an unsigned attribute {kind} twice, or without a value")
    if not all(map(signature_form.is_plain_algorithm, signer.algorithms)):
        raise _foreign(place, "parameter", "gives an algorithm of its signer parameters, which those do not have")


def _check_certificates(found: Signature, place: Place, path: Sequence[x509.Certificate]) -> None:
    admitted = {certificate.public_bytes(Encoding.DER): certificate for certificate in path}
    others = [each for each in found.held if each[0] != _X509]
    for each, times in Counter(found.certificates).items():
        if each not in admitted or not signature_form.is_whole_certificate(each):
            why = f"holds a certificate of {len(each)} bytes that is not of the path by which it was verified"
            raise _foreign(place, "certificate", why)
        if times > _MOST:
            raise _foreign(place, "certificate", f"holds a certificate {times} times")
    if others and (place != "timestamp" or len(others) > 1):
        raise _foreign(place, "attribute certificate", f"holds {len(others)} certificate(s) that are not X.509")
    for each in others:
        why = attribute_certificate.fault(each, _holder(found.signers[0], path[0]))
        if why:
            raise _foreign(place, "attribute certificate", f"holds an attribute certificate that {why}")


def _holder(signer: Signer, leaf: x509.Certificate) -> attribute_certificate.Holder:
    return attribute_certificate.Holder(
        certificate=leaf.public_bytes(Encoding.DER),
        subject=leaf.subject.public_bytes(),
        issuer=signer.issuer,
        serial=core.Integer(signer.serial).dump(),
    )


def _foreign(place: Place, kind: str, why: str) -> VerificationError:
    reason = _REASONS.get((place, kind), "malformed")
    return VerificationError(f"the {place} carries data that it does not protect: it {why}", reason=reason)
