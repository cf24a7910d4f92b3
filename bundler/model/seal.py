"""The signatures of a bundle: its seal, by its maker, and the approvals, by reviewers."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import Moment, frozen

Algorithm = Literal["rsa-sha256", "ecdsa-sha256", "ecdsa-sha384"]
"""How a key signs: RSA with PKCS #1 v1.5 padding, ECDSA on P-256, ECDSA on P-384."""


@frozen
class Signer:
    """A signing certificate, in the form that people compare."""

    name: str
    """Its subject, or the name that the definition gives an approver."""
    sha256: str
    """Fingerprint: SHA-256 of the certificate's DER, 64 lower-case hex digits."""
    not_before: Moment
    not_after: Moment
    """The last time at which its signatures are accepted; UTC."""
    algorithm: Algorithm


@frozen
class Seal:
    """The signer of the bundle: stated in the manifest, so that removing the signatures is detected."""

    signer: Signer
    issuers: tuple[str, ...] = ()
    """Fingerprints of the other certificates in each seal, sorted: they add no trust; none may be added or removed."""
    openpgp: str = ""
    """Fingerprint (40 upper-case hex digits) of the OpenPGP key that also signed; empty: none."""


@frozen
class Approval:
    """The approvals that a server requires besides the seal."""

    required: int
    """How many of ``approvers`` must have signed."""
    approvers: tuple[Signer, ...]


@frozen
class Form:
    """The bytes of a seal's file before its signature, for scripts: they can hash, but not parse DER."""

    size: int
    """Bytes of the whole file."""
    prefix_size: int
    """Bytes before the signature's value, which is the rest."""
    prefix_sha256: str


@frozen
class Recognised:
    """A signer, and every form that a seal by this signer can have."""

    signer: Signer
    forms: tuple[Form, ...]
    """One for each length that a signature may have."""


@frozen
class SignatureForms:
    """The forms of a signer's seals, as the manifest keeps them: a script's header shows them."""

    sha256: str
    """Fingerprint of the signer's certificate."""
    forms: tuple[Form, ...]


@frozen
class SealPolicy:
    """What a script on a server needs to verify a bundle's seal and approvals."""

    sealer: Recognised | None = None
    """None where the bundle is not signed."""
    openpgp: str = ""
    """Fingerprint of the OpenPGP key that also signed; its public key is ``evidence/sealer.gpg``."""
    required: int = 0
    """How many of ``approvers`` must have signed."""
    approvers: tuple[Recognised, ...] = ()
    serial: int = 0
    not_after: Moment | None = None
