"""Reads a seal: a detached CMS signature in the one form that arc-bundler accepts.

A seal is RFC 5652 SignedData in DER: version 1, content type *data* without content, exactly one signer by issuer and
serial number, **no signed attributes** (section 5.4: the signature then covers the content itself), and the
certificates of the signer and of its issuers. ``openssl cms -verify`` and .NET's ``SignedCms`` read it like any other.

Everything except the signature's value follows from the certificates and the signature's length. That is used twice:

1. :func:`read` encodes what it parsed again and compares all bytes. So no byte of a seal can be changed unnoticed,
   neither one that the signature does not cover nor one that a parser ignores. This is why encoding is in this module,
   beside reading, although :mod:`bundler.signing.cms_writer` signs.
2. :func:`forms` gives, before anything is signed, length and SHA-256 of all that precedes the signature's value. A
   script on the server compares them without a CMS parser.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bundler.formats.certificate import loaded
from bundler.model.seal import Algorithm, Form

LARGEST = 64 << 10
"""Bytes of a seal; with a chain of a few certificates it has a tenth of that."""

DIGESTS: dict[Algorithm, str] = {"rsa-sha256": "sha256", "ecdsa-sha256": "sha256", "ecdsa-sha384": "sha384"}
"""The digest of each algorithm, as :mod:`hashlib` names it."""

# RFC 4055, section 5 and RFC 3370, section 3.2 (rsaEncryption with NULL); RFC 5754, section 3.3 (ECDSA, no parameters).
_SIGNATURE_NAMES: dict[Algorithm, str] = {
    "rsa-sha256": "rsassa_pkcs1v15",
    "ecdsa-sha256": "sha256_ecdsa",
    "ecdsa-sha384": "sha384_ecdsa",
}
_ALGORITHMS = {name: algorithm for algorithm, name in _SIGNATURE_NAMES.items()}

_SHORTER = 9
"""The number of lengths that an ECDSA signature may have: DER drops leading zeros, and each byte less is 256 times as
rare."""


@dataclass(frozen=True)
class Detached:
    """A parsed seal; it is not verified yet."""

    certificates: tuple[x509.Certificate, ...]
    """The signer's first."""
    algorithm: Algorithm
    signature: bytes


def encode(
    certificates: Sequence[x509.Certificate], algorithm: Algorithm, signature: bytes, *, content: bytes | None = None
) -> bytes:
    """Encode a signature.

    Args:
        certificates: the signer's first.
        algorithm: of the signature.
        signature: as :class:`bundler.signing.signing_key.SigningKey` returns it.
        content: if given, it is held inside (section 5.2, ``eContent``): a signed message instead of a seal.

    Returns:
        DER of the ContentInfo.
    """
    held = [_certificate(certificate) for certificate in certificates]
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber({"issuer": held[0].issuer, "serial_number": held[0].serial_number}),
            ),
            "digest_algorithm": _digest_algorithm(algorithm),
            "signature_algorithm": _signature_algorithm(algorithm),
            "signature": signature,
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [_digest_algorithm(algorithm)],
            "encap_content_info": {"content_type": "data"} | ({} if content is None else {"content": content}),
            "certificates": [cms.CertificateChoices("certificate", certificate) for certificate in held],
            "signer_infos": [signer],
        }
    )
    return cast("bytes", cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump(force=True))


def read(document: bytes) -> Detached:
    """Parse a seal.

    Raises:
        ValueError: it is not, byte for byte, what :func:`encode` gives for its parts.
    """
    if len(document) > LARGEST:
        raise ValueError("it is larger than any seal")
    try:
        found = _parse(document)
        # Encoding is inside the try: a damaged certificate may be parsed by one library and not encoded by the other.
        again = encode(found.certificates, found.algorithm, found.signature)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError("it is not a CMS signature in DER") from error
    if again != document:
        raise ValueError("it is CMS, but not in the form of a seal")
    return found


def forms(certificates: Sequence[x509.Certificate], algorithm: Algorithm) -> tuple[Form, ...]:
    """Every form that a seal with these ``certificates`` can have: one for each length of its signature."""
    found = []
    for length in _lengths(certificates[0]):
        blank = encode(certificates, algorithm, bytes(length))
        prefix = blank[: len(blank) - length]  # the signature's value is the last part of the DER
        digest = hashlib.sha256(prefix).hexdigest()
        found.append(Form(size=len(blank), prefix_size=len(prefix), prefix_sha256=digest))
    return tuple(found)


def _lengths(certificate: x509.Certificate) -> range:
    """The possible lengths of a signature: RSA's is as long as its modulus, ECDSA's is a SEQUENCE of two INTEGERs."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        size = (key.key_size + 7) // 8
        return range(size, size + 1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        longest = 2 + 2 * (2 + 1 + (key.key_size + 7) // 8)
        return range(longest - _SHORTER + 1, longest + 1)
    raise ValueError("only RSA and elliptic-curve keys can seal")


def _parse(document: bytes) -> Detached:
    signed = cms.ContentInfo.load(document, strict=True)["content"]
    if not isinstance(signed, cms.SignedData):
        raise ValueError("not signed data")  # noqa: TRY004  # the document is wrong, not the caller
    (signer,) = signed["signer_infos"]
    sid = signer["sid"].chosen
    wanted = (sid["issuer"].dump(), sid["serial_number"].native)
    held = [choice.chosen for choice in signed["certificates"]]
    first = [one for one in held if (one.issuer.dump(), one.serial_number) == wanted]
    ordered = first[:1] + [one for one in held if one is not first[0]]
    return Detached(
        certificates=tuple(loaded(one.dump()) for one in ordered),
        algorithm=_ALGORITHMS[signer["signature_algorithm"]["algorithm"].native],
        signature=signer["signature"].native,
    )


def _certificate(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _digest_algorithm(algorithm: Algorithm) -> algos.DigestAlgorithm:
    # RFC 5754, section 2: parameters absent or NULL, readers accept both. The library writes NULL, like .NET and pyca.
    return algos.DigestAlgorithm({"algorithm": DIGESTS[algorithm]})


def _signature_algorithm(algorithm: Algorithm) -> algos.SignedDigestAlgorithm:
    if algorithm == "rsa-sha256":
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()})
    return algos.SignedDigestAlgorithm({"algorithm": _SIGNATURE_NAMES[algorithm]})
