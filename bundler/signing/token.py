"""Signs with a private key in a PKCS #11 token, and finds the key and its certificate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asn1crypto.core import OctetString
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bundler.errors import SigningError
from bundler.formats.signature_encoding import from_numbers
from bundler.model.seal import Algorithm
from bundler.signing import certificates, token_session
from bundler.signing.keys import Passphrase
from bundler.signing.signing_key import SigningKey, checked
from bundler.signing.token_session import pkcs11_errors
from bundler.signing.token_uri import TokenUri
from bundler.trust import certificate_policy
from bundler.trust.public_key import digest_of

_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""The prefix of a SHA-256 digest in PKCS #1 v1.5 (RFC 8017 section 9.2, note 1)."""
_CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
}
"""By their EC parameters: DER of the curve's name (RFC 5480 section 2.1.1.1)."""


@dataclass(frozen=True)
class _TokenKey:
    certificates: tuple[x509.Certificate, ...]
    algorithm: Algorithm
    key: Any
    hashes_itself: bool
    """Whether the token hashes and pads in one mechanism. Tokens with it may refuse to pad a digest made elsewhere."""
    pin: Callable[[], str] | None
    """For a key that needs the PIN for each signature (CKA_ALWAYS_AUTHENTICATE); otherwise None."""

    def sign(self, content: bytes) -> bytes:
        from pkcs11 import Mechanism

        more = {"pin": self.pin()} if self.pin else {}
        digest = hashlib.new(digest_of(self.algorithm).name, content).digest()
        with pkcs11_errors("the token failed to sign"):
            if self.algorithm != "rsa-sha256":
                return from_numbers(self.key.sign(digest, mechanism=Mechanism.ECDSA, **more))
            if self.hashes_itself:
                return bytes(self.key.sign(content, mechanism=Mechanism.SHA256_RSA_PKCS, **more))
            return bytes(self.key.sign(_DIGEST_INFO + digest, mechanism=Mechanism.RSA_PKCS, **more))


def read(uri: TokenUri, certificate_file: Path | None, pin: Passphrase, *, module: str) -> SigningKey:
    """Open a session with a token and find the private key that ``uri`` names.

    1. Load the PKCS #11 library and find the one token.
    2. Open a session and log in, which makes private objects visible.
    3. Find the one private key, RSA or EC.
    4. Find its certificate, in the file or in the token under the same CKA_ID, and its issuers.
    5. Ask the token how the key signs: whether it hashes itself, and whether it needs the PIN each time.

    The session lasts as long as the program.

    Args:
        uri: names token and key.
        certificate_file: with the certificate and its issuers; None if they are in the token.
        pin: called if the token requires a login and has no PIN pad.
        module: path of the PKCS #11 library if the address names none.

    Raises:
        SigningError: no or several tokens, keys or certificates fit, or the token reports an error.
    """
    token = token_session.find(token_session.library(uri.module_path or module), uri)
    session = token_session.opened(token, pin)
    key = _key(session, uri)
    chain = _chain(session, key, certificate_file)
    algorithm = certificate_policy.algorithm_of(chain[0])
    from pkcs11 import Attribute, Mechanism

    with pkcs11_errors("the token does not list its mechanisms"):
        hashes_itself = Mechanism.SHA256_RSA_PKCS in token.slot.get_mechanisms()
        each_time = bool(_attribute(key, Attribute.ALWAYS_AUTHENTICATE))
    return checked(_TokenKey(chain, algorithm, key, hashes_itself, pin if each_time else None))


def _key(session: Any, uri: TokenUri) -> Any:
    from pkcs11 import Attribute, KeyType, ObjectClass

    wanted: dict[Any, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    with pkcs11_errors("the token does not list its keys"):
        every = list(session.get_objects(dict(wanted)))
        wanted |= {Attribute.LABEL: uri.object} if uri.object else {}
        wanted |= {Attribute.ID: uri.id} if uri.id else {}
        found = list(session.get_objects(wanted))
        shown = [f"key: {_address(key)}" for key in found or every][:20]
    if not found:
        raise SigningError(
            "the token has no such private key", details=shown, do="correct object= or id= in the address"
        )
    if len(found) > 1:
        raise SigningError("several keys of the token match the address", details=shown, do="add id=... to the address")
    if found[0].key_type not in (KeyType.RSA, KeyType.EC):
        raise SigningError("the token's key is of a type that cannot seal", details=shown, do="use RSA, P-256 or P-384")
    return found[0]


def _address(key: Any) -> str:
    from pkcs11 import Attribute

    identity = "".join(f"%{byte:02x}" for byte in _attribute(key, Attribute.ID) or b"")
    return f"object={_attribute(key, Attribute.LABEL) or ''!a};id={identity}"


def _attribute(found: Any, name: Any) -> Any:
    """An attribute of an object; None if the token does not reveal it."""
    from pkcs11 import PKCS11Error

    try:
        return found[name]
    except PKCS11Error:
        return None


def _chain(session: Any, key: Any, certificate_file: Path | None) -> tuple[x509.Certificate, ...]:
    from pkcs11 import Attribute

    public = _public(session, key)
    if certificate_file:
        given: Sequence[x509.Certificate] = certificates.read(certificate_file)
        place: Path | str = certificate_file
    else:
        place = "the token"
        given = _held(session, _attribute(key, Attribute.ID), public is None)
        if not given:
            raise SigningError(
                "the token holds no certificate for its key", do="give it with `--seal-certificate FILE`"
            )
    if public is None:  # some tokens hide it; then a wrong certificate is detected at the first signature
        return certificates.chain_of_leaf(given, place)
    return certificates.chain_of(public, given, place)


def _held(session: Any, identity: bytes | None, matching: bool) -> list[x509.Certificate]:
    """The token's certificates; with ``matching`` only those with the key's CKA_ID."""
    from pkcs11 import Attribute, ObjectClass

    wanted: dict[Any, Any] = {Attribute.CLASS: ObjectClass.CERTIFICATE}
    wanted |= {Attribute.ID: identity} if matching and identity else {}
    with pkcs11_errors("the token does not list its certificates"):
        documents = [bytes(found[Attribute.VALUE]) for found in session.get_objects(wanted)]
    return [one for der in documents for one in certificates.parse(der, "the token")]


def _public(session: Any, key: Any) -> object:
    """The public key of ``key``; None if the token does not reveal it."""
    from pkcs11 import Attribute, KeyType, ObjectClass

    if key.key_type == KeyType.RSA:
        modulus, exponent = _attribute(key, Attribute.MODULUS), _attribute(key, Attribute.PUBLIC_EXPONENT)
        if not modulus or not exponent:
            return None
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
        try:
            return numbers.public_key()
        except ValueError:
            return None
    identity = _attribute(key, Attribute.ID)
    wanted: dict[Any, Any] = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: identity}
    with pkcs11_errors("the token does not list its keys"):
        found = list(session.get_objects(wanted)) if identity else []
    return _point(found[0]) if len(found) == 1 else None


def _point(found: Any) -> ec.EllipticCurvePublicKey | None:
    """PKCS #11 v2.40 section 2.3.3: CKA_EC_POINT is DER of an OCTET STRING; some tokens return only its content."""
    from pkcs11 import Attribute

    point, curve = _attribute(found, Attribute.EC_POINT), _CURVES.get(_attribute(found, Attribute.EC_PARAMS) or b"")
    if not point or curve is None:
        return None
    with suppress(ValueError):
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    with suppress(ValueError, TypeError):
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, bytes(OctetString.load(point).native))
    return None
