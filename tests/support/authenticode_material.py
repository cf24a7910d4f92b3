"""Certificates and small signed files of every kind that the verify must tell apart."""

from __future__ import annotations

import inspect
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from bundler.formats import msi_signature
from bundler.formats.compound_file import CompoundFile
from bundler.formats.msi import encode_name
from bundler.lab import authenticode_signer, compound_file
from bundler.lab.authenticode_signer import Signing, Stamp
from bundler.lab.authority import Chain, Identity
from bundler.model.anchor import Anchors, Publisher, Purpose, RootCertificate
from bundler.model.evidence import Evidence
from bundler.trust import authenticode
from tests.support import shared

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
ORGANIZATION = "LAB tests"
PUBLISHER = "LAB publisher"
INSTALLER_CLASS = bytes.fromhex("84100c0000000000c000000000000046")


@lru_cache
def key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One of a few keys, made once; generating them is what takes time."""
    return shared.rsa_key(f"authenticode-{number}", bits)


@dataclass(frozen=True)
class Description:
    """What a certificate shall say."""

    name: str = PUBLISHER
    organization: str = ORGANIZATION
    purposes: Sequence[str] | None = (CODE_SIGNING,)
    ca: bool = False
    path_length: int | None = None
    key_usage: Sequence[str] | None = ("digital_signature",)
    since: datetime = NOW - 400 * DAY
    until: datetime = NOW + 400 * DAY
    number: int = 0
    bits: int = 2048
    digest: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    extra: Sequence[tuple[x509.ExtensionType, bool]] = ()


def authority(name: str, number: int, **changes) -> Description:
    settings = {"purposes": None, "ca": True, "key_usage": ("key_cert_sign", "crl_sign")} | changes
    return Description(name=name, number=number, **settings)


USAGES = inspect.signature(x509.KeyUsage).parameters


def issue(wanted: Description, issuer: Identity | None = None) -> Identity:
    own = key(wanted.number, wanted.bits)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, wanted.organization),
            x509.NameAttribute(NameOID.COMMON_NAME, wanted.name),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(wanted.since)
        .not_valid_after(wanted.until)
        .add_extension(x509.BasicConstraints(ca=wanted.ca, path_length=wanted.path_length), critical=True)
    )
    if wanted.key_usage is not None:
        usage = x509.KeyUsage(**{name: name in wanted.key_usage for name in USAGES})
        builder = builder.add_extension(usage, critical=True)
    if wanted.purposes is not None:
        purposes = x509.ExtendedKeyUsage([ObjectIdentifier(purpose) for purpose in wanted.purposes])
        builder = builder.add_extension(purposes, critical=TIME_STAMPING in wanted.purposes)
    for extension, critical in wanted.extra:
        builder = builder.add_extension(extension, critical)
    return Identity(builder.sign(issuer.key if issuer else own, wanted.digest), own)


def chain(leaf: Description, *above: Description) -> Chain:
    """Issue a chain, leaf first and root last."""
    *middle, root = above
    issued = [issue(root)]
    for wanted in reversed(middle):
        issued.insert(0, issue(wanted, issued[0]))
    return Chain(issue(leaf, issued[0]), tuple(issued[:-1]), issued[-1])


def reissued(good: Chain, **changes) -> Chain:
    """The same chain with another leaf."""
    issuer = good.intermediates[0] if good.intermediates else good.root
    return Chain(issue(Description(**changes), issuer), good.intermediates, good.root)


@lru_cache
def signer() -> Chain:
    return chain(Description(), authority("LAB test PCA", 1, path_length=0), authority("LAB test root", 2))


@lru_cache
def stamper() -> Chain:
    leaf = Description(name="LAB test TSA", purposes=(TIME_STAMPING,), number=3)
    return chain(leaf, authority("LAB test TSA root", 2))


def stamp(time: datetime = NOW - 10 * DAY, **changes) -> Stamp:
    return Stamp(stamper(), time, **changes)


def signing(**changes) -> Signing:
    return Signing(**{"chain": signer(), "stamp": stamp()} | changes)


def pin(root: Identity, *purposes: Purpose) -> RootCertificate:
    return RootCertificate(
        name=root.certificate.subject.rfc4514_string(),
        sha256=root.certificate.fingerprint(hashes.SHA256()).hex(),
        pem=root.pem(),
        purposes=purposes,
        source="made by a test",
    )


def anchors(**changes) -> Anchors:
    settings = {
        "name": "LAB tests",
        "lab": True,
        "roots": (pin(signer().root, "code-signing"), pin(stamper().root, "timestamping")),
        "publishers": (Publisher(common_name=PUBLISHER, organization=ORGANIZATION),),
    }
    return Anchors(**settings | changes)


def verify(content: bytes, kind: authenticode.Kind, *, by: Anchors | None = None, at: datetime = NOW) -> Evidence:
    return authenticode.verify(io.BytesIO(content), kind, anchors=by or anchors(), at=at)


def string_pool(strings: Sequence[str], *, wide: bool = False) -> tuple[bytes, bytes]:
    """``_StringPool`` and ``_StringData`` of an installer database, in UTF-8."""
    encoded = [string.encode() for string in strings]
    pool = struct.pack("<I", 65001 | (0x8000_0000 if wide else 0))
    for text in encoded:
        if len(text) > 0xFFFF:
            pool += struct.pack("<HH", 0, 1) + struct.pack("<I", len(text))
        else:
            pool += struct.pack("<HH", len(text), 1 if text else 0)
    return pool, b"".join(encoded)


def summary(template: str) -> bytes:
    """A property set with a template alone ([MS-OLEPS] 2.21)."""
    text = template.encode() + b"\0"
    section = struct.pack("<IIII", 0, 1, 7, 16) + struct.pack("<II", 30, len(text)) + text
    return struct.pack("<HHI16sI16sI", 0xFFFE, 0, 2, bytes(16), 1, bytes(16), 48) + section


def msi_streams(properties: dict[str, str] | None = None, *, wide: bool = False) -> dict[str, bytes]:
    """The streams of a small installer: a database, a summary, and a cabinet of more than 4096 bytes."""
    properties = properties or {"ProductName": "LAB agent", "ProductVersion": "1.60.2.3", "Manufacturer": "LAB"}
    names, values = list(properties), list(properties.values())
    pool, data = string_pool(names + values, wide=wide)
    width = 3 if wide else 2
    table = b"".join(number.to_bytes(width, "little") for number in range(1, 2 * len(names) + 1))
    return {
        encode_name("_StringPool"): pool,
        encode_name("_StringData"): data,
        encode_name("Property"): table,
        "\x05SummaryInformation": summary("x64;1033"),
        "agent.cab": bytes(range(256)) * 20 + b"the end of the cabinet",
    }


def msi(**changes) -> bytes:
    return compound_file.write(msi_streams(**changes), INSTALLER_CLASS)


def msi_parts(content: bytes) -> dict[str, bytes]:
    """All streams of an MSI by name, to be changed and written anew."""
    held = CompoundFile(io.BytesIO(content))
    return {child.name: held.read(child) for child in held.root.children}


def msi_again(parts: dict[str, bytes]) -> bytes:
    return compound_file.write(parts, INSTALLER_CLASS)


def msi_without_metadata_digest(how: Signing) -> bytes:
    """An MSI signed as old tools do, whose signature covers no names."""
    streams = msi_streams()
    plain = CompoundFile(io.BytesIO(msi_again(streams)))
    digest = msi_signature.content_digest(plain, b"", how.digest)
    return msi_again(streams | {msi_signature.SIGNATURE: authenticode_signer.signature("msi", digest, how)})


def pe() -> bytes:
    """A PE32+ file of one section: enough headers for a signature to find its place."""
    header = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 240, 0x22)
    optional = struct.pack("<H", 0x20B).ljust(108, b"\1") + struct.pack("<I", 16) + bytes(128)
    optional = optional[:64] + bytes(4) + optional[68:]
    section = b".text\0\0\0".ljust(40, b"\2")
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    return (dos + header + optional + section).ljust(512, b"\0") + b"code" * 128


def ps1() -> bytes:
    return "# LAB\r\nWrite-Host 'Grüße'\r\n".encode()


PLAIN = {"msi": msi, "pe": pe, "ps1": ps1}


@lru_cache
def good(kind: authenticode.Kind) -> bytes:
    return authenticode_signer.sign(PLAIN[kind](), kind, signing())


def signed(kind: authenticode.Kind, how: Signing) -> bytes:
    return authenticode_signer.sign(PLAIN[kind](), kind, how)


def revocation_list(issuer: Identity, revoked: Identity, on: datetime, reason: x509.ReasonFlags | None = None) -> str:
    entry = x509.RevokedCertificateBuilder().serial_number(revoked.certificate.serial_number).revocation_date(on)
    if reason:
        entry = entry.add_extension(x509.CRLReason(reason), critical=False)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
        .add_revoked_certificate(entry.build())
        .sign(issuer.key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()
