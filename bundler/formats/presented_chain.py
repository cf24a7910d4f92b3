"""Reads the certificates that a TLS server presents: who says to have issued them, and their serial numbers.

Nothing is verified: a server can write any name into a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cryptography.x509.oid import NameOID

from bundler.formats import certificate, der
from bundler.formats.parse_error import ParseError

_VERSION = 0xA0
"""Tag of the version in front of the serial number (RFC 5280 section 4.1)."""
_INTEGER = 0x02
_SIGN = 0x80


@dataclass(frozen=True)
class Link:
    """One certificate of the chain."""

    subject: str
    """As in RFC 4514."""
    issuer: str
    """As in RFC 4514."""
    issuer_name: str
    """The issuer's common name, or the whole name if it has none."""
    issuer_organization: str
    """Empty if it has none."""


def read(chain: Iterable[bytes]) -> tuple[Link, ...]:
    """The certificates of ``chain`` (DER, the server's own first), up to one that cannot be read."""
    links = []
    with suppress(ParseError):
        for one in chain:
            links.append(link(one))  # noqa: PERF401  # those before the fault are kept
    return tuple(links)


def link(document: bytes) -> Link:
    """The certificate in ``document`` (DER). Raises ParseError."""
    found = certificate.loaded(document)
    subject, issuer = found.subject.rfc4514_string(), found.issuer.rfc4514_string()
    common = [str(each.value) for each in found.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
    organizations = found.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    organization = str(organizations[-1].value) if organizations else ""
    return Link(subject, issuer, (common or [issuer])[-1], organization)


def end(links: Sequence[Link]) -> Link:
    """The link where the chain ends: its issuer is not presented, or is itself.

    Servers send more than the one chain, and not always in order (RFC 8446 section 4.4.2).
    """
    by_subject = {link.subject: link for link in reversed(links)}
    last, seen = links[0], {links[0].subject}
    while last.issuer in by_subject and last.issuer not in seen:
        last = by_subject[last.issuer]
        seen.add(last.subject)
    return last


def has_negative_serial(document: bytes) -> bool:
    """Whether the serial number of the certificate in ``document`` (DER) is negative; False if it cannot be read.

    RFC 5280 section 4.1.2.2 wants a positive one; in two's complement (X.690 section 8.3) the first bit is the sign.
    """
    try:
        fields = der.elements(der.first(der.first(document).contents).contents)
    except ValueError:
        return False
    serial = next((field for field in fields if field.tag != _VERSION), None)
    return bool(serial and serial.tag == _INTEGER and serial.contents and serial.contents[0] & _SIGN)
