"""Reads the pinned OpenPGP keys, and says whether one could sign at a given time.

The library says only that no signature is valid, not why. A key that is revoked, weak, expired, or extended later is
no forgery, so its state is read from the certificate's own packets before the library verifies anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pysequoia
from pysequoia.packet import HashAlgorithm, PacketPile, SignatureType, Tag

from bundler.errors import BundlerError, VerificationError
from bundler.model.anchor import Anchors, PackageKey

STRONG: Final = (
    HashAlgorithm.SHA256,
    HashAlgorithm.SHA384,
    HashAlgorithm.SHA512,
    HashAlgorithm.SHA3_256,
    HashAlgorithm.SHA3_512,
)
_KEYS: Final = (Tag.PublicKey, Tag.PublicSubkey)
_SELF_SIGNATURES: Final = (
    SignatureType.GenericCertification,
    SignatureType.PersonaCertification,
    SignatureType.CasualCertification,
    SignatureType.PositiveCertification,
    SignatureType.DirectKey,
    SignatureType.SubkeyBinding,
)
_LEAST_BITS: Final = 2048
_OLD_ALGORITHMS: Final = {1, 3, 17}
"""RSA and DSA (RFC 9580 section 9.1): the key's first number says how strong it is."""


@dataclass(frozen=True)
class _Binding:
    """A self-signature: from when it says how long the key is valid."""

    created: datetime
    validity: timedelta | None
    """Since the key's creation; None without limit."""


@dataclass
class Key:
    """A primary key or subkey of a certificate."""

    created: datetime
    bits: int
    """Of an RSA or DSA key; 0 for any other."""
    is_primary: bool
    revoked: bool = False
    bindings: list[_Binding] = field(default_factory=list)

    def binding_at(self, moment: datetime) -> _Binding | None:
        """The newest self-signature of that time; None if all are later."""
        return max((b for b in self.bindings if b.created <= moment), key=lambda b: b.created, default=None)


@dataclass(frozen=True)
class Pinned:
    """A pinned key, parsed."""

    key: PackageKey
    certificate: pysequoia.Cert
    keys: dict[str, Key]
    """By key id: 16 hex digits, lower-case (RFC 9580 section 5.5.4)."""


def refused(what: str, reason: str, why: str, details: tuple[str, ...] = ()) -> VerificationError:
    """The refusal of the signature of ``what``."""
    return VerificationError(f"{what} cannot be verified: {why}", reason=reason, details=details)


@contextmanager
def library(what: str, reason: str, why: str) -> Iterator[None]:
    """Turn an exception of the library into a VerificationError."""
    try:
        yield
    except BundlerError:
        raise
    except Exception as error:  # noqa: BLE001 - the library documents no exceptions of its own
        # Only its first line: the rest is the library's stack trace.
        first = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise refused(what, reason, why, (first,)) from None


def pinned(anchors: Anchors, what: str) -> list[Pinned]:
    """The pinned keys of ``anchors``. Raises VerificationError: ``wrong-key``, ``unusable-key``."""
    if not anchors.package_keys:
        raise refused(what, "wrong-key", f"the anchors {anchors.name} pin no OpenPGP key")
    return [_parsed(key, what) for key in anchors.package_keys]


def _parsed(key: PackageKey, what: str) -> Pinned:
    with library(what, "unusable-key", f"the pinned key {key.name} cannot be read"):
        certificate = pysequoia.Cert.from_bytes(key.armored.encode())
        keys = _keys(PacketPile.from_bytes(bytes(certificate)))
    if certificate.fingerprint.upper() != key.fingerprint:
        raise refused(what, "unusable-key", f"the key {key.name} does not match its pin")
    return Pinned(key, certificate, keys)


def _keys(packets: Any) -> dict[str, Key]:
    """The keys of a certificate, each with the self-signatures that follow it."""
    keys: dict[str, Key] = {}
    primary = ""
    for packet in packets:
        if packet.tag in _KEYS:
            current = keys[packet.key_id] = Key(packet.key_created, _bits(packet.body), packet.tag == Tag.PublicKey)
            primary = primary or packet.key_id
        elif packet.tag == Tag.Signature and primary in {packet.issuer_key_id, (packet.issuer_fingerprint or "")[-16:]}:
            if packet.signature_type == SignatureType.SubkeyRevocation:
                current.revoked = True
            elif packet.signature_type in _SELF_SIGNATURES and packet.hash_algorithm in STRONG:
                current.bindings.append(_Binding(packet.signature_created, packet.key_validity_period))
    return keys


def _bits(body: bytes) -> int:
    """Length of an RSA or DSA key (RFC 9580 section 5.5.2): version, four bytes of time, algorithm, first number."""
    start = 10 if body[0] == 6 else 6
    return int.from_bytes(body[start : start + 2], "big") if body[5] in _OLD_ALGORITHMS else 0


def usable_until(signer: Pinned, key_id: str, created: datetime, what: str) -> datetime | None:
    """When the signer's key expires; None if never.

    Args:
        signer: the pinned key.
        key_id: of the key in it that signed.
        created: when it signed.
        what: for messages.

    Raises:
        VerificationError: ``weak-key``, ``unusable-key`` for one that the library's policy rejects, ``revoked-key``,
            ``expired-key``, ``changed-key``.
    """
    name, key = signer.key.name, signer.keys[key_id]
    if 0 < key.bits < _LEAST_BITS:
        raise refused(what, "weak-key", f"the key {name} has only {key.bits} bits")
    with library(what, "unusable-key", f"the pinned key {name} cannot sign"):
        revoked, expires = signer.certificate.is_revoked, signer.certificate.expiration
    if revoked or key.revoked:
        raise refused(what, "revoked-key", f"the key {name} is revoked")
    if expires is not None and created >= expires:
        raise refused(what, "expired-key", f"it was signed after its key expired ({expires:%Y-%m-%d})")
    for each in (one for one in signer.keys.values() if one is key or one.is_primary):
        _require_valid(each, created, name, what)
    return expires


def _require_valid(key: Key, created: datetime, name: str, what: str) -> None:
    """Require that a key was valid when it signed, by its self-signatures of that time."""
    if created < key.created:
        raise refused(what, "bad-signature", f"its signature is older than the key {name}")
    binding = key.binding_at(created)
    if binding is None and key.bindings:
        first = min(each.created for each in key.bindings)
        why = (
            f"the pinned copy of the key {name} was made on {first:%Y-%m-%d}, after the signature ({created:%Y-%m-%d})"
        )
        raise refused(what, "changed-key", why)
    if binding is None or binding.validity is None:
        return
    expired = key.created + binding.validity
    if created >= expired:
        why = f"its key had expired on {expired:%Y-%m-%d}, and was not extended until after the signature"
        raise refused(
            what,
            "expired-key",
            why if key.is_primary else f"it was signed after its subkey expired ({expired:%Y-%m-%d})",
        )
