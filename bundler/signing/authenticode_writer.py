"""Encodes Authenticode signatures in DER, which :mod:`bundler.formats.authenticode` reads. Keys sign elsewhere.

A signature is built from the inside out:

1. :func:`indirect_data`: the content, which holds kind and digest of the file.
2. :func:`signed_attributes`: type and digest of that content. Their SET is what the key signs (RFC 5652, 5.4), because
   with signed attributes a signature never covers the content directly.
3. :func:`signer_info`: the signature's value, the attributes, and issuer and serial number of the certificate.
4. :func:`signed_data`: content, certificates and SignerInfos together.

Sources: "Windows Authenticode Portable Executable Signature Format" (Microsoft, 2008) for the content and the
attributes, RFC 5652 section 5 for SignedData, X.690 for DER.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, Literal

from asn1crypto import core, parser
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bundler.formats import authenticode as der

Kind = Literal["msi", "pe", "ps1"]

DIGESTS: Final = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
"""Dotted object identifiers, by hashlib's names."""

_OPUS_INFO: Final = "1.3.6.1.4.1.311.2.1.12"
_STATEMENT_TYPE: Final = "1.3.6.1.4.1.311.2.1.11"
_INDIVIDUAL: Final = "1.3.6.1.4.1.311.2.1.21"
_RSA: Final = "1.2.840.113549.1.1.1"
_ECDSA: Final = {
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}


def indirect_data(kind: Kind, digest: bytes, algorithm: str) -> bytes:
    """DER of SpcIndirectDataContent: a file of this ``kind`` has this ``digest``.

    Args:
        kind: of the file.
        digest: of the file, as its kind defines it.
        algorithm: of the digest, as hashlib names it.
    """
    # SpcPeImageData: no flags, and the empty SpcLink that every signer writes.
    image = bytes.fromhex("3009030100a004a2028000")
    subject = {
        "pe": sequence(oid(der.SPC_PE_IMAGE), image),
        "msi": sequence(oid(der.SPC_SIP_INFO), _sip_info(2, der.MSI_SUBJECT)),
        "ps1": sequence(oid(der.SPC_SIP_INFO), _sip_info(0x10000, der.SCRIPT_SUBJECT)),
    }[kind]
    return sequence(subject, sequence(digest_algorithm(algorithm), octets(digest)))


def _sip_info(version: int, guid: bytes) -> bytes:
    return sequence(integer(version), octets(guid), *(integer(0) for _ in range(5)))


def file_attributes(description: str) -> tuple[bytes, bytes]:
    """The signed attributes that only a file's signature has: the program's name, and "individual" code signing."""
    return (
        # SpcSpOpusInfo with a program's name, as a SpcString in UTF-16BE.
        attribute(_OPUS_INFO, sequence(tagged(0, parser.emit(2, 0, 0, description.encode("utf-16-be"))))),
        attribute(_STATEMENT_TYPE, sequence(oid(_INDIVIDUAL))),
    )


def signed_attributes(algorithm: str, content_type: str, content: bytes, more: Iterable[bytes] = ()) -> bytes:
    """The SET OF attributes, which the key signs (RFC 5652, 5.4).

    Args:
        algorithm: the digest, as hashlib names it.
        content_type: dotted.
        content: without tag and length: RFC 2315, 9.3 digests the content octets alone.
        more: further attributes, in DER.
    """
    required = (
        attribute(der.CONTENT_TYPE, oid(content_type)),
        attribute(der.MESSAGE_DIGEST, octets(hashlib.new(algorithm, content).digest())),
    )
    return set_of(*required, *more)


def inside(value: bytes) -> bytes:
    """The content octets of a DER value, which a message digest covers (RFC 2315, 9.3)."""
    return bytes(parser.parse(value)[4])


def signer_info(
    issuer: bytes,
    serial: int,
    *,
    algorithm: str,
    rsa: bool,
    attributes: bytes,
    value: bytes,
    unsigned: Iterable[bytes] = (),
) -> bytes:
    """A SignerInfo (RFC 5652, 5.3).

    Args:
        issuer: DER of the name of the signing certificate's issuer.
        serial: number of the signing certificate.
        algorithm: the digest, as hashlib names it.
        rsa: PKCS #1 v1.5; otherwise ECDSA.
        attributes: the signed SET OF attributes.
        value: the signature over it; for ECDSA DER of Ecdsa-Sig-Value.
        unsigned: unsigned attributes, in DER.
    """
    extra = list(unsigned)
    parts = [
        integer(1),
        sequence(issuer, integer(serial)),
        digest_algorithm(algorithm),
        b"\xa0" + attributes[1:],  # [0] IMPLICIT in place of the SET's tag, under which they were signed
        _with_null(_RSA) if rsa else sequence(oid(_ECDSA[algorithm])),
        octets(value),
    ]
    return sequence(*parts, *([b"\xa1" + set_of(*extra)[1:]] if extra else []))


def signed_data(
    version: int, content_type: str, content: bytes, certificates: Iterable[bytes], infos: Iterable[bytes], digest: str
) -> bytes:
    """A ContentInfo with a SignedData (RFC 5652, 5.1) of the given parts, each in DER."""
    data = sequence(
        integer(version),
        set_of(digest_algorithm(digest)),
        sequence(oid(content_type), tagged(0, content)),
        tagged(0, b"".join(certificates)),
        set_of(*infos),
    )
    return sequence(oid(der.SIGNED_DATA), tagged(0, data))


def encoded(certificates: Iterable[x509.Certificate]) -> list[bytes]:
    """The certificates in DER."""
    return [one.public_bytes(Encoding.DER) for one in certificates]


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return bytes(parser.emit(0, 1, 16, b"".join(parts)))


def set_of(*parts: bytes) -> bytes:
    """A SET OF in the order that DER requires (X.690, 11.6)."""
    return bytes(parser.emit(0, 1, 17, b"".join(sorted(parts))))


def tagged(tag: int, content: bytes) -> bytes:
    """A context-specific, constructed tag around ``content``."""
    return bytes(parser.emit(2, 1, tag, content))


def attribute(kind: str, value: bytes) -> bytes:
    """An Attribute with one value (RFC 5652, 5.3)."""
    return sequence(oid(kind), set_of(value))


def digest_algorithm(name: str) -> bytes:
    """An AlgorithmIdentifier, by hashlib's name."""
    return _with_null(DIGESTS[name])


def _with_null(kind: str) -> bytes:
    return sequence(oid(kind), core.Null().dump())


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    return bytes(core.ObjectIdentifier(dotted).dump())


def integer(number: int) -> bytes:
    """An INTEGER."""
    return bytes(core.Integer(number).dump())


def octets(content: bytes) -> bytes:
    """An OCTET STRING."""
    return bytes(core.OctetString(content).dump())
