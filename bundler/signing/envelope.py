"""Encrypts a secret for the servers of a bundle, signed by the bundle's sealer.

1. The payload, a few lines of text, names the bundle, the recipients and an expiry: so an envelope is of no use for
   another bundle, another recipient or a later time.
2. The sealer signs it as a CMS message that holds it (RFC 5652 section 5). The signature is inside because CBC does not
   authenticate: the recipient verifies after decrypting who sent the secret, and that no byte was changed.
3. That is encrypted as CMS EnvelopedData (section 6): AES-256-CBC, its key for each recipient under RSA with PKCS #1
   v1.5 (RFC 8017 section 7.2): the forms that ``openssl cms`` and every .NET ``EnvelopedCms`` decrypt.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from bundler.errors import SigningError
from bundler.formats.certificate import fingerprint
from bundler.signing.cms_writer import sign_attached
from bundler.signing.signing_key import SigningKey
from bundler.trust.certificate_policy import display_name

Kind = Literal["secret", "token", "certificate"]
"""A service principal's secret, an access token, or a certificate with its key (PKCS #12 or PEM)."""

FIRST_LINE = "arc-bundler envelope 1"
LEAST_RSA = 2048


@dataclass(frozen=True)
class EnvelopePayload:
    """The plaintext of an envelope."""

    bundle: str
    """The bundle's name; any version of it may open the envelope."""
    kind: Kind
    expires: datetime
    """UTC, whole seconds; scripts refuse the envelope afterwards."""
    secret: bytes = field(repr=False)

    def text(self, recipients: Sequence[x509.Certificate]) -> bytes:
        """The payload as lines of ``name: value``, which bash and PowerShell both parse without a library."""
        lines = (
            FIRST_LINE,
            f"bundle: {self.bundle}",
            f"kind: {self.kind}",
            f"expires: {int(self.expires.timestamp())}",
            *(f"for: {fingerprint(one)}" for one in recipients),
            f"secret: {base64.b64encode(self.secret).decode()}",
        )
        return "\n".join((*lines, "")).encode()


def encrypt(payload: EnvelopePayload, recipients: Sequence[x509.Certificate], key: SigningKey) -> bytes:
    """Sign the payload and encrypt it for each recipient.

    Args:
        payload: the secret with its bundle and expiry.
        recipients: certificates that passed :func:`require_recipient`.
        key: the sealer's.

    Returns:
        The envelope in DER.

    Raises:
        SigningError: as the key raises it.
    """
    text = payload.text(recipients)
    signed = sign_attached(text, key)
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(signed).set_content_encryption_algorithm(algorithms.AES256)
    for recipient in recipients:
        builder = builder.add_recipient(recipient)
    return builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def require_recipient(certificate: x509.Certificate, *, at: datetime, until: datetime) -> None:
    """Require a certificate that an envelope can be encrypted for.

    RSA of 2048 bits or more; keyUsage, if present, with keyEncipherment (RFC 5280 section 4.2.1.3); valid from ``at``
    until the envelope expires. Raises :class:`SigningError`.
    """
    problem = _problem(certificate, at, until)
    if problem:
        raise SigningError(
            f"no envelope can be encrypted for {display_name(certificate)}: {problem}",
            do="give an RSA encryption certificate of the servers, or use `--with-passphrase`",
        )


def _problem(certificate: x509.Certificate, at: datetime, until: datetime) -> str:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < LEAST_RSA:
        return f"its key is not RSA with {LEAST_RSA} bits or more"
    try:
        enciphers = certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment
    except x509.ExtensionNotFound:
        enciphers = True
    except ValueError:
        enciphers = False
    if not enciphers:
        return "its key usage lacks keyEncipherment"
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        return "it is not valid now"
    if certificate.not_valid_after_utc < until:
        return f"it expires on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, before the envelope"
    return ""
