"""Is this certificate or key one of those that are pinned?

Neither is signed by anybody whose word counts here: a root and a key are believed because they are the ones we know.
"""

from __future__ import annotations

import hashlib

import pysequoia

from bundler.errors import VerificationError
from bundler.model.anchor import Anchors, PackageKey, RootCertificate
from bundler.trust.anchors import certificate_der


def root(pem: bytes, anchors: Anchors) -> RootCertificate:
    """The pinned root that ``pem`` is. Raises VerificationError: ``malformed``, ``not-pinned``."""
    try:
        sha256 = hashlib.sha256(certificate_der(pem.decode("ascii").strip() + "\n")).hexdigest()
    except ValueError as error:
        raise VerificationError(f"this is no certificate: {error}", reason="malformed") from error
    for pinned in anchors.roots:
        if pinned.sha256 == sha256:
            return pinned
    raise VerificationError(
        f"this certificate is none of the roots that {anchors.name} is believed by",
        reason="not-pinned",
        details=[f"SHA-256 {sha256}"],
    )


def key(armored: bytes, anchors: Anchors) -> PackageKey:
    """The pinned OpenPGP key that ``armored`` is.

    Raises VerificationError: ``malformed``, ``not-pinned``, ``weak-digest``.
    A copy whose user id is bound by SHA-1 alone is refused, though its fingerprint is right: current tools believe
    nothing that is checked with it (facts: Microsoft rebound its key with SHA-256).
    """
    try:
        certificate = pysequoia.Cert.from_bytes(armored)
    except (RuntimeError, ValueError) as error:  # what the library's Rust side met
        raise VerificationError(f"this is no OpenPGP key: {str(error).splitlines()[0]}", reason="malformed") from None
    fingerprint = certificate.fingerprint.upper()
    pinned = next((known for known in anchors.package_keys if known.fingerprint == fingerprint), None)
    if pinned is None:
        raise VerificationError(
            f"this key is none of those that {anchors.name} is believed by",
            reason="not-pinned",
            details=[f"fingerprint {fingerprint}"],
        )
    if not _bound(certificate):
        raise VerificationError(
            "this copy of a pinned key binds its user id with SHA-1, which current tools refuse",
            reason="weak-digest",
            do="get the copy that is published now; it has the same fingerprint",
        )
    return pinned


def _bound(certificate: pysequoia.Cert) -> bool:
    """Whether the library's policy accepts the signature that binds a user id to the key."""
    try:
        return bool(certificate.user_ids)
    except RuntimeError:
        return False
