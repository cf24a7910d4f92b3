"""How is a statement signed so that other people's tools read it?

DSSE 1.0.0 (secure-systems-lab, "DSSE Protocol" and "DSSE Envelope"): the signature is over the payload *and* its type,
encoded before (:func:`pae`), and both travel in a JSON envelope. Ours has one signature, by the seal's key, and one
form: what :func:`verify` takes is, byte for byte, what :func:`envelope` would write, so no byte of it is malleable.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import NoReturn

from cryptography import x509

from bundler.errors import SigningError, VerificationError
from bundler.formats.certificate import fingerprint
from bundler.signing.signing_key import SigningKey
from bundler.trust.certificate_policy import algorithm_of
from bundler.trust.public_key import verifies

IN_TOTO = "application/vnd.in-toto+json"
"""Payload type of an in-toto statement ("in-toto Attestation Framework", v1, Envelope)."""

LARGEST = 16 << 20
"""Bytes of an envelope: a provenance of every target has a hundredth of it."""


@dataclass(frozen=True)
class _Envelope:
    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes

    def written(self) -> bytes:
        signature = {"keyid": self.keyid, "sig": b64encode(self.signature).decode()}
        body = {
            "payload": b64encode(self.payload).decode(),
            "payloadType": self.payload_type,
            "signatures": [signature],
        }
        return (json.dumps(body, indent=2) + "\n").encode()


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-Authentication Encoding: the bytes that are signed ("DSSE Protocol", Signature Definition)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def keyid(certificate: x509.Certificate) -> str:
    """How an envelope names its key: the certificate's SHA-256, as a seal's signer is named. A hint, never trusted."""
    return fingerprint(certificate)


def envelope(payload: bytes, payload_type: str, key: SigningKey) -> bytes:
    """Sign ``payload`` with ``key``; JSON, two spaces, one newline at the end.

    The signature is what the key gives: RSA PKCS #1 v1.5 as it is, ECDSA as DER (as cosign and OpenSSL have it).
    Raises what the key raises: :class:`~bundler.errors.SigningError`.
    """
    signature = key.sign(pae(payload_type, payload))
    return _Envelope(payload, payload_type, keyid(key.certificates[0]), signature).written()


def verify(document: bytes, certificate: x509.Certificate, *, payload_type: str = IN_TOTO) -> bytes:
    """The payload of the envelope ``document``, signed by the key of ``certificate`` as ``payload_type``.

    Whether the certificate is the right one, and valid, is the caller's question. Raises
    :class:`~bundler.errors.VerificationError`: ``bad-provenance`` for a form that is not :func:`envelope`'s, another
    payload type or a signature that does not fit; ``other-signer`` for another key.
    """
    found = _read(document)
    if found.payload_type != payload_type:
        _refuse(f"the envelope holds {found.payload_type!a}, wanted is {payload_type!a}")
    if found.keyid != keyid(certificate):
        _refuse(f"the envelope is signed by {found.keyid!a}, not by {keyid(certificate)}", "other-signer")
    if not _fits(certificate, found):
        _refuse("the envelope's signature does not fit what is in it")
    return found.payload


def _fits(certificate: x509.Certificate, found: _Envelope) -> bool:
    try:
        algorithm = algorithm_of(certificate)
    except SigningError:  # a key that signs nothing here
        return False
    return verifies(certificate, algorithm, found.signature, pae(found.payload_type, found.payload))


def _read(document: bytes) -> _Envelope:
    if len(document) > LARGEST:
        _refuse(f"the envelope is larger than {LARGEST} bytes")
    try:
        found = _parsed(document)
        same = found.written() == document
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        _refuse("the file is no DSSE envelope")
    if not same:
        _refuse("the envelope is not written as this program writes it")
    return found


def _parsed(document: bytes) -> _Envelope:
    """What the envelope says; raises anything that reading a wrong shape raises."""
    body = json.loads(document)
    (signature,) = body["signatures"]
    return _Envelope(
        payload=b64decode(body["payload"], validate=True),
        payload_type=str(body["payloadType"]),
        keyid=str(signature["keyid"]),
        signature=b64decode(signature["sig"], validate=True),
    )


def _refuse(what: str, reason: str = "bad-provenance") -> NoReturn:
    raise VerificationError(
        what, reason=reason, do="do not use it; ask who built the bundle for the file that was written with it"
    )
