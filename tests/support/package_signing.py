"""OpenPGP keys and signatures made for a test, with every fault that a test wants: RFC 4880 (v4), RSA.

The lab's own writer signs rightly only; this one also signs with SHA-1, lets keys expire, and revokes them.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bundler.lab.openpgp import armor
from bundler.model.anchor import Anchors, PackageKey
from tests.support import shared

NOW = datetime.now(timezone.utc).replace(microsecond=0)
"""When the tests began; nothing in them depends on which day that is."""

_DIGESTS = {"sha1": (2, hashes.SHA1()), "sha256": (8, hashes.SHA256()), "sha512": (10, hashes.SHA512())}


@cache
def _rsa(name: str) -> rsa.RSAPrivateKey:
    return shared.rsa_key(f"openpgp-{name}")


def _mpi(number: int) -> bytes:
    return struct.pack(">H", number.bit_length()) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _sub(kind: int, content: bytes) -> bytes:
    return bytes([len(content) + 1, kind]) + content


def packet(tag: int, body: bytes) -> bytes:
    return bytes([0x80 | tag << 2 | 1]) + struct.pack(">H", len(body)) + body


def _seconds(moment: datetime) -> bytes:
    return struct.pack(">I", int(moment.timestamp()))


@dataclass(frozen=True)
class Key:
    """One key; ``name`` picks the RSA numbers, so that equal names are equal keys."""

    name: str = "practice"
    created: datetime = NOW - timedelta(days=1000)
    expires: datetime | None = None
    revoked: bool = False
    binding_digest: str = "sha256"
    digest: str = "sha256"
    """Of the signatures that it makes."""
    user_id: str = field(default="LAB practice key <lab@localhost>")

    def _body(self) -> bytes:
        numbers = _rsa(self.name).public_key().public_numbers()
        return b"\x04" + _seconds(self.created) + b"\x01" + _mpi(numbers.n) + _mpi(numbers.e)

    def _prefixed(self) -> bytes:
        return b"\x99" + struct.pack(">H", len(self._body())) + self._body()

    @property
    def fingerprint(self) -> str:
        return hashlib.sha1(self._prefixed()).hexdigest().upper()

    def signature(self, kind: int, content: bytes, at: datetime, more: bytes = b"", digest: str = "") -> bytes:
        number, algorithm = _DIGESTS[digest or self.digest]
        issuer = bytes.fromhex(self.fingerprint)
        hashed = _sub(2, _seconds(at)) + _sub(33, b"\x04" + issuer) + more
        head = bytes([4, kind, 1, number]) + struct.pack(">H", len(hashed)) + hashed
        signed = content + head + b"\x04\xff" + struct.pack(">I", len(head))
        value = int.from_bytes(_rsa(self.name).sign(signed, padding.PKCS1v15(), algorithm), "big")
        unhashed = _sub(16, issuer[-8:])
        start = hashlib.new(digest or self.digest, signed).digest()[:2]
        return packet(2, head + struct.pack(">H", len(unhashed)) + unhashed + start + _mpi(value))

    def certificate(self) -> bytes:
        user = self.user_id.encode()
        bound = self._prefixed() + b"\xb4" + struct.pack(">I", len(user)) + user
        flags = _sub(27, b"\x03")
        if self.expires:
            flags += _sub(9, struct.pack(">I", int((self.expires - self.created).total_seconds())))
        binding = self.signature(0x13, bound, self.created, flags, self.binding_digest)
        revocation = b""
        if self.revoked:  # reason 2: compromised
            revocation = self.signature(0x20, self._prefixed(), NOW - timedelta(days=1), _sub(29, b"\x02"), "sha256")
        return packet(6, self._body()) + revocation + packet(13, user) + binding

    def armored(self) -> str:
        return armor("PUBLIC KEY BLOCK", self.certificate())

    def pin(self) -> PackageKey:
        return PackageKey(name=self.name, fingerprint=self.fingerprint, armored=self.armored(), source="made by a test")

    def detached(self, content: bytes, at: datetime) -> bytes:
        return self.signature(0, content, at)

    def text_detached(self, content: bytes, at: datetime) -> bytes:
        return self.signature(1, content.replace(b"\n", b"\r\n"), at)

    def clear_signed(self, text: str, at: datetime, others: tuple[bytes, ...] = ()) -> bytes:
        """Sign ``text``; ``others`` are signature packets that stand before this key's own."""
        return clear(text, b"".join(others) + self.over_text(text, at))

    def over_text(self, text: str, at: datetime) -> bytes:
        lines = [line.rstrip(" \t\r") for line in text.rstrip("\n").split("\n")]
        return self.signature(1, "\r\n".join(lines).encode(), at)


def clear(text: str, packets: bytes) -> bytes:
    shown = "\n".join("- " + line if line.startswith("-") else line for line in text.rstrip("\n").split("\n"))
    head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
    return (head + shown + "\n" + armor("SIGNATURE", packets)).encode()


def anchors(*keys: Key, name: str = "LAB") -> Anchors:
    return Anchors(name=name, lab=True, package_keys=tuple(key.pin() for key in keys))
