"""Reads trust anchors from the files that people have: roots in PEM, and armored OpenPGP keys.

Such a file says nothing about publishers: every one that holds a certificate for code under its roots is accepted,
unless ``--publisher`` names one. Its name follows from its content, so that the same anchors have the same digest
wherever their file is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import pysequoia

from bundler.errors import UsageError
from bundler.formats import certificate
from bundler.formats.certificate import Certificate
from bundler.formats.parse_error import ParseError, looks_like_a_page
from bundler.model.anchor import Anchors, PackageKey, Publisher, RootCertificate
from bundler.trust.publishers import ANY

_SOURCE: Final = "given with --anchors"
_KEY: Final = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----.*?-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
_SECRET: Final = b"PRIVATE KEY"
_DO: Final = (
    "give roots in PEM, an armored OpenPGP key, or the JSON file from the operator of that upstream (a lab's: "
    "authority/anchors.json)"
)


def is_document(document: bytes) -> bool:
    """Whether it is not the JSON form."""
    return _text(document).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"[")


def read(document: bytes, where: str) -> Anchors:
    """The anchors in a file with certificates and keys in text.

    Args:
        document: the file.
        where: its path, for messages.

    Raises:
        UsageError: it holds something else, and what that is.
    """
    content = _text(document)
    if _SECRET in content:
        raise UsageError(
            f"{where} holds a private key, which does not belong there",
            do="give the certificate or the public key alone; keep the private key where only its owner reads it",
        )
    roots, keys = tuple(_roots(content, where)), tuple(_keys(content, where))
    if not roots and not keys:
        raise UsageError(f"{where} is not an anchors file: {_found_instead(document, content)}", do=_DO)
    pins = sorted([*(root.sha256 for root in roots), *(key.fingerprint for key in keys)])
    return Anchors(
        name=f"own anchors {hashlib.sha256(' '.join(pins).encode()).hexdigest()[:12]}",
        roots=roots,
        publishers=(Publisher(common_name=ANY, organization=ANY),) if roots else (),
        package_keys=keys,
        revocation_lists=tuple(found.decode("ascii", "replace") + "\n" for found in _LIST.findall(content)),
    )


def merged(given: Sequence[Anchors]) -> Anchors:
    """Several anchors as one: what any of them trusts is trusted."""
    if len(given) == 1:
        return given[0]
    return replace(
        given[0],
        name=" + ".join(dict.fromkeys(each.name for each in given)),
        lab=any(each.lab for each in given),
        **{
            part: tuple(dict.fromkeys(one for each in given for one in getattr(each, part)))
            for part in ("roots", "publishers", "package_keys", "revocation_lists")
        },
    )


def _text(document: bytes) -> bytes:
    """Its bytes in ASCII: Windows PowerShell writes UTF-16 where it redirects."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if document.startswith(mark):
            return document[2:].decode(encoding, "replace").encode("ascii", "replace")
    return document.replace(b"\r\n", b"\n")


def _roots(content: bytes, where: str) -> Iterator[RootCertificate]:
    try:
        found = [certificate.described(der) for der in certificate.in_pem(content)]
    except ParseError as error:
        raise UsageError(f"{where} is not an anchors file: it {error}", do=_DO) from None
    for each in {one.sha256: one for one in found}.values():
        if not each.authority and not each.self_signed:
            raise UsageError(
                f"{where} holds the certificate of {each.name!a}, which others issued and which issues none",
                do="give the root that its chain ends in, and name the publisher with `--publisher`",
            )
        yield _root(each)


def _root(each: Certificate) -> RootCertificate:
    return RootCertificate(
        name=each.name,
        sha256=each.sha256,
        pem=each.pem.decode("ascii"),
        purposes=("code-signing", "timestamping"),
        source=_SOURCE,
    )


def _keys(content: bytes, where: str) -> Iterator[PackageKey]:
    for block in _KEY.findall(content):
        try:
            found = pysequoia.Cert.from_bytes(block + b"\n")
            names = [str(name) for name in found.user_ids]
        except (RuntimeError, ValueError) as error:  # errors of the library's Rust code
            raise UsageError(
                f"{where} holds an OpenPGP key that cannot be read: {str(error).splitlines()[0]}",
                do="export the key again, armored, with `gpg --armor --export`",
            ) from None
        fingerprint = found.fingerprint.upper()
        armored = block.decode("ascii", "replace") + "\n"
        yield PackageKey(name=(names or [fingerprint])[0], fingerprint=fingerprint, armored=armored, source=_SOURCE)


def _found_instead(document: bytes, content: bytes) -> str:
    """What a file without anchors holds, in a few words."""
    if not content.strip():
        return "it is empty"
    if looks_like_a_page(document):
        return "it is an HTML page"
    if document[:2] == b"\x30\x82":  # a SEQUENCE of 256 bytes and more
        return "it is in DER, which `openssl x509 -inform DER -in FILE` makes PEM"
    if document[:1] in (b"\x98", b"\x99", b"\xc6"):
        return "it is an OpenPGP key that is not armored, as `gpg --armor --export` writes it"
    for mark, what in ((b"CERTIFICATE REQUEST", "a request"), (b"PGP SIGNATURE", "a signature"), (b"CRL", "a list")):
        if mark in content:
            return f"it holds {what}, and no certificate or key"
    return "it holds neither a certificate nor a key"
