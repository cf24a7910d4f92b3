"""Writes a parsed signature again from its parts, in DER: a byte that belongs to no part shows as a difference.

A signature covers its content and its signed attributes, and each certificate is signed by its issuer. Everything
around them is not signed: versions, algorithm identifiers, tags and lengths. So these may have one form alone.

Sources: RFC 5652, sections 5 and 10; X.690, section 10 (DER); RFC 5280, section 4.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from asn1crypto import core

from bundler.formats import der
from bundler.formats.authenticode import SIGNED_DATA, Signature, Signer

_NULL: Final = b"\x05\x00"
_BIT_STRING, _OCTETS, _SEQUENCE, _SET, _CONTEXT_0, _CONTEXT_1 = 0x03, 0x04, 0x30, 0x31, 0xA0, 0xA1
_IDENTIFIER: Final = 0x06
_CONTINUES: Final = 0x80
"""In an octet of an identifier: its number has further octets."""
_SIGNER_VERSION: Final = 1


def rewritten(found: Signature) -> bytes:
    """A signature, encoded again from its parts."""
    data = _sequence(
        _integer(found.version),
        _set(found.algorithms),
        _sequence(_oid(found.content_type), der.value(_CONTEXT_0, der.value(found.content_tag, found.content))),
        *([der.value(_CONTEXT_0, b"".join(found.held))] if found.held else []),
        found.revocation,
        _set(map(rewritten_signer, found.signers)),
    )
    return _sequence(_oid(SIGNED_DATA), der.value(_CONTEXT_0, data))


def rewritten_signer(signer: Signer) -> bytes:
    """A SignerInfo, encoded again from its parts (RFC 5652, 5.3)."""
    unsigned = b"".join(_sequence(_oid(kind), _set(values)) for kind, values in signer.unsigned)
    return _sequence(
        _integer(_SIGNER_VERSION),
        _sequence(signer.issuer, _integer(signer.serial)),
        signer.algorithms[0],
        bytes([_CONTEXT_0]) + signer.signed_bytes[1:],
        signer.algorithms[1],
        der.value(_OCTETS, signer.signature),
        *([der.value(_CONTEXT_1, unsigned)] if unsigned else []),
    )


def is_plain_algorithm(document: bytes) -> bool:
    """Whether an AlgorithmIdentifier has nothing but its type, or NULL beside it (RFC 5754, section 2)."""
    try:
        kind, *parameters = der.elements(der.one(document).contents)
    except ValueError:
        return False
    return kind.tag == _IDENTIFIER and _is_shortest(kind.contents) and [p.whole for p in parameters] in ([], [_NULL])


def _is_shortest(identifier: bytes) -> bool:
    """Whether no number of an OBJECT IDENTIFIER begins with zeros, of which any number could stand (X.690, 8.19.2)."""
    starts = [0, *(at + 1 for at, octet in enumerate(identifier[:-1]) if octet < _CONTINUES)]
    return all(identifier[at : at + 1] != bytes([_CONTINUES]) for at in starts)


def is_whole_certificate(document: bytes) -> bool:
    """Whether the unsigned rest of a certificate says nothing of its own (RFC 5280, 4.1.1).

    That is the second algorithm identifier, which must equal the signed one, and the form of the signature's value.
    """
    try:
        certificate = der.one(document)
        signed, algorithm, bits = der.elements(certificate.contents)
        # The first sequence of what is signed is the algorithm; what has none is no certificate.
        named = next((part for part in der.elements(signed.contents) if part.tag == _SEQUENCE), None)
    except ValueError:
        return False
    form = (certificate.tag, signed.tag, bits.tag, bits.contents[:1])
    wanted = (_SEQUENCE, _SEQUENCE, _BIT_STRING, b"\0")
    return form == wanted and named is not None and named.whole == algorithm.whole


def _sequence(*parts: bytes) -> bytes:
    return der.value(_SEQUENCE, b"".join(parts))


def _set(parts: Iterable[bytes]) -> bytes:
    # In the order that they have: some genuine signers do not sort them (X.690, 11.6), and order carries nothing.
    return der.value(_SET, b"".join(parts))


def _oid(dotted: str) -> bytes:
    return bytes(core.ObjectIdentifier(dotted).dump())


def _integer(number: int) -> bytes:
    return bytes(core.Integer(number).dump())
