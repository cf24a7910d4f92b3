"""Signs the bundle's PowerShell scripts, for servers with the execution policy ``AllSigned``.

Authenticode as ``Set-AuthenticodeSignature`` writes it (about_Signing, learn.microsoft.com; "Windows Authenticode
Portable Executable Signature Format", Microsoft, 2008), by any :class:`~bundler.signing.signing_key.SigningKey`. There
is no timestamp: a signature is valid as long as its certificate, and the same key and script give the same bytes unless
the key's algorithm is randomized. Every signature is verified before it leaves.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509

from bundler.errors import SigningError, VerificationError
from bundler.formats import authenticode as der
from bundler.formats import cms
from bundler.formats import powershell_signature as block
from bundler.formats.certificate import fingerprint
from bundler.model.seal import Algorithm
from bundler.signing import authenticode_writer as writing
from bundler.signing.signing_key import SigningKey
from bundler.trust import authenticode, certificate_path, certificate_policy

SUFFIX: Final = ".ps1"
"""File names with this ending are signed."""

_DESCRIPTION: Final = "Azure Arc onboarding, made by arc-bundler"
"""The program's name, which Windows shows with the publisher's."""


def require_ready(key: SigningKey, at: datetime) -> None:
    """Require a key for scripts that servers run ``at`` that time. Raises :class:`SigningError`."""
    leaf = key.certificates[0]
    found = [(f"{problem.what}.", problem.do) for problem in certificate_policy.faults(leaf, key.certificates[1:], at)]
    if not found:
        try:
            certificate_path.check_alone(leaf, authenticode.CODE_SIGNING, at)
        except VerificationError as error:
            do = "give a certificate with codeSigning in its extended key usage, which is not a CA's (docs/sealing.md)"
            found = [(f"{error.what}.", do)]
    if found:
        raise SigningError(
            "this certificate is not valid for signing scripts",
            details=[f"certificate: {certificate_policy.display_name(leaf)}", *(what for what, _ in found)],
            do=found[0][1],
        )


def sign(script: bytes, key: SigningKey, *, at: datetime) -> bytes:
    """Sign a script.

    Args:
        script: its bytes, unsigned.
        key: for signing.
        at: time now, with zone: the certificate must be valid, and the new signature is verified at this time.

    Returns:
        The script with its signature block.

    Raises:
        SigningError: the key may not sign scripts, or the script is signed already.
        VerificationError: the script is not text.
    """
    require_ready(key, at)
    attributes = _attributes(_content(script, key.algorithm), key.algorithm)
    signed = _with(script, key.certificates, key.algorithm, key.sign(attributes))
    require_signed(signed, _sha256(key), at=at)
    return signed


def require_signed(script: bytes, sha256: str, *, at: datetime) -> None:
    """Require a script that was signed by the certificate with this fingerprint, as :func:`sign` writes it.

    Raises :class:`VerificationError`.
    """
    authenticode.verify_pinned(io.BytesIO(script), "ps1", sha256=sha256, at=at)
    pkcs7 = block.SignedScript(io.BytesIO(script)).pkcs7
    if _rewritten(der.read_signature(pkcs7)) != pkcs7:
        raise VerificationError(
            "the signature of the script is malformed: arc-bundler writes it in another form",
            reason="malformed",
            do="do not run it; ask the person who built the bundle",
        )


def is_signed_by(signed: bytes, script: bytes, key: SigningKey, *, at: datetime) -> bool:
    """Whether ``signed`` is a result of :func:`sign` for ``script``, even if the key's algorithm is randomized.

    The key is not used: every byte except the signature's value follows from script and certificates, and the value
    verifies with the key's certificate.
    """
    try:
        require_signed(signed, _sha256(key), at=at)
        (signer,) = der.read_signature(block.SignedScript(io.BytesIO(signed)).pkcs7).signers
    except VerificationError:
        return False
    return signed == _with(script, key.certificates, key.algorithm, signer.signature)


def _rewritten(found: der.Signature) -> bytes:
    """A verified signature, encoded again from its signed parts and certificates: readers ignore anything else."""
    (signer,) = found.signers
    info = writing.signer_info(
        signer.issuer,
        signer.serial,
        algorithm=signer.digest_algorithm,
        rsa=signer.signature_algorithm == "rsassa_pkcs1v15",
        attributes=signer.signed_bytes,
        value=signer.signature,
    )
    content = writing.sequence(found.content)
    return writing.signed_data(1, found.content_type, content, found.certificates, [info], signer.digest_algorithm)


def unsigned(script: bytes) -> str:
    """The text of a script that is not signed. Raises SigningError if it is, VerificationError if it is not text."""
    text = block.decode(script)
    if block.BEGIN in text:
        raise SigningError("the script is signed already")
    return text


def _with(script: bytes, certificates: Sequence[x509.Certificate], algorithm: Algorithm, value: bytes) -> bytes:
    content, digest = _content(script, algorithm), cms.DIGESTS[algorithm]
    info = writing.signer_info(
        certificates[0].issuer.public_bytes(),
        certificates[0].serial_number,
        algorithm=digest,
        rsa=algorithm == "rsa-sha256",
        attributes=_attributes(content, algorithm),
        value=value,
    )
    # All except a root above the signer: a server trusts only its own copy of it.
    travelling = [one for one in certificates if one is certificates[0] or one.issuer != one.subject]
    pkcs7 = writing.signed_data(1, der.SPC_INDIRECT_DATA, content, writing.encoded(travelling), [info], digest)
    return block.with_block(script, pkcs7)


def _content(script: bytes, algorithm: Algorithm) -> bytes:
    digest = cms.DIGESTS[algorithm]
    return writing.indirect_data("ps1", block.text_digest(unsigned(script), digest), digest)


def _attributes(content: bytes, algorithm: Algorithm) -> bytes:
    return writing.signed_attributes(
        cms.DIGESTS[algorithm], der.SPC_INDIRECT_DATA, writing.inside(content), writing.file_attributes(_DESCRIPTION)
    )


def _sha256(key: SigningKey) -> str:
    return fingerprint(key.certificates[0])
