"""Compares the signer of a file with the trusted publishers."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from bundler.errors import VerificationError
from bundler.model.anchor import Publisher
from bundler.trust import certificate_path


def require(leaf: x509.Certificate, publishers: tuple[Publisher, ...]) -> None:
    """Require the certificate of a trusted publisher. Raises ``wrong-publisher``."""
    purposes = certificate_path.purposes(leaf) or frozenset()
    names = [
        [attribute.value for attribute in leaf.subject.get_attributes_for_oid(kind)]
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    ]
    for publisher in publishers:
        if names == [[publisher.common_name], [publisher.organization]] and purposes >= set(publisher.key_purposes):
            return
    raise VerificationError(
        f"the file is signed by {certificate_path.name_of(leaf)}, which is not a trusted publisher",
        reason="wrong-publisher",
    )
