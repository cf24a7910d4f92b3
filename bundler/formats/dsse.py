"""Reads and encodes DSSE envelopes: JSON around a payload, its type and one signature.

DSSE 1.0.0 (secure-systems-lab, "DSSE Protocol" and "DSSE Envelope"). This program uses one form of it: one signature,
keys in this order, two spaces, one newline at the end. :func:`read` accepts a document only if encoding what it read
gives the same bytes, so no byte of an envelope is malleable.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass

from bundler.formats import strict_json
from bundler.formats.parse_error import ParseError

IN_TOTO = "application/vnd.in-toto+json"
"""Payload type of an in-toto statement ("in-toto Attestation Framework", v1, Envelope)."""

LARGEST = 16 << 20
"""Bytes of an envelope: a provenance with every target has a hundredth of it."""


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope; reading it verifies nothing."""

    payload: bytes
    payload_type: str
    keyid: str
    """Fingerprint of the signer's certificate, 64 lower-case hex digits: a hint, never trusted."""
    signature: bytes
    """Over :func:`pae` of type and payload. RSA: PKCS #1 v1.5. ECDSA: DER, as cosign and OpenSSL have it."""

    def encode(self) -> bytes:
        """The envelope as JSON."""
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


def read(document: bytes) -> Envelope:
    """Read an envelope in the form that :meth:`Envelope.encode` writes.

    Raises:
        ParseError: ``too-big``, or ``malformed`` for any other form.
    """
    if len(document) > LARGEST:
        raise ParseError(f"the envelope is larger than {LARGEST} bytes", reason="too-big")
    try:
        body = strict_json.read(document)
        (signature,) = body["signatures"]
        found = Envelope(
            payload=b64decode(body["payload"], validate=True),
            payload_type=str(body["payloadType"]),
            keyid=str(signature["keyid"]),
            signature=b64decode(signature["sig"], validate=True),
        )
        canonical = found.encode() == document
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        raise ParseError("the file is not a DSSE envelope") from None
    if not canonical:
        raise ParseError("the envelope is not in the form that arc-bundler writes")
    return found
