"""Reads the roots and intermediates that travel with a bundle.

A definition names files, or roots of the built-in table. The certificates of newer roots ship with this program, each
pinned by its SHA-256; the others come from certifi, Mozilla's selection, and are taken only where the thumbprint fits.
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path as FilePath

import certifi

from bundler.definition.rules import Finding, Path, warning
from bundler.errors import DefinitionError
from bundler.formats import certificate
from bundler.formats.certificate import Certificate
from bundler.formats.parse_error import ParseError
from bundler.products.arc_server import tables
from bundler.products.arc_server.root_table import Root
from bundler.products.arc_server.script_parameters import CarriedCertificate, HeldCertificate

_RFC = "RFC 5280 section 4.2.1.9"


def from_file(path: Path, name: str, document: bytes, today: date) -> tuple[HeldCertificate | None, list[Finding]]:
    """The certificate in the file called ``name``, and what is wrong with it; ``path`` is its place in the definition.

    It must be an authority's: whatever else is trusted by machine would verify itself alone. One that has expired
    is a warning, since a verifier may still want it for a chain of the past.
    """
    try:
        found = certificate.read(document)
    except ParseError as fault:
        return None, [Finding(path, f"{name} {fault}", "one certificate in PEM or DER")]
    findings = []
    if not (found.authority and found.signs_certificates):
        message = f"{found.name!r} is not the certificate of a certificate authority"
        findings.append(Finding(path, message, "a root, or an intermediate", _RFC))
    return _held(found), [*findings, *_dates(path, found, today)]


def builtin(path: Path, name: str, today: date) -> tuple[HeldCertificate | None, list[Finding]]:
    """The root called ``name`` in the table; a finding where certifi, which should have it, no longer has it."""
    root = tables.roots().find(name)
    if root is None:  # the rule about names has said so
        return None, []
    if root.file:
        found = certificate.described(shipped(root))
        return _held(found), _dates(path, found, today)
    der = _selection().get(root.sha1)
    if der is None:
        message = f"{name} ({root.sha1}) is not in the certifi {certifi.__version__} that is installed here"
        return None, [Finding(path, message, "file: FILE, from the authority's own site", tables.roots().source)]
    found = certificate.read(der)
    return _held(found), _dates(path, found, today)


def shipped(root: Root) -> bytes:
    """The DER of ``root``, a file of this program.

    Raises:
        DefinitionError: the installed file is not the certificate that the table pins.
    """
    document = (files("bundler.data.tls_roots") / root.file).read_bytes()
    (der,) = certificate.in_pem(document)
    if hashlib.sha256(der).hexdigest() != root.sha256:
        raise DefinitionError(f"the installed {root.file} is not {root.name}", do="reinstall arc-bundler")
    return der


@cache
def _selection() -> dict[str, bytes]:
    """Certifi's certificates by thumbprint."""
    document = FilePath(certifi.where()).read_bytes()
    return {certificate.thumbprint(der): der for der in certificate.in_pem(document)}


def _held(found: Certificate) -> HeldCertificate:
    described = CarriedCertificate(
        path=f"payload/certificates/{found.sha256}.pem",
        name=found.name,
        sha1=found.sha1,
        sha256=found.sha256,
        store="root" if found.self_signed else "ca",
    )
    return HeldCertificate(described, found.pem)


def _dates(path: Path, found: Certificate, today: date) -> list[Finding]:
    if found.ends.date() < today:
        return [warning(path, f"{found.name!r} has expired on {found.ends.date()}", "one that is valid")]
    if found.starts.date() > today:
        return [warning(path, f"{found.name!r} is not valid before {found.starts.date()}", "one that is valid")]
    return []
