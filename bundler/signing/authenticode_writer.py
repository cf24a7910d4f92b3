"""How is an Authenticode signature written? The DER alone: the keys are somebody else's.

Sources: "Windows Authenticode Portable Executable Signature Format" (Microsoft, 2008) for the content and the
attributes, RFC 5652 section 5 for SignedData, X.690 for DER. What :mod:`bundler.formats.authenticode` reads.
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
"""Dotted, by the name that hashlib has."""

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
    """DER of SpcIndirectDataContent: that a file of this ``kind`` has this ``digest``."""
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
    """The signed attributes of a file's signature, besides those of every signature: what it is, and that one signs."""
    return (
        # SpcSpOpusInfo with a program's name, as a SpcString in UTF-16BE.
        attribute(_OPUS_INFO, sequence(tagged(0, parser.emit(2, 0, 0, description.encode("utf-16-be"))))),
        attribute(_STATEMENT_TYPE, sequence(oid(_INDIVIDUAL))),
    )


def signed_attributes(algorithm: str, content_type: str, content: bytes, more: Iterable[bytes] = ()) -> bytes:
    """The SET OF attributes, which is what a key signs (RFC 5652, 5.4); ``content`` without its tag and length."""
    required = (
        attribute(der.CONTENT_TYPE, oid(content_type)),
        attribute(der.MESSAGE_DIGEST, octets(hashlib.new(algorithm, content).digest())),
    )
    return set_of(*required, *more)


def inside(value: bytes) -> bytes:
    """The content octets of a DER value: what a message digest is over (RFC 2315, 9.3)."""
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
    """A SignerInfo (RFC 5652, 5.3): that somebody made ``value`` over ``attributes``.

    ``issuer`` (DER of its name) and ``serial`` say which certificate stands for the key.
    ``rsa``: by PKCS #1 v1.5; otherwise by ECDSA, and ``value`` is DER of Ecdsa-Sig-Value.
    """
    extra = list(unsigned)
    parts = [
        integer(1),
        sequence(issuer, integer(serial)),
        digest_algorithm(algorithm),
        b"\xa0" + attributes[1:],
        _with_null(_RSA) if rsa else sequence(oid(_ECDSA[algorithm])),
        octets(value),
    ]
    return sequence(*parts, *([b"\xa1" + set_of(*extra)[1:]] if extra else []))


def signed_data(
    version: int, content_type: str, content: bytes, certificates: Iterable[bytes], infos: Iterable[bytes], digest: str
) -> bytes:
    """A ContentInfo with a SignedData (RFC 5652, 5.1) around ready SignerInfos; ``certificates`` in DER."""
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
    """A SET OF in the order that DER demands (X.690, 11.6)."""
    return bytes(parser.emit(0, 1, 17, b"".join(sorted(parts))))


def tagged(tag: int, content: bytes) -> bytes:
    """A context-specific, constructed tag around ``content``."""
    return bytes(parser.emit(2, 1, tag, content))


def attribute(kind: str, value: bytes) -> bytes:
    """An Attribute with one value (RFC 5652, 5.3)."""
    return sequence(oid(kind), set_of(value))


def digest_algorithm(name: str) -> bytes:
    """An AlgorithmIdentifier, by the name that hashlib has."""
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
