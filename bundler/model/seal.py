"""Who vouches for a bundle: its sealer, and the reviewers who must have approved it."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import Moment, frozen

Algorithm = Literal["rsa-sha256", "ecdsa-sha256", "ecdsa-sha384"]
"""How a key signs: RSA with PKCS #1 v1.5 padding, ECDSA on P-256, ECDSA on P-384."""


@frozen
class Signer:
    """A certificate that signs, as people compare it."""

    name: str
    """Its subject, or the name that the definition gives an approver."""
    sha256: str
    """Fingerprint: SHA-256 of the certificate's DER, 64 lower-case hex digits."""
    not_before: Moment
    not_after: Moment
    """Last moment that its signatures are accepted; UTC."""
    algorithm: Algorithm


@frozen
class Seal:
    """Who sealed: stated in the manifest, so that taking the signatures away is seen."""

    signer: Signer
    issuers: tuple[str, ...] = ()
    """Fingerprints of the further certificates in each seal, sorted: they add no trust, and none may come or go."""
    openpgp: str = ""
    """Fingerprint (40 upper-case hex digits) of the OpenPGP key that signed as well; empty: none did."""


@frozen
class Approval:
    """Whose word is needed besides the sealer's."""

    required: int
    """How many of ``approvers`` must have signed."""
    approvers: tuple[Signer, ...]


@frozen
class Form:
    """What a seal's file looks like before its signature: for a script that can hash, and cannot read DER."""

    size: int
    """Bytes of the whole file."""
    prefix_size: int
    """Bytes before the signature's value, which is the rest."""
    prefix_sha256: str


@frozen
class Recognised:
    """A signer, and every form that a seal of theirs can have."""

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
    """All that a script on a server must know to believe a bundle's seal."""

    sealer: Recognised | None = None
    """None where nobody sealed it."""
    openpgp: str = ""
    """Fingerprint of the OpenPGP key that sealed as well; its public key is ``evidence/sealer.gpg``."""
    required: int = 0
    """How many of ``approvers`` must have signed."""
    approvers: tuple[Recognised, ...] = ()
    serial: int = 0
    not_after: Moment | None = None
