"""Puts foreign bytes into the unsigned parts of a signature, as one who hides a program there does.

The signature stays valid by its mathematics: only a reader that accounts for every byte refuses the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final, Literal

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bundler.formats import authenticode as der
from bundler.formats import der as encoding
from bundler.formats import signature_form
from bundler.formats.authenticode import Signature, Signer

Inside = Literal["signature", "nested", "timestamp", "countersignature"]
"""In which part of a signature: itself, one nested in it, its timestamp token, or its countersignature."""

_FILLING: Final = b"LAB: foreign bytes. "
_TYPE: Final = "2.23.999.2"
"""Below the arc for examples, as the lab's timestamp policy."""
_OCTETS, _IDENTIFIER, _SEQUENCE, _OTHER, _ATTRIBUTES, _LISTS = 0x04, 0x06, 0x30, 0xA3, 0xA1, 0xA1


@dataclass(frozen=True)
class Foreign:
    """Foreign bytes, and their place."""

    place: str
    """A key of :data:`PLACES`."""
    size: int
    """Bytes."""
    inside: Inside = "signature"


def put(pkcs7: bytes, foreign: Foreign) -> bytes:
    """A signature with foreign bytes in it.

    Args:
        pkcs7: the signature of a file, which holds what ``foreign.inside`` names.
        foreign: how many, and where.
    """
    found = der.read_signature(pkcs7)
    if foreign.inside == "signature":
        return PLACES[foreign.place](found, filling(foreign.size))
    kind = {
        "nested": der.NESTED_SIGNATURE,
        "timestamp": der.TIMESTAMP_RFC3161,
        "countersignature": der.COUNTERSIGNATURE,
    }
    return signature_form.rewritten(_within(found, kind[foreign.inside], foreign))


def filling(size: int) -> bytes:
    """That many bytes of text."""
    return (_FILLING * (size // len(_FILLING) + 1))[:size]


def _within(found: Signature, kind: str, foreign: Foreign) -> Signature:
    (signer,) = found.signers
    unsigned = tuple(
        (name, tuple(_changed(value, name, foreign) for value in values) if name == kind else values)
        for name, values in signer.unsigned
    )
    return replace(found, signers=(replace(signer, unsigned=unsigned),))


def _changed(value: bytes, kind: str, foreign: Foreign) -> bytes:
    more = filling(foreign.size)
    if kind != der.COUNTERSIGNATURE:
        return PLACES[foreign.place](der.read_signature(value), more)
    return signature_form.rewritten_signer(_SIGNER_PLACES[foreign.place](der.read_countersignature(value), more))


def _attribute(signer: Signer, more: bytes) -> Signer:
    return replace(signer, unsigned=(*signer.unsigned, (_TYPE, (encoding.value(_OCTETS, more),))))


def _digest_parameter(signer: Signer, more: bytes) -> Signer:
    return replace(signer, algorithms=(_with_parameter(signer.algorithms[0], more), signer.algorithms[1]))


def _signature_parameter(signer: Signer, more: bytes) -> Signer:
    return replace(signer, algorithms=(signer.algorithms[0], _with_parameter(signer.algorithms[1], more)))


def _with_parameter(algorithm: bytes, more: bytes) -> bytes:
    kind = encoding.elements(encoding.one(algorithm).contents)[0]
    return encoding.value(_SEQUENCE, kind.whole + encoding.value(_OCTETS, more))


_SIGNER_PLACES: Final[Mapping[str, Callable[[Signer, bytes], Signer]]] = {
    "attribute": _attribute,
    "signer's digest": _digest_parameter,
    "signer's algorithm": _signature_parameter,
}


def _signer(change: Callable[[Signer, bytes], Signer]) -> Callable[[Signature, bytes], bytes]:
    def put_there(found: Signature, more: bytes) -> bytes:
        return signature_form.rewritten(replace(found, signers=tuple(change(each, more) for each in found.signers)))

    return put_there


def _held(make: Callable[[bytes], bytes]) -> Callable[[Signature, bytes], bytes]:
    return lambda found, more: signature_form.rewritten(replace(found, held=(*found.held, make(more))))


def _digests(found: Signature, more: bytes) -> bytes:
    return signature_form.rewritten(replace(found, algorithms=(_with_parameter(found.algorithms[0], more),)))


def _further_digest(found: Signature, more: bytes) -> bytes:
    """One more algorithm of a digest, with the bytes as its identifier: each below 128 is a number of it."""
    further = encoding.value(_SEQUENCE, encoding.value(_IDENTIFIER, b"\x2a" + more))
    return signature_form.rewritten(replace(found, algorithms=(*found.algorithms, further)))


def _lists(found: Signature, more: bytes) -> bytes:
    return signature_form.rewritten(replace(found, revocation=encoding.value(_LISTS, encoding.value(_SEQUENCE, more))))


def _version(found: Signature, more: bytes) -> bytes:
    """A version of many bytes, of which the last says 1."""
    long = encoding.value(0x02, b"\x01" + more + b"\x01")
    short = core.Integer(found.version).dump()
    outer = encoding.one(found.whole)
    kind, content = encoding.elements(outer.contents)
    data = encoding.one(content.contents)
    changed = encoding.value(_SEQUENCE, long + data.contents[len(short) :])
    return encoding.value(_SEQUENCE, kind.whole + encoding.value(content.tag, changed))


def _certificate(more: bytes) -> bytes:
    """A readable certificate that has nothing to do with the signer's, with the bytes in an extension."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "LAB foreign certificate")])
    key, since = ec.generate_private_key(ec.SECP256R1()), datetime(2026, 1, 1, tzinfo=timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=3650))
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(_TYPE), more), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


PLACES: Final[Mapping[str, Callable[[Signature, bytes], bytes]]] = {
    "certificate": _held(_certificate),
    "unreadable certificate": _held(lambda more: encoding.value(_SEQUENCE, more)),
    "attribute certificate": _held(lambda more: encoding.value(_ATTRIBUTES, more)),
    "other certificate": _held(lambda more: encoding.value(_OTHER, more)),
    "revocation list": _lists,
    "digest": _digests,
    "further digest": _further_digest,
    "version": _version,
    **{place: _signer(change) for place, change in _SIGNER_PLACES.items()},
}
"""The unsigned parts of a SignedData (RFC 5652, section 5), by name."""
