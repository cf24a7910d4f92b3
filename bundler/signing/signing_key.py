"""What is it that signs: a key with its certificate, wherever the key rests?

A file, a token or a program of somebody else's: all are one :class:`SigningKey`. None is believed blindly:
:func:`checked` verifies each signature with the certificate's public key before it is given out, so that a bundle
never leaves with a seal that its own certificate refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography import x509

from bundler.errors import SigningError
from bundler.model.seal import Algorithm
from bundler.trust.public_key import verifies


class SigningKey(Protocol):
    """A key that signs, and the certificate that says whose it is."""

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The signer's, then its issuer's, and so on; a root may be missing."""

    @property
    def algorithm(self) -> Algorithm:
        """How the key signs."""

    def sign(self, content: bytes) -> bytes:
        """Sign ``content``, whose digest is taken here.

        RSA: the raw signature (RFC 8017 section 8.2, PKCS #1 v1.5), as long as the modulus. ECDSA: DER of
        Ecdsa-Sig-Value (RFC 3279 section 2.2.3). Raises :class:`~bundler.errors.SigningError`.
        """


class OpenPgpSigner(Protocol):
    """An OpenPGP key that signs besides."""

    @property
    def certificate(self) -> bytes:
        """The public key, armored."""

    @property
    def fingerprint(self) -> str:
        """40 (version 4) or 64 (version 6) upper-case hex digits."""

    def sign(self, content: bytes) -> bytes:
        """Make a detached, armored signature of ``content``. Raises :class:`~bundler.errors.SigningError`."""


@dataclass(frozen=True)
class Sealer:
    """Who seals a bundle."""

    key: SigningKey
    openpgp: OpenPgpSigner | None = None


@dataclass(frozen=True)
class _Checked:
    inner: SigningKey

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        return self.inner.certificates

    @property
    def algorithm(self) -> Algorithm:
        return self.inner.algorithm

    def sign(self, content: bytes) -> bytes:
        signature = self.inner.sign(content)
        if not verifies(self.certificates[0], self.algorithm, signature, content):
            raise SigningError(
                "what was signed does not verify with the certificate that shall stand for it",
                details=[
                    f"certificate: {self.certificates[0].subject.rfc4514_string()}",
                    f"algorithm: {self.algorithm}; the signature has {len(signature)} bytes",
                ],
                do="give the certificate that belongs to the key; nothing was sealed",
            )
        return signature


def checked(key: SigningKey) -> SigningKey:
    """``key``, each of whose signatures is verified before it is given out."""
    return key if isinstance(key, _Checked) else _Checked(key)
