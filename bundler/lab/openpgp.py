"""Makes OpenPGP keys and signatures for the lab.

A library would stamp the machine's clock; here the time is the caller's, and RSA PKCS#1 v1.5 has no randomness,
so the same packages are the same bytes on every start. Only what the lab signs is written: one RSA key that
certifies and signs, as the upstream's own keys do. Source: RFC 4880 (v4 packets), which RHEL 7's rpm reads too.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_RSA, _SHA256 = 1, 8
_BINARY, _TEXT, _POSITIVE_CERTIFICATION = 0x00, 0x01, 0x13
_TAG_SIGNATURE, _TAG_PUBLIC_KEY, _TAG_USER_ID = 2, 6, 13


@dataclass(frozen=True)
class SigningKey:
    """An RSA key as an OpenPGP key."""

    key: rsa.RSAPrivateKey
    user_id: str
    created: datetime
    """Part of the fingerprint (RFC 4880, section 12.2)."""

    @property
    def fingerprint(self) -> str:
        """40 upper-case hex digits."""
        return hashlib.sha1(_prefixed(self._body()), usedforsecurity=False).hexdigest().upper()

    def certificate(self) -> bytes:
        """The public key with its user id, bound by the key itself; binary."""
        key, user = self._body(), self.user_id.encode()
        bound = _prefixed(key) + b"\xb4" + struct.pack(">I", len(user)) + user
        flags = _subpacket(27, b"\x03") + _subpacket(21, bytes([_SHA256])) + _subpacket(30, b"\x01")
        signature = self._signature(_POSITIVE_CERTIFICATION, bound, self.created, flags)
        return _packet(_TAG_PUBLIC_KEY, key) + _packet(_TAG_USER_ID, user) + signature

    def armored(self) -> str:
        """:meth:`certificate` as text."""
        return armor("PUBLIC KEY BLOCK", self.certificate())

    def detached(self, content: bytes, at: datetime) -> bytes:
        """Sign ``content`` as of ``at``; a binary signature."""
        return self._signature(_BINARY, content, at)

    def clear_signed(self, text: str, at: datetime) -> bytes:
        """Wrap ``text``, lines that end in newlines, in a clear signature (RFC 4880, section 7)."""
        lines = [line.rstrip(" \t\r") for line in text.rstrip("\n").split("\n")]
        signature = self._signature(_TEXT, "\r\n".join(lines).encode(), at)
        shown = "\n".join("- " + line if line.startswith("-") else line for line in lines)
        head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
        return (head + shown + "\n" + armor("SIGNATURE", signature)).encode()

    def _body(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        return struct.pack(">BIB", 4, int(self.created.timestamp()), _RSA) + _mpi(numbers.n) + _mpi(numbers.e)

    def _signature(self, kind: int, content: bytes, at: datetime, more: bytes = b"") -> bytes:
        """Make a v4 signature packet (RFC 4880, section 5.2.3; the issuer's fingerprint as in RFC 9580)."""
        fingerprint = bytes.fromhex(self.fingerprint)
        hashed = _subpacket(2, struct.pack(">I", int(at.timestamp()))) + _subpacket(33, b"\x04" + fingerprint) + more
        head = bytes([4, kind, _RSA, _SHA256]) + struct.pack(">H", len(hashed)) + hashed
        signed = content + head + b"\x04\xff" + struct.pack(">I", len(head))
        value = int.from_bytes(self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256()), "big")
        unhashed = _subpacket(16, fingerprint[-8:])
        digest = hashlib.sha256(signed).digest()
        body = head + struct.pack(">H", len(unhashed)) + unhashed + digest[:2] + _mpi(value)
        return _packet(_TAG_SIGNATURE, body)


def armor(what: str, content: bytes) -> str:
    """Wrap ``content`` as text (RFC 4880, section 6.2), with the checksum that old rpm wants."""
    encoded = base64.b64encode(content).decode()
    lines = [encoded[i : i + 64] for i in range(0, len(encoded), 64)]
    checksum = base64.b64encode(_crc24(content).to_bytes(3, "big")).decode()
    return "\n".join([f"-----BEGIN PGP {what}-----", "", *lines, "=" + checksum, f"-----END PGP {what}-----", ""])


def _crc24(content: bytes) -> int:
    """Compute the checksum of RFC 4880, section 6.1."""
    crc = 0xB704CE
    for byte in content:
        crc ^= byte << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
    return crc & 0xFFFFFF


def _mpi(number: int) -> bytes:
    bits = number.bit_length()
    return struct.pack(">H", bits) + number.to_bytes((bits + 7) // 8, "big")


def _prefixed(body: bytes) -> bytes:
    """Put a key's body in the form that is hashed (RFC 4880, section 12.2)."""
    return b"\x99" + struct.pack(">H", len(body)) + body


def _subpacket(kind: int, content: bytes) -> bytes:
    return bytes([len(content) + 1, kind]) + content


def _packet(tag: int, body: bytes) -> bytes:
    """Put an old-format header with a two-byte length before ``body`` (RFC 4880, section 4.2.1)."""
    return bytes([0x80 | tag << 2 | 1]) + struct.pack(">H", len(body)) + body
