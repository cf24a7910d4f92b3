"""Keys and certificates of the lab by name, kept in one folder; unencrypted, because they sign lab material alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    def pem(self) -> str:
        """The certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True)
class Chain:
    """A signer, and the root that issued its certificate."""

    leaf: Identity
    intermediates: tuple[Identity, ...]
    root: Identity


class KeyStore:
    """Keys and certificates by name, made where they do not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def rsa(self, name: str, bits: int) -> rsa.RSAPrivateKey:
        held = self._held(name)
        if isinstance(held, rsa.RSAPrivateKey):
            return held
        made = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        write(self._folder / f"{name}.key.pem", packed(made))
        return made

    def curve(self, name: str) -> ec.EllipticCurvePrivateKey:
        held = self._held(name)
        if isinstance(held, ec.EllipticCurvePrivateKey):
            return held
        made = ec.generate_private_key(ec.SECP256R1())
        write(self._folder / f"{name}.key.pem", packed(made))
        return made

    def certificate(self, name: str, made: x509.CertificateBuilder, issuer: PrivateKey) -> x509.Certificate:
        """Load the certificate of that name, or sign the described one."""
        place = self._folder / f"{name}.crt.pem"
        if place.is_file():
            return x509.load_pem_x509_certificate(place.read_bytes())
        certificate = made.sign(issuer, hashes.SHA256())
        write(place, certificate.public_bytes(serialization.Encoding.PEM))
        return certificate

    def _held(self, name: str) -> object:
        place = self._folder / f"{name}.key.pem"
        if not place.is_file():
            return None
        place.chmod(0o600)  # earlier releases left it readable
        # Unchecked, because they are our own, and checking seven keys takes half of a second.
        return serialization.load_pem_private_key(place.read_bytes(), None, unsafe_skip_rsa_key_validation=True)


def packed(key: PrivateKey) -> bytes:
    """``key`` as PEM."""
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def write(place: Path, content: bytes) -> None:
    """Write a file in one step, so that a lab that is killed while it starts can start again.

    A file with the same content is left alone, because another process may be reading it.
    """
    private = b"PRIVATE KEY-----" in content
    if place.is_file() and place.read_bytes() == content:
        if private:
            place.chmod(0o600)
        return
    fresh = place.with_name(f".{place.name}.partial")
    fresh.unlink(missing_ok=True)
    fresh.touch(0o600 if private else 0o666)  # from its first byte on; otherwise every use of it would warn, rightly
    fresh.write_bytes(content)
    fresh.replace(place)
