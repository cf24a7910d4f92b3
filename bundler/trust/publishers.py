"""Compares the signer of a file with the trusted publishers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from bundler.errors import VerificationError
from bundler.formats.certificate import parse_fingerprint
from bundler.model.anchor import Publisher
from bundler.trust import certificate_path

ANY: Final = "*"
"""In the place of both names of a publisher: any that the roots certify for code."""
_BY_FINGERPRINT: Final = "sha256:"
"""Before the SHA-256 of a certificate, in the place of a common name."""


def require(leaf: x509.Certificate, publishers: Sequence[Publisher]) -> tuple[str, ...]:
    """Require the certificate of a trusted publisher; the result notes where any is accepted.

    Raises:
        VerificationError: ``wrong-publisher``.
    """
    for publisher in publishers:
        if _is(leaf, publisher):
            return ("any publisher under the given roots is accepted",) if publisher.common_name == ANY else ()
    raise VerificationError(
        f"the file is signed by {certificate_path.name_of(leaf)}, which is not a trusted publisher",
        reason="wrong-publisher",
        details=_found(leaf, publishers),
    )


def _found(leaf: x509.Certificate, publishers: Sequence[Publisher]) -> list[str]:
    """The signer's fingerprint, except where the person gave one: then it must come through a separate channel."""
    if any(one.common_name.startswith(_BY_FINGERPRINT) for one in publishers):
        return []
    return [f"signed by sha256:{certificate_path.fingerprint(leaf)}"]


def named(text: str) -> tuple[Publisher, ...]:
    """The publishers that a person may mean by ``text``; none where it is empty.

    That is the SHA-256 of a certificate; or a common name, with the organization of the same name or without one; or
    both names with a slash between. Names have slashes too: then every way to read it counts.
    """
    fingerprint = parse_fingerprint(text)
    if fingerprint:
        return (Publisher(common_name=f"{_BY_FINGERPRINT}{fingerprint}", organization=""),)
    pairs = [(text, text), (text, "")]
    pairs += [(text[:at], text[at + 1 :]) for at, letter in enumerate(text) if letter == "/"]
    return tuple(
        Publisher(common_name=name, organization=organization)
        for name, organization in pairs
        if name and (name, organization) != (ANY, ANY)
    )


def _is(leaf: x509.Certificate, publisher: Publisher) -> bool:
    if publisher.common_name.startswith(_BY_FINGERPRINT) and not publisher.organization:
        return publisher.common_name == f"{_BY_FINGERPRINT}{certificate_path.fingerprint(leaf)}"
    if (publisher.common_name, publisher.organization) == (ANY, ANY):
        return True
    wanted = [[publisher.common_name], [publisher.organization] if publisher.organization else []]
    names = [
        [attribute.value for attribute in leaf.subject.get_attributes_for_oid(kind)]
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    ]
    carried = certificate_path.purposes(leaf) or frozenset()
    return names == wanted and carried >= set(publisher.key_purposes)
