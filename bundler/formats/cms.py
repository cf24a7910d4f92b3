"""How is a detached seal written as CMS, and read without leaving a byte unexplained?

A seal is RFC 5652 SignedData in DER: version 1, content type *data* that is not in it, exactly one signer by issuer
and serial number, **no signed attributes** (section 5.4: the signature is then over the content itself), and the
certificates of the signer and of those above it. So everything but the signature's value follows from the
certificates and the signature's length: :func:`forms` says it beforehand, and :func:`read` takes nothing else. No byte
of a seal can be changed without being seen, by this module or by a script that knows the forms.

``openssl cms -verify`` and .NET's ``SignedCms`` read it as they read any other.
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
"""Bytes of a seal: a chain of a few certificates takes a tenth of it."""

DIGESTS: dict[Algorithm, str] = {"rsa-sha256": "sha256", "ecdsa-sha256": "sha256", "ecdsa-sha384": "sha384"}
"""The digest of each algorithm, as :mod:`hashlib` calls it."""

# RFC 4055, section 5 and RFC 3370, section 3.2 (rsaEncryption with NULL); RFC 5754, section 3.3 (ECDSA, no parameters).
_SIGNATURE_NAMES: dict[Algorithm, str] = {
    "rsa-sha256": "rsassa_pkcs1v15",
    "ecdsa-sha256": "sha256_ecdsa",
    "ecdsa-sha384": "sha384_ecdsa",
}
_ALGORITHMS = {name: algorithm for algorithm, name in _SIGNATURE_NAMES.items()}

_SHORTER = 9
"""How many lengths an ECDSA signature is allowed: each byte less is 256 times as rare."""


@dataclass(frozen=True)
class Detached:
    """A seal that was read; whether it fits its content is not known yet."""

    certificates: tuple[x509.Certificate, ...]
    """The signer's first."""
    algorithm: Algorithm
    signature: bytes


def encode(
    certificates: Sequence[x509.Certificate], algorithm: Algorithm, signature: bytes, *, content: bytes | None = None
) -> bytes:
    """DER of a seal by the first of ``certificates``; ``signature`` as a ``SigningKey`` of :mod:`.signing` has it.

    With ``content`` that is in it (section 5.2, ``eContent``), and it is no seal but a signed message.
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
    """Read a seal. Raises :class:`ValueError` unless it is, byte for byte, what :func:`encode` makes of it."""
    if len(document) > LARGEST:
        raise ValueError("it is larger than any seal")
    try:
        found = _parse(document)
        # A certificate with a changed byte may be read by one library and not be written by the other.
        again = encode(found.certificates, found.algorithm, found.signature)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError("it is no CMS signature in DER") from error
    if again != document:
        raise ValueError("it is CMS, but not in the one form that a seal has")
    return found


def forms(certificates: Sequence[x509.Certificate], algorithm: Algorithm) -> tuple[Form, ...]:
    """Every form that a seal by the first of ``certificates`` may have: one for each length of a signature."""
    return tuple(_form(certificates, algorithm, length) for length in _lengths(certificates[0]))


def _form(certificates: Sequence[x509.Certificate], algorithm: Algorithm, length: int) -> Form:
    blank = encode(certificates, algorithm, bytes(length))
    prefix = blank[: len(blank) - length]
    return Form(size=len(blank), prefix_size=len(prefix), prefix_sha256=hashlib.sha256(prefix).hexdigest())


def _lengths(certificate: x509.Certificate) -> range:
    """Bytes that a signature may have: RSA's is as long as its modulus, ECDSA's are two INTEGERs in a SEQUENCE."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        size = (key.key_size + 7) // 8
        return range(size, size + 1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        longest = 2 + 2 * (2 + 1 + (key.key_size + 7) // 8)
        return range(longest - _SHORTER + 1, longest + 1)
    raise ValueError("only RSA and elliptic curves seal")


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
    # RFC 5754, section 2: absent or NULL, and readers accept both; the library writes NULL, as .NET and pyca do.
    return algos.DigestAlgorithm({"algorithm": DIGESTS[algorithm]})


def _signature_algorithm(algorithm: Algorithm) -> algos.SignedDigestAlgorithm:
    if algorithm == "rsa-sha256":
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()})
    return algos.SignedDigestAlgorithm({"algorithm": _SIGNATURE_NAMES[algorithm]})
