"""Verifies repository metadata, OpenPGP keys and certificates that are given as files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import BinaryIO, Literal

from bundler.errors import VerificationError
from bundler.formats import apt_release, chunks, compressed
from bundler.formats.parse_error import ParseError
from bundler.model.anchor import Anchors
from bundler.trust import openpgp, pins
from bundler.trust.apt_chain import MAX_OPEN_INDEX, MAX_RELEASE
from bundler.trust.openpgp import Signed

Kind = Literal["apt-release", "apt-index", "openpgp-key", "certificate"]

_MAX_KEY = 1 << 20
"""Bytes of a key's or certificate's file."""
_WHAT = "the release document"

_KEY = (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----END PGP PUBLIC KEY BLOCK-----")
_CERTIFICATE = (b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----")

Indexes = Mapping[str, str]
"""Paths of the indexes that verified releases list, by SHA-256."""


def _bounded(file: BinaryIO, limit: int, what: str) -> bytes:
    """The whole file, at most ``limit`` bytes: what a build would fetch of its kind. Raises ``too-big``."""
    document = file.read(limit + 1)
    if len(document) > limit:
        raise VerificationError(f"it is larger than {limit} bytes, which no {what} is", reason="too-big")
    return document


def _alone(file: BinaryIO, block: tuple[bytes, bytes], what: str) -> bytes:
    """The whole file, which must be one armored block and nothing else.

    Any file can carry such a block: a script with a key at its end must not verify as that key.
    """
    document = _bounded(file, _MAX_KEY, what)
    begin, end = block
    first, _, rest = document.strip().partition(b"\n")
    body, _, last = rest.rpartition(b"\n")
    again = re.search(rb"^(?:%b|%b)\s*$" % (begin, end), body, re.MULTILINE)
    if first.rstrip() != begin or last != end or again:
        raise VerificationError(
            "the file holds more than one signed document",
            reason="trailing-data",
            details=[f"it must begin with {begin.decode()} and end with {end.decode()}"],
            do="do not use it: the signature does not cover the rest of the file",
        )
    return document


def _signed_release(file: BinaryIO, anchors: Anchors, at: datetime) -> Signed:
    document = _bounded(file, MAX_RELEASE, "Release document")
    return openpgp.verify_clearsigned(document, anchors=anchors, at=at, what=_WHAT, alone=True)


def indexes(release: BinaryIO, anchors: Anchors, at: datetime) -> Iterable[tuple[str, str]]:
    """SHA-256 and path of the indexes that a clear-signed ``release`` lists. Raises VerificationError."""
    return [(index.sha256, index.path) for index in _listed(_signed_release(release, anchors, at))]


def _listed(signed: Signed) -> Iterable[apt_release.IndexFile]:
    """The files that a verified document lists, which must be a Release file."""
    try:
        return apt_release.parse(signed.content).files.values()
    except ParseError as error:
        raise VerificationError(f"it is signed, but it is not a Release file: {error}", reason=error.reason) from error


def verify(file: BinaryIO, kind: Kind, *, anchors: Anchors, at: datetime, known: Indexes) -> str:
    """Verify one metadata file.

    Args:
        file: The file, from its start.
        kind: Its kind, by content.
        anchors: Trust anchors.
        at: Time to verify for.
        known: Indexes that verified releases list, because an index carries no signature of its own.

    Returns:
        A sentence that states by what it was verified.

    Raises:
        VerificationError: it cannot be verified.

    """
    if kind == "apt-index":
        return _index(file, known)
    if kind == "openpgp-key":
        key = pins.key(_alone(file, _KEY, "key"), anchors)
        return f"the pinned key {key.name} ({key.fingerprint}); {key.source}"
    if kind == "certificate":
        root = pins.root(_alone(file, _CERTIFICATE, "certificate"), anchors)
        return f"the pinned root {root.name}, for {' and '.join(root.purposes)}; {root.source}"
    signed = _signed_release(file, anchors, at)
    _listed(signed)
    return f"signed by {signed.user_id} ({signed.key.fingerprint}) on {signed.signed_at:%Y-%m-%d}"


def _index(file: BinaryIO, known: Indexes) -> str:
    digests, unpacked = [chunks.sha256(file)], hashlib.sha256()
    file.seek(0)
    ends_early = False
    try:
        for piece in compressed.decompress(file, "gz", limit=MAX_OPEN_INDEX):
            unpacked.update(piece)
        digests.append(unpacked.hexdigest())
    except ParseError as error:  # it is not compressed, or damaged
        ends_early = error.reason == "truncated"
    for digest in digests:
        if digest in known:
            return f"listed as {known[digest]} in a verified InRelease"
    if ends_early:
        raise VerificationError("the index ends before its compressed stream does", reason="truncated")
    raise VerificationError(
        "no verified InRelease among the files lists this index",
        reason="not-named",
        details=["An index is not signed itself: its hash is in the signed InRelease."],
        do="give the InRelease of the same repository and time as well",
    )
