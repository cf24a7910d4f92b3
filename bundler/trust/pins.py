"""Compares a certificate or OpenPGP key with the pinned ones.

A root and a key are not signed by another trusted key: they are trusted because they are pinned.
"""

from __future__ import annotations

import hashlib

import pysequoia
from pysequoia.packet import PacketPile, Tag

from bundler.errors import VerificationError
from bundler.model.anchor import Anchors, PackageKey, RootCertificate
from bundler.trust.anchors import certificate_der

_MAX_HEADER, _MAX_SIGNATURE = 80, 640
"""Bytes of a line of the armor before the key, and of a signature (4096-bit RSA needs 600)."""


def root(pem: bytes, anchors: Anchors) -> RootCertificate:
    """The pinned root that equals ``pem``. Raises VerificationError: ``malformed``, ``not-pinned``."""
    try:
        sha256 = hashlib.sha256(certificate_der(pem.decode("ascii").strip() + "\n")).hexdigest()
    except ValueError as error:
        raise VerificationError(f"this is not a certificate: {error}", reason="malformed") from error
    for pinned in anchors.roots:
        if pinned.sha256 == sha256:
            return pinned
    raise VerificationError(
        f"this certificate is not among the pinned roots of {anchors.name}",
        reason="not-pinned",
        details=[f"SHA-256 {sha256}"],
    )


def key(armored: bytes, anchors: Anchors) -> PackageKey:
    """The pinned OpenPGP key that equals ``armored``.

    A copy with a user id bound only by SHA-1 is refused, although its fingerprint is right: current tools reject every
    signature that they verify with it (Microsoft bound its user id again with SHA-256).

    Raises:
        VerificationError: ``malformed``, ``not-pinned``, ``weak-digest``.
    """
    try:
        certificate = pysequoia.Cert.from_bytes(armored)
    except (RuntimeError, ValueError) as error:  # errors of the library's Rust code
        raise VerificationError(
            f"this is not an OpenPGP key: {str(error).splitlines()[0]}", reason="malformed"
        ) from None
    fingerprint = certificate.fingerprint.upper()
    pinned = next((known for known in anchors.package_keys if known.fingerprint == fingerprint), None)
    if pinned is None:
        raise VerificationError(
            f"this key is not among the pinned keys of {anchors.name}",
            reason="not-pinned",
            details=[f"fingerprint {fingerprint}"],
        )
    if not _bound(certificate):
        raise VerificationError(
            "this copy of a pinned key binds its user id with SHA-1, which current tools refuse",
            reason="weak-digest",
            do="get the copy that is published now; it has the same fingerprint",
        )
    _require_nothing_foreign(armored, pinned)
    return pinned


def _require_nothing_foreign(armored: bytes, pinned: PackageKey) -> None:
    """Require the pinned copy's packets, besides newer signatures by the key itself, and short armor headers.

    A fingerprint says nothing of user IDs, attributes and signatures that others add to a key's file.
    """
    if any(len(line) > _MAX_HEADER for line in armored.partition(b"\n\n")[0].replace(b"\r", b"").split(b"\n")):
        raise VerificationError("the key's armor has a header longer than any real one", reason="armor-data")
    own = PacketPile.from_bytes(pinned.armored.encode())
    known = {bytes(packet) for packet in own}
    key_id = pinned.fingerprint[-16:].lower()
    for packet in PacketPile.from_bytes(armored):
        is_own = packet.tag == Tag.Signature and packet.issuer_key_id == key_id and len(packet.body) <= _MAX_SIGNATURE
        if bytes(packet) not in known and not is_own:
            raise VerificationError("the file holds more than the pinned key", reason="other-packets")


def _bound(certificate: pysequoia.Cert) -> bool:
    """Whether the library's policy accepts the signature that binds a user id to the key."""
    try:
        return bool(certificate.user_ids)
    except RuntimeError:
        return False
