"""Signs MSI, PE and PowerShell files with Authenticode, as a publisher does.

Sources: "Windows Authenticode Portable Executable Signature Format" (Microsoft, 2008), RFC 5652, RFC 3161, and
RFC 2985, 5.3.6 for the older kind of timestamp. The same arguments give the same bytes where the keys are RSA.
The certificates are a lab's: they say LAB.
"""

from __future__ import annotations

import hashlib
import io
import struct
import sys
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Final, Literal

from asn1crypto import core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bundler.errors import SigningError
from bundler.formats import authenticode as der
from bundler.formats import msi_signature, portable_executable, powershell_signature
from bundler.formats.compound_file import CompoundFile
from bundler.lab import compound_file, foreign_bytes
from bundler.lab.foreign_bytes import Foreign
from bundler.lab.key_store import Chain, Identity
from bundler.signing import authenticode_writer as writing
from bundler.signing import script_signature
from bundler.signing.authenticode_writer import (
    Kind,
    attribute,
    digest_algorithm,
    integer,
    octets,
    oid,
    sequence,
    signed_data,
)

_TIMESTAMP_POLICY: Final = "2.23.999.1"
"""Below the arc for examples: no authority's."""

_HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@dataclass(frozen=True)
class Stamp:
    """The timestamping service, and its time."""

    chain: Chain
    time: datetime
    """With time zone; whole seconds are kept."""
    style: Literal["rfc3161", "countersignature"] = "rfc3161"


@dataclass(frozen=True)
class Signing:
    """Signer, digest and time of a signature."""

    chain: Chain
    stamp: Stamp | None = None
    digest: str = "sha256"
    """``sha1`` too, so that a test can see it refused."""
    description: str = "LAB - test material"
    nested: bool = False
    """With a second signature of the same kind, nested in the first."""
    foreign: Foreign | None = None
    """Bytes that neither signer nor timestamp put there, for a verifier to refuse."""


def sign(document: bytes, kind: Kind, signing: Signing) -> bytes:
    """Sign a file that carries no signature yet.

    Raises :class:`~bundler.errors.VerificationError` where ``document`` is no such file, and
    :class:`~bundler.errors.SigningError` where it is signed already, or holds storages (the lab's MSI have none).
    """
    return {"msi": sign_msi, "pe": sign_pe, "ps1": sign_ps1}[kind](document, signing)


def sign_msi(document: bytes, signing: Signing) -> bytes:
    """Sign an MSI, with ``MsiDigitalSignatureEx``; its streams are written anew. Raises as :func:`sign`."""
    held = CompoundFile(io.BytesIO(document))
    if any(child.kind != "stream" or child.name == msi_signature.SIGNATURE for child in held.root.children):
        raise SigningError("the lab signs MSI files that are flat and not signed yet")
    streams = {child.name: held.read(child, child.size) for child in held.root.children}
    plain = CompoundFile(io.BytesIO(compound_file.write(streams, held.root.clsid)))
    extra = msi_signature.metadata_digest(plain.root, signing.digest)
    digest = msi_signature.content_digest(plain, extra, signing.digest)
    added = {msi_signature.METADATA_DIGEST: extra, msi_signature.SIGNATURE: signature("msi", digest, signing)}
    return compound_file.write(streams | added, held.root.clsid)


def sign_pe(document: bytes, signing: Signing) -> bytes:
    """Sign a PE file and set its checksum anew. Raises as :func:`sign`."""
    padded = document + bytes(-len(document) % 8)
    place = portable_executable.layout(io.BytesIO(padded))
    if place.table or place.table_size:
        raise SigningError("the PE file is signed already")
    digest = portable_executable.digest(io.BytesIO(padded), place, signing.digest)
    return with_certificate_table(padded, signature("pe", digest, signing))


def with_certificate_table(image: bytes, pkcs7: bytes) -> bytes:
    """Append a certificate table to an unsigned image of a multiple of eight bytes."""
    place = portable_executable.layout(io.BytesIO(image))
    entry = struct.pack("<IHH", 8 + len(pkcs7), 0x0200, 2) + pkcs7
    entry += bytes(-len(entry) % 8)
    signed = bytearray(image + entry)
    struct.pack_into("<II", signed, place.directory, len(image), len(entry))
    struct.pack_into("<I", signed, place.checksum, 0)
    struct.pack_into("<I", signed, place.checksum, _checksum(bytes(signed)))
    return bytes(signed)


def sign_ps1(document: bytes, signing: Signing) -> bytes:
    """Append a signature block to a script. Raises as :func:`sign`."""
    digest = powershell_signature.text_digest(script_signature.unsigned(document), signing.digest)
    return powershell_signature.with_block(document, signature("ps1", digest, signing))


def _checksum(image: bytes) -> int:
    """The checksum of a PE file with a checksum field of zero (as ImageHlp's CheckSumMappedFile computes it)."""
    words = array("H", image + bytes(len(image) % 2))
    if sys.byteorder == "big":
        words.byteswap()
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(image)


def signature(kind: Kind, digest: bytes, signing: Signing, beside: Iterable[tuple[str, bytes]] = ()) -> bytes:
    """The PKCS#7 over a file's ``digest``, as DER; ``beside`` are more unsigned attributes, by type and DER."""
    content = writing.indirect_data(kind, digest, signing.digest)
    signed = _Signed(
        signing.chain.leaf,
        signing.digest,
        der.SPC_INDIRECT_DATA,
        writing.inside(content),
        writing.file_attributes(signing.description),
    )
    certificates = _certificates(signing.chain)
    if signing.stamp and signing.stamp.style == "countersignature":
        certificates += _certificates(signing.stamp.chain)
    if signing.nested:
        once = replace(signing, nested=False, foreign=None)
        beside = (*beside, (der.NESTED_SIGNATURE, signature(kind, digest, once)))
    unsigned = [attribute(name, value) for name, value in beside]
    unsigned += [_stamp(signed.value, signing.stamp)] if signing.stamp else []
    whole = signed_data(1, der.SPC_INDIRECT_DATA, content, certificates, [signed.info(unsigned)], signing.digest)
    return foreign_bytes.put(whole, signing.foreign) if signing.foreign else whole


class _Signed:
    """A SignerInfo before its unsigned attributes: the timestamp is made over its signature."""

    def __init__(
        self, identity: Identity, algorithm: str, content_type: str, content: bytes, attributes: Iterable[bytes]
    ) -> None:
        self._identity = identity
        self._algorithm = algorithm
        self._attributes = writing.signed_attributes(algorithm, content_type, content, attributes)
        key, digest = identity.key, _HASHES[algorithm]()
        if isinstance(key, rsa.RSAPrivateKey):
            self.value = key.sign(self._attributes, padding.PKCS1v15(), digest)
        else:
            self.value = key.sign(self._attributes, ec.ECDSA(digest))

    def info(self, unsigned: Iterable[bytes] = ()) -> bytes:
        """The SignerInfo with its unsigned attributes (RFC 5652, 5.3)."""
        return writing.signer_info(
            self._identity.certificate.issuer.public_bytes(),
            self._identity.certificate.serial_number,
            algorithm=self._algorithm,
            rsa=isinstance(self._identity.key, rsa.RSAPrivateKey),
            attributes=self._attributes,
            value=self.value,
            unsigned=unsigned,
        )


def _stamp(value: bytes, stamp: Stamp) -> bytes:
    if stamp.style == "rfc3161":
        return attribute(der.TIMESTAMP_RFC3161, timestamp_token(value, stamp))
    time = attribute(der.SIGNING_TIME, core.UTCTime(_utc(stamp.time)).dump())
    signed = _Signed(stamp.chain.leaf, "sha256", der.DATA, value, [time])
    return attribute(der.COUNTERSIGNATURE, signed.info())


def timestamp_token(value: bytes, stamp: Stamp) -> bytes:
    """An RFC 3161 token over a signature's bytes, for the time in ``stamp``."""
    imprint = hashlib.sha256(value).digest()
    certificate = stamp.chain.leaf.certificate
    info = sequence(
        integer(1),
        oid(_TIMESTAMP_POLICY),
        sequence(digest_algorithm("sha256"), octets(imprint)),
        integer(int.from_bytes(imprint[:8], "big")),
        core.GeneralizedTime(_utc(stamp.time)).dump(),
    )
    # ESSCertIDv2 with its default digest, SHA-256 (RFC 5035, section 4).
    named = sequence(sequence(sequence(octets(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()))))
    attributes = [attribute(der.SIGNING_CERTIFICATE_V2, named)]
    signed = _Signed(stamp.chain.leaf, "sha256", der.TST_INFO, info, attributes)
    return signed_data(3, der.TST_INFO, octets(info), _certificates(stamp.chain), [signed.info()], "sha256")


def _certificates(chain: Chain) -> list[bytes]:
    """The certificates in a signature: all but the root, which the verifier must have already."""
    return writing.encoded(one.certificate for one in (chain.leaf, *chain.intermediates))


def _utc(time: datetime) -> datetime:
    return time.astimezone(timezone.utc).replace(microsecond=0)
