"""The interface of a signing key with its certificate, wherever the key is stored.

A file, a token and an external program all are a :class:`SigningKey`. None is trusted blindly: :func:`checked` verifies
each signature with the certificate's public key, so that no bundle leaves with a seal that its certificate does not
verify.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography import x509

from bundler.errors import SigningError
from bundler.model.seal import Algorithm
from bundler.trust.public_key import verifies


class SigningKey(Protocol):
    """A key that signs, with its certificate."""

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The signer's, then its issuer's, and so on; a root may be missing."""

    @property
    def algorithm(self) -> Algorithm:
        """The key's signature algorithm."""

    def sign(self, content: bytes) -> bytes:
        """Sign ``content``, which is hashed here.

        RSA: the raw signature (RFC 8017 section 8.2, PKCS #1 v1.5), as long as the modulus. ECDSA: DER of
        Ecdsa-Sig-Value (RFC 3279 section 2.2.3). Raises :class:`~bundler.errors.SigningError`.
        """


class OpenPgpSigner(Protocol):
    """An OpenPGP key that signs in addition."""

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
    """The keys that seal a bundle."""

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
                "what was signed does not verify with the certificate of the key",
                details=[
                    f"certificate: {self.certificates[0].subject.rfc4514_string()}",
                    f"algorithm: {self.algorithm}; the signature has {len(signature)} bytes",
                ],
                do="give the certificate that belongs to the key; nothing was sealed",
            )
        return signature


def checked(key: SigningKey) -> SigningKey:
    """``key`` with a check: each signature is verified before it is returned."""
    return key if isinstance(key, _Checked) else _Checked(key)
