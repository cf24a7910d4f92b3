"""Reads Authenticode signatures and their timestamps. Whether they are valid is verified in :mod:`bundler.trust`.

Sources: RFC 2315 and RFC 5652 for SignedData, RFC 2985 section 5.3.6 for the older countersignature. DER is read by
asn1crypto. What the parts say is read in :mod:`.authenticode_values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from asn1crypto import cms, core, parser

from bundler.errors import VerificationError
from bundler.formats.asn1_reading import load, malformed, reading

SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
DATA: Final = "1.2.840.113549.1.7.1"
SPC_INDIRECT_DATA: Final = "1.3.6.1.4.1.311.2.1.4"
SPC_PE_IMAGE: Final = "1.3.6.1.4.1.311.2.1.15"
SPC_SIP_INFO: Final = "1.3.6.1.4.1.311.2.1.30"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"

CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"

COUNTERSIGNATURE: Final = "1.2.840.113549.1.9.6"
TIMESTAMP_RFC3161: Final = "1.3.6.1.4.1.311.3.3.1"
NESTED_SIGNATURE: Final = "1.3.6.1.4.1.311.2.4.1"

MSI_SUBJECT: Final = bytes.fromhex("f1100c0000000000c000000000000046")
SCRIPT_SUBJECT: Final = bytes.fromhex("1fcc3b60594b084eb724d2c6297ef351")
"""Class identifiers of the subject interface packages, as SpcSipInfo holds them."""

MAX_SIGNATURE: Final = 256 << 10
"""Bytes. Real ones have 10 to 40 KB; page hashes add 36 bytes for each 4 KiB of an image, so 28 MB of image fit."""

OCTETS: Final = 0x04
_SEQUENCE: Final = 0x30
_VERSIONS: Final = frozenset({1, 3, 4, 5})  # RFC 5652, 5.1
_MAX_CERTIFICATES: Final = 32
_MAX_MEMBERS: Final = 64
"""Values of an attribute; real ones have one."""


@dataclass(frozen=True)
class Signer:
    """A SignerInfo (RFC 5652, 5.3)."""

    issuer: bytes
    """DER of the name of the signing certificate's issuer."""
    serial: int
    algorithms: tuple[bytes, bytes]
    """DER of the two AlgorithmIdentifiers, of digest and signature: the signature does not cover them."""
    digest_algorithm: str
    """As hashlib names it: ``sha1``, ``sha256``, …"""
    signature_algorithm: str
    """``rsassa_pkcs1v15`` or ``ecdsa``; ``rsassa_pss`` and others are named, never verified."""
    attributes: tuple[tuple[str, tuple[bytes, ...]], ...]
    """Signed attributes: dotted type, and the DER of each value."""
    signed_bytes: bytes
    """The bytes that the signature covers: the attributes as a DER SET."""
    signature: bytes
    unsigned: tuple[tuple[str, tuple[bytes, ...]], ...]

    def attribute(self, kind: str) -> bytes | None:
        """The one value of a signed attribute; None if it is missing; ``malformed`` if there are two."""
        found = [values for attribute, values in self.attributes if attribute == kind]
        if not found:
            return None
        if len(found) != 1 or len(found[0]) != 1:
            malformed("a signed attribute occurs twice")
        return found[0][0]

    def others(self, kind: str) -> tuple[bytes, ...]:
        """All values of an unsigned attribute."""
        return tuple(value for attribute, values in self.unsigned if attribute == kind for value in values)


@dataclass(frozen=True)
class Signature:
    """A SignedData (RFC 5652, 5.1) with all its parts."""

    whole: bytes
    """All of it, as it was read."""
    version: int
    content_type: str
    content_tag: int
    """The identifier octet of the content: a SEQUENCE's as in PKCS#7, or an OCTET STRING's as in CMS."""
    content: bytes
    """The bytes that the message digest covers."""
    digest_algorithms: tuple[str, ...]
    algorithms: tuple[bytes, ...]
    """DER of the AlgorithmIdentifiers of the digests."""
    held: tuple[bytes, ...]
    """The members of the CertificateSet in their order, whatever they are (RFC 5652, 10.2.3)."""
    revocation: bytes
    """DER of the revocation lists in it; empty without any."""
    signers: tuple[Signer, ...]

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """What may be X.509 certificates, in the order of the signature; not trusted."""
        return tuple(each for each in self.held if each[0] == _SEQUENCE)


def _refuse_unread(sequence: Any) -> None:
    """Refuse what asn1crypto ignores: elements after the last one that a SEQUENCE can have."""
    rest, elements = bytes(sequence.contents), 0
    while rest and elements <= len(sequence._fields):
        rest = rest[_der_length(rest) :]
        elements += 1
    if elements != sum(not isinstance(sequence[name], core.Void) for name, *_ in sequence._fields):
        malformed("a sequence in it has extra elements")


def _content(raw: bytes) -> tuple[int, bytes]:
    """Tag and octets of the value inside ``[0] EXPLICIT``.

    PKCS#7 (RFC 2315, 9.3) and CMS (RFC 5652, 5.4) digest the content octets alone.
    """
    value = bytes(parser.parse(raw, strict=True)[4])
    if value[:1] not in (bytes([_SEQUENCE]), bytes([OCTETS])):
        malformed("its content is neither a sequence nor an octet string")
    return value[0], bytes(parser.parse(value, strict=True)[4])


def _members(contents: bytes, limit: int, too_many: str) -> tuple[bytes, ...]:
    """The DER of each member of a SET, whatever it is."""
    found: list[bytes] = []
    while contents:
        if len(found) == limit:
            malformed(too_many)
        part = parser.parse(contents)
        found.append(bytes(part[3] + part[4] + part[5]))
        contents = contents[len(found[-1]) :]
    return tuple(found)


def _attributes(attributes: Any) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """Dotted type of each attribute, and the DER of each member of its SET, without asn1crypto's idea of its type."""
    found: list[tuple[str, tuple[bytes, ...]]] = []
    for attribute in () if isinstance(attributes, core.Void) else attributes:
        values = _members(bytes(attribute["values"].contents), _MAX_MEMBERS, "an attribute has too many values")
        found.append((attribute["type"].dotted, values))
    return tuple(found)


def _signer(info: Any) -> Signer:
    _refuse_unread(info)
    identifier = info["sid"].chosen
    if not isinstance(identifier, cms.IssuerAndSerialNumber):
        malformed("it does not name its signer by issuer and serial number")
    signed = info["signed_attrs"]
    if isinstance(signed, core.Void) or not signed.contents:
        malformed("it has no signed attributes")
    # In the SignerInfo the set is tagged [0]; what is signed is the same set under its own tag (RFC 5652, 5.4).
    whole = bytes(signed.dump())
    return Signer(
        issuer=identifier["issuer"].dump(),
        serial=identifier["serial_number"].native,
        algorithms=(info["digest_algorithm"].dump(), info["signature_algorithm"].dump()),
        digest_algorithm=info["digest_algorithm"]["algorithm"].native,
        signature_algorithm=info["signature_algorithm"].signature_algo,
        attributes=_attributes(signed),
        signed_bytes=b"\x31" + whole[1:],
        signature=info["signature"].native,
        unsigned=_attributes(info["unsigned_attrs"]),
    )


def read_signature(der: bytes) -> Signature:
    """Parse a ContentInfo that holds a SignedData.

    1. It must end where its DER ends: bytes after it would not be signed.
    2. No SEQUENCE may have elements that asn1crypto ignores.
    3. The content octets are kept as they are: digests cover those bytes, not a value that is encoded again.

    Raises:
        VerificationError: ``malformed``, ``not-canonical`` for a version that there is not, or ``trailing-data`` for
            bytes after it.
    """
    if len(der) > MAX_SIGNATURE:
        malformed("it is larger than any real one")
    with reading("it is not a PKCS#7 SignedData"):
        length = _der_length(der)
        if length < len(der):
            raise VerificationError("unsigned bytes follow the signature", reason="trailing-data")
        info = load(cms.ContentInfo, der)
        if info["content_type"].dotted != SIGNED_DATA:
            malformed("it is not a SignedData")
        data = info["content"]
        version = bytes(data["version"].contents)
        if len(version) != 1 or version[0] not in _VERSIONS:
            raise VerificationError(
                f"the signature is of an unknown version, which has {len(version)} bytes", reason="not-canonical"
            )
        wrapped = data["encap_content_info"]
        for part in (info, data, wrapped):
            _refuse_unread(part)
        content_tag, content = _content(wrapped["content"].dump())
        bag, lists = (data[name] for name in ("certificates", "crls"))
        held = b"" if isinstance(bag, core.Void) else bytes(bag.contents)
        return Signature(
            whole=der,
            version=version[0],
            content_type=wrapped["content_type"].dotted,
            content_tag=content_tag,
            content=content,
            digest_algorithms=tuple(a["algorithm"].native for a in data["digest_algorithms"]),
            algorithms=tuple(a.dump() for a in data["digest_algorithms"]),
            held=_members(held, _MAX_CERTIFICATES, "it carries too many certificates"),
            revocation=b"" if isinstance(lists, core.Void) else lists.dump(),
            signers=tuple(_signer(signer) for signer in data["signer_infos"]),
        )


def _der_length(der: bytes) -> int:
    header = parser.parse(der)
    return sum(len(part) for part in header[3:6])


def read_countersignature(der: bytes) -> Signer:
    """Parse the older kind of timestamp, a SignerInfo over the signature's bytes. Raises ``malformed``."""
    with reading("its countersignature is invalid"):
        return _signer(load(cms.SignerInfo, der))
