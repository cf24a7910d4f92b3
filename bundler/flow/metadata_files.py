"""Verifies repository metadata, OpenPGP keys and certificates that are given as files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from typing import BinaryIO, Literal

from bundler.errors import VerificationError
from bundler.formats import apt_release, compressed
from bundler.formats.parse_error import ParseError
from bundler.model.anchor import Anchors
from bundler.trust import openpgp, pins

Kind = Literal["apt-release", "apt-index", "openpgp-key", "certificate"]

_MAX_KEY = 1 << 20
_MAX_DOCUMENT = 256 << 20  # bytes; an unpacked index of a large distribution has a tenth of that
_WHAT = "the release document"

_RELEASE = (b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----END PGP SIGNATURE-----")
_KEY = (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----END PGP PUBLIC KEY BLOCK-----")
_CERTIFICATE = (b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----")

Indexes = Mapping[str, str]
"""Paths of the indexes that verified releases list, by SHA-256."""


def _alone(file: BinaryIO, block: tuple[bytes, bytes], limit: int) -> bytes:
    """The whole file, at most ``limit`` bytes, which must be one armored block and nothing else.

    Any file can carry a signed block: a script with a signed document at its end must not verify as that document.
    """
    document = file.read(limit + 1)
    begin, end = block
    lines = [line.rstrip() for line in document.strip().split(b"\n")]
    whole = lines[0] == begin and lines.count(begin) == 1 and end in lines and lines.index(end) == len(lines) - 1
    if len(document) > limit or not whole:
        raise VerificationError(
            "the file holds more than one signed document",
            reason="trailing-data",
            details=[f"it must begin with {begin.decode()} and end with {end.decode()}"],
            do="do not use it: the signature does not cover the rest of the file",
        )
    return document


def indexes(release: BinaryIO, anchors: Anchors, at: datetime) -> Iterable[tuple[str, str]]:
    """SHA-256 and path of the indexes that a clear-signed ``release`` lists. Raises VerificationError."""
    signed = openpgp.verify_clearsigned(_alone(release, _RELEASE, _MAX_DOCUMENT), anchors=anchors, at=at, what=_WHAT)
    try:
        files = apt_release.parse(signed.content).files.values()
    except ParseError as error:
        raise VerificationError(f"it is signed, but it is not a Release file: {error}", reason=error.reason) from error
    return [(index.sha256, index.path) for index in files]


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
        key = pins.key(_alone(file, _KEY, _MAX_KEY), anchors)
        return f"the pinned key {key.name} ({key.fingerprint}); {key.source}"
    if kind == "certificate":
        root = pins.root(_alone(file, _CERTIFICATE, _MAX_KEY), anchors)
        return f"the pinned root {root.name}, for {' and '.join(root.purposes)}; {root.source}"
    signed = openpgp.verify_clearsigned(_alone(file, _RELEASE, _MAX_DOCUMENT), anchors=anchors, at=at, what=_WHAT)
    return f"signed by {signed.user_id} ({signed.key.fingerprint}) on {signed.signed_at:%Y-%m-%d}"


def _index(file: BinaryIO, known: Indexes) -> str:
    content = file.read(_MAX_DOCUMENT)
    digests, unpacked = [hashlib.sha256(content).hexdigest()], hashlib.sha256()
    with suppress(ParseError):  # it is not compressed, or damaged
        for piece in compressed.decompress(BytesIO(content), "gz", limit=_MAX_DOCUMENT):
            unpacked.update(piece)
        digests.append(unpacked.hexdigest())
    for digest in digests:
        if digest in known:
            return f"listed as {known[digest]} in a verified InRelease"
    raise VerificationError(
        "no verified InRelease among the files lists this index",
        reason="not-named",
        details=["An index is not signed itself: its hash is in the signed InRelease."],
        do="give the InRelease of the same repository and time as well",
    )
