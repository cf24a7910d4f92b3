"""Reads the values inside an Authenticode signature and its timestamps: what they say of a file, and of a time.

Sources: "Windows Authenticode Portable Executable Signature Format" (Microsoft, 2008) for the content, RFC 3161 for
timestamps, RFC 5652, section 11, and RFC 5035 for signed attributes. SignedData around them is read in
:mod:`.authenticode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from asn1crypto import cms, core, tsp

from bundler.formats.asn1_reading import load, malformed, reading
from bundler.formats.authenticode import (
    OCTETS,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    SPC_INDIRECT_DATA,
    SPC_SIP_INFO,
    TST_INFO,
    Signature,
    Signer,
)


class SpcAttribute(core.Sequence):  # type: ignore[misc]
    """SpcAttributeTypeAndOptionalValue: the kind of file that was digested."""

    _fields = [("type", core.ObjectIdentifier), ("value", core.Any, {"optional": True})]  # noqa: RUF012


class DigestInfo(core.Sequence):  # type: ignore[misc]
    """RFC 8017, appendix A.2.4."""

    _fields = [("digest_algorithm", cms.DigestAlgorithm), ("digest", core.OctetString)]  # noqa: RUF012


class SpcIndirectDataContent(core.Sequence):  # type: ignore[misc]
    """The content of an Authenticode signature."""

    _fields = [("data", SpcAttribute), ("message_digest", DigestInfo)]  # noqa: RUF012


class SpcSipInfo(core.Sequence):  # type: ignore[misc]
    """The subject interface package that made the digest."""

    _fields = [  # noqa: RUF012
        ("version", core.Integer),
        ("guid", core.OctetString),
        *((f"reserved_{n}", core.Integer) for n in range(1, 6)),
    ]


@dataclass(frozen=True)
class IndirectData:
    """What an Authenticode signature says about the file."""

    kind: str
    """Dotted type of the file: :data:`SPC_PE_IMAGE` or :data:`SPC_SIP_INFO`."""
    subject: bytes
    """Class identifier of the subject interface package; empty for PE."""
    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class TimestampInfo:
    """What a timestamp token says (RFC 3161, 2.4.2)."""

    algorithm: str
    digest: bytes
    time: datetime


def read_indirect_data(signature: Signature) -> IndirectData:
    """Parse the content of a file's signature. Raises ``malformed``."""
    if signature.content_type != SPC_INDIRECT_DATA:
        malformed("it does not sign a file")
    with reading("its content is not an SpcIndirectDataContent"):
        # In PKCS#7 the content octets are those inside the SEQUENCE: put its header back to parse it. In CMS, as .NET
        # writes it, an OCTET STRING holds all of it (RFC 5652, 5.2.1).
        in_octets = signature.content_tag == OCTETS
        whole = signature.content if in_octets else core.Sequence(contents=signature.content).dump()
        content = load(SpcIndirectDataContent, whole)
        kind = content["data"]["type"].dotted
        subject = b""
        if kind == SPC_SIP_INFO:
            subject = load(SpcSipInfo, content["data"]["value"].dump())["guid"].native
        digest = content["message_digest"]
        return IndirectData(kind, subject, digest["digest_algorithm"]["algorithm"].native, digest["digest"].native)


def read_timestamp_info(signature: Signature) -> TimestampInfo:
    """Parse the TSTInfo of a timestamp token. Raises ``malformed``."""
    if signature.content_type != TST_INFO:
        malformed("its timestamp does not sign a time")
    with reading("its timestamp is invalid"):
        info = load(tsp.TSTInfo, signature.content)
        imprint = info["message_imprint"]
        return TimestampInfo(
            imprint["hash_algorithm"]["algorithm"].native,
            imprint["hashed_message"].native,
            info["gen_time"].native.astimezone(timezone.utc),
        )


def read_octets(der: bytes) -> bytes:
    """An OCTET STRING; raises ``malformed``."""
    with reading("a digest in it is invalid"):
        return bytes(load(core.OctetString, der).native)


def read_object_identifier(der: bytes) -> str:
    """A dotted OBJECT IDENTIFIER; raises ``malformed``."""
    with reading("a type in it is invalid"):
        return str(load(core.ObjectIdentifier, der).dotted)


def read_signing_time(der: bytes) -> datetime:
    """A signing time (RFC 5652, 11.3) in UTC; raises ``malformed``."""
    with reading("its signing time is invalid"):
        time: datetime = load(cms.Time, der).native
        return time.astimezone(timezone.utc)


def read_signing_certificate(signer: Signer) -> tuple[str, bytes] | None:
    """Algorithm and digest of the certificate that a timestamp names (RFC 5035, RFC 2634); None if it names none."""
    with reading("the certificate that it names is invalid"):
        newer = signer.attribute(SIGNING_CERTIFICATE_V2)
        if newer is not None:
            first = load(tsp.SigningCertificateV2, newer)["certs"][0]
            return first["hash_algorithm"]["algorithm"].native, first["cert_hash"].native
        older = signer.attribute(SIGNING_CERTIFICATE)
        if older is not None:
            return "sha1", load(tsp.SigningCertificate, older)["certs"][0]["cert_hash"].native
        return None
