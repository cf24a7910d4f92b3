"""Small sealed bundles, by any kind of key, and keys and certificates with every fault that a test wants."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bundler.flow.build import seal_policy
from bundler.formats.armor import armor
from bundler.integrity import sums
from bundler.model.manifest import Manifest
from bundler.model.seal import Algorithm, Approval, SealPolicy
from bundler.model.tree import Entry
from bundler.pack import manifest as manifests
from bundler.products.arc_server import scripts
from bundler.products.arc_server.script_parameters import ScriptParameters
from bundler.signing import cms_writer, seal
from bundler.signing.signing_key import Sealer
from bundler.trust import signer_identity
from bundler.trust.public_key import digest_of
from tests.support import package_signing as openpgp
from tests.support import sample_bundles as sample
from tests.support import shared

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)

_ALGORITHMS: dict[str, Algorithm] = {
    "rsa2048": "rsa-sha256",
    "rsa3072": "rsa-sha256",
    "rsa4096": "rsa-sha256",
    "p256": "ecdsa-sha256",
    "p384": "ecdsa-sha384",
}


@cache
def private_key(kind: str, name: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """One key for each ``name``."""
    if kind.startswith("rsa"):
        return shared.rsa_key(f"sealed-{name}", int(kind.removeprefix("rsa")))
    return ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())


@cache
def certificate(
    kind: str, name: str, begins: datetime = NOW - DAY, ends: datetime = NOW + 365 * DAY, issuer: str = ""
) -> x509.Certificate:
    """A certificate of the key called ``name``, for signing code; by itself, or by ``issuer``, an RSA 2048 key."""

    def called(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    key = private_key("rsa2048", issuer) if issuer else private_key(kind, name)
    return (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issuer or name))
        .public_key(private_key(kind, name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def impostor(own: Signer, name: str) -> x509.Certificate:
    """A certificate of another key with the names and the serial number of ``own``'s."""
    held = own.certificates[0]
    key = private_key("rsa2048", name)
    return (
        x509.CertificateBuilder()
        .subject_name(held.subject)
        .issuer_name(held.issuer)
        .public_key(key.public_key())
        .serial_number(held.serial_number)
        .not_valid_before(held.not_valid_before_utc)
        .not_valid_after(held.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )


@dataclass(frozen=True)
class Signer:
    """A key in memory, as :class:`bundler.signing.signing_key.SigningKey` has it."""

    kind: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificates: tuple[x509.Certificate, ...]

    @property
    def algorithm(self) -> Algorithm:
        return _ALGORITHMS[self.kind]

    @property
    def fingerprint(self) -> str:
        return signer_identity.signer(self.certificates[0]).sha256

    def sign(self, content: bytes) -> bytes:
        digest = digest_of(self.algorithm)
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(content, padding.PKCS1v15(), digest)
        return self.private.sign(content, ec.ECDSA(digest))


def signer(kind: str = "rsa2048", name: str = "LAB sealer", *, issuer: str = "", **validity: datetime) -> Signer:
    """A key with its certificate, and its issuer's behind it."""
    own = certificate(kind, name, issuer=issuer, **validity)
    above = (certificate("rsa2048", issuer),) if issuer else ()
    return Signer(kind, private_key(kind, name), (own, *above))


@dataclass(frozen=True)
class OpenPgp:
    """An OpenPGP key of the tests, as :class:`bundler.signing.signing_key.OpenPgpSigner` has it."""

    key: openpgp.Key = field(default_factory=openpgp.Key)

    @property
    def certificate(self) -> bytes:
        return armor(self.key.certificate(), "PGP PUBLIC KEY BLOCK").encode()

    @property
    def fingerprint(self) -> str:
        return self.key.fingerprint

    def sign(self, content: bytes) -> bytes:
        return armor(self.key.detached(content, NOW), "PGP SIGNATURE").encode()


@dataclass(frozen=True)
class Recipe:
    """What a bundle is to be."""

    sealer: Signer | None = None
    openpgp: OpenPgp | None = None
    approvers: Sequence[Signer] = ()
    required: int = 0
    approved: Sequence[Signer] = ()
    serial: int = 0
    not_after: datetime | None = None
    lab: bool = False
    parameters: ScriptParameters = sample.SECRET
    pins: tuple = (sample.DEB, sample.RPM, sample.MSI)
    extra: Mapping[str, bytes] | None = None

    def vouching(self) -> SealPolicy:
        return SealPolicy(
            sealer=signer_identity.recognised(self.sealer.certificates) if self.sealer else None,
            openpgp=self.openpgp.fingerprint if self.openpgp else "",
            required=self.required,
            approvers=tuple(
                signer_identity.recognised(one.certificates[:1], name=f"Approver {at}")
                for at, one in enumerate(self.approvers)
            ),
            serial=self.serial,
            not_after=self.not_after,
        )


def contents(recipe: Recipe) -> dict[str, bytes]:
    """Every file of such a bundle, by path."""
    vouching = recipe.vouching()
    sealer = Sealer(recipe.sealer, recipe.openpgp) if recipe.sealer else None
    held = {one.path: f"not the certificate {one.sha256}\n".encode() for one in recipe.parameters.certificates}
    rendered = scripts.entries(
        recipe.parameters,
        recipe.pins,
        name="arc-tokyo",
        version="2026.11.22",
        lab=recipe.lab,
        tool="arc-bundler 0",
        extra={"config/endpoints.json": b"{}\n", **held, **(recipe.extra or {})},
        seal_policy=vouching,
    )
    packages = {pin.path: sample.PACKAGES[pin.kind] for pin in recipe.pins}
    packages |= seal.keyring(sealer) if sealer else {}
    entries = (*rendered, *(Entry(path, content) for path, content in packages.items()))
    described = Manifest(
        name="arc-tokyo",
        version="2026.11.22",
        product="arc-server",
        created=NOW,
        tool="arc-bundler 0",
        lab=recipe.lab,
        serial=recipe.serial,
        not_after=recipe.not_after,
        seal=seal.describe(sealer) if sealer else None,
        approval=Approval(required=recipe.required, approvers=tuple(one.signer for one in vouching.approvers))
        if recipe.required
        else None,
        signature_forms=seal_policy.signature_forms(vouching),
        targets=(),
        parameters={},
        anchors="LAB",
        anchors_sha256="0" * 64,
        lock_sha256="0" * 64,
        pins=recipe.pins,
        files=(),
    )
    tree = manifests.assemble(described, entries, name="arc-tokyo-2026.11.22", time=NOW)
    files = {entry.path: entry.content for entry in tree.entries if isinstance(entry.content, bytes)}
    if sealer:
        files |= seal.seals({path: files[path] for path in (sums.SUMS, sums.MANIFEST)}, sealer)
    for one in recipe.approved:
        files[sums.approval(one.fingerprint)] = approval(files[sums.SUMS], one)
    return files


def approval(document: bytes, by: Signer) -> bytes:
    """An approval of the sums ``document``."""
    return cms_writer.sign_detached(document, replace(by, certificates=by.certificates[:1]))


def write(folder: Path, recipe: Recipe) -> Path:
    """The bundle as a folder."""
    for path, content in contents(recipe).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
