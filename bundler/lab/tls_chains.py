"""The chains that the lab's HTTPS server presents: its own, ones that a client must refuse, and Microsoft's new shape.

Since 2026 Azure's front ends present leaf <- "Microsoft TLS G2 RSA CA OCSP nn" <- "Microsoft TLS RSA Root G2", most of
them with that root's cross-signed form, which bridges to an older root, some without (MicrosoftDocs/azure-docs, ICA
rotation 2026). The lab's look-alike says Microsoft Corporation as its organization, because clients read that name; its
common names say LAB.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bundler.lab.behaviour import Certificate
from bundler.lab.certificate_forms import describe, server_certificate, with_negative_serial
from bundler.lab.key_store import Identity, KeyStore, PrivateKey, packed

LOOKS_LIKE = "Microsoft Corporation"
NEW_ROOT = "LAB TLS RSA Root G2"
NEW_ISSUER = "LAB TLS G2 RSA CA OCSP 02"

_LIFE = timedelta(days=3000)
_SERVER_LIFE = timedelta(days=800)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class NewRoot:
    """The look-alike of Microsoft's hierarchy of 2025."""

    root: Identity
    bridge: x509.Certificate
    """The root's name and key, issued by an older root."""
    issuer: Identity
    """Issues the leaves."""


def new_root(older: Identity, since: datetime, keys: KeyStore, place: str = "new-root") -> NewRoot:
    """The hierarchy that ``keys`` holds at ``place``, bridged to ``older``; made where it is not there yet."""
    key, middle = keys.curve(place), keys.curve(f"{place}-issuer")

    def made(name: str, owner: PrivateKey, issuer: Identity | None, where: str) -> x509.Certificate:
        depth = 0 if name == NEW_ISSUER else 1
        described = describe(name, owner, issuer, since, _LIFE, path_length=depth, organization=LOOKS_LIKE)
        return keys.certificate(where, described, issuer.key if issuer else owner)

    root = Identity(made(NEW_ROOT, key, None, place), key)
    issuer = Identity(made(NEW_ISSUER, middle, root, f"{place}-issuer"), middle)
    return NewRoot(root, made(NEW_ROOT, key, older, f"{place}-bridge"), issuer)


def served(kind: Certificate, root: Identity, since: datetime, keys: KeyStore, names: Sequence[str]) -> bytes:
    """The key and the certificates (PEM) of a server that presents a chain of that kind, for ``names``."""
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = ("elsewhere.invalid",) if kind == "other-host" else names
    life = timedelta(days=1) if kind == "expired" else _SERVER_LIFE
    issuer, after = _issuer(kind, root, since, keys)
    leaf = server_certificate(issuer, key, since, life, hosts).sign(issuer.key, hashes.SHA256())
    pems = [packed(key), leaf.public_bytes(_PEM), *(each.public_bytes(_PEM) for each in after)]
    if kind == "negative-serial":
        pems[1] = ssl.DER_cert_to_PEM_cert(with_negative_serial(leaf, issuer)).encode()
    return b"".join(pems)


def _issuer(
    kind: Certificate, root: Identity, since: datetime, keys: KeyStore
) -> tuple[Identity, tuple[x509.Certificate, ...]]:
    """Who issues the leaf, and what is sent after it."""
    if kind == "unknown":
        return Identity(root.certificate, ec.generate_private_key(ec.SECP256R1())), ()
    if kind in ("new-root", "new-root-unbridged"):
        new = new_root(root, since, keys)
        return new.issuer, (new.issuer.certificate, *((new.bridge,) if kind == "new-root" else ()))
    if kind == "new-root-impostor":
        other = new_root(root, since, keys, "impostor-root")
        return other.issuer, (other.issuer.certificate, other.root.certificate)
    return root, ()
