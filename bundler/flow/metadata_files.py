"""Judge what a repository is made of, and what judges are made of: releases, indexes, keys, certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
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
_MAX_DOCUMENT = 256 << 20  # bytes; an index of a large distribution has a tenth of it unpacked
_WHAT = "the release document"

_RELEASE = (b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----END PGP SIGNATURE-----")
_KEY = (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----END PGP PUBLIC KEY BLOCK-----")
_CERTIFICATE = (b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----")

Named = Mapping[str, str]
"""SHA-256 of every index that a believed release names, to the path it gives it."""


def _alone(file: BinaryIO, block: tuple[bytes, bytes], limit: int) -> bytes:
    """The whole document, of at most ``limit`` bytes, which must be one armored block and nothing else.

    A believed block can be carried by any file: a script with somebody's signed document at its end is no document.
    """
    document = file.read(limit + 1)
    begin, end = block
    lines = [line.rstrip() for line in document.strip().split(b"\n")]
    whole = lines[0] == begin and lines.count(begin) == 1 and end in lines and lines.index(end) == len(lines) - 1
    if len(document) > limit or not whole:
        raise VerificationError(
            "the file is more than the one document that it holds",
            reason="trailing-data",
            details=[f"it must begin with {begin.decode()} and end with {end.decode()}"],
            do="do not use it: what stands around the document is vouched for by nobody",
        )
    return document


def named(release: BinaryIO, anchors: Anchors, at: datetime) -> Iterable[tuple[str, str]]:
    """The indexes that a clear-signed ``release`` vouches for: SHA-256 and path. Raises VerificationError."""
    signed = openpgp.verify_clearsigned(_alone(release, _RELEASE, _MAX_DOCUMENT), anchors=anchors, at=at, what=_WHAT)
    try:
        files = apt_release.parse(signed.content).files.values()
    except ParseError as error:
        raise VerificationError(f"it is signed, but is no Release file: {error}", reason=error.reason) from error
    return [(index.sha256, index.path) for index in files]


def judge(file: BinaryIO, kind: Kind, *, anchors: Anchors, at: datetime, known: Named) -> str:
    """Why the document is believed, as a sentence. Raises VerificationError.

    ``known`` are the indexes that believed releases name: an index carries no signature of its own.
    """
    return _JUDGES[kind](file, anchors, at, known)


def _release(file: BinaryIO, anchors: Anchors, at: datetime, _: Named) -> str:
    signed = openpgp.verify_clearsigned(_alone(file, _RELEASE, _MAX_DOCUMENT), anchors=anchors, at=at, what=_WHAT)
    return f"signed by {signed.user_id} ({signed.key.fingerprint}) on {signed.signed_at:%Y-%m-%d}"


def _index(file: BinaryIO, _anchors: Anchors, _at: datetime, known: Named) -> str:
    content = file.read(_MAX_DOCUMENT)
    for digest in (hashlib.sha256(content).hexdigest(), _unpacked_digest(content)):
        if digest in known:
            return f"a believed InRelease names it as {known[digest]}"
    raise VerificationError(
        "no believed InRelease among the files names this index",
        reason="not-named",
        details=["An index carries no signature of its own: its InRelease vouches for it."],
        do="give the InRelease of the same repository and moment along with it",
    )


def _unpacked_digest(content: bytes) -> str:
    digest = hashlib.sha256()
    try:
        for piece in compressed.decompress(BytesIO(content), "gz", limit=_MAX_DOCUMENT):
            digest.update(piece)
    except ParseError:
        return ""
    return digest.hexdigest()


def _key(file: BinaryIO, anchors: Anchors, _at: datetime, _known: Named) -> str:
    pinned = pins.key(_alone(file, _KEY, _MAX_KEY), anchors)
    return f"the pinned key {pinned.name} ({pinned.fingerprint}); {pinned.source}"


def _certificate(file: BinaryIO, anchors: Anchors, _at: datetime, _known: Named) -> str:
    pinned = pins.root(_alone(file, _CERTIFICATE, _MAX_KEY), anchors)
    return f"the pinned root {pinned.name}, for {' and '.join(pinned.purposes)}; {pinned.source}"


_JUDGES: Mapping[Kind, Callable[[BinaryIO, Anchors, datetime, Named], str]] = {
    "apt-release": _release,
    "apt-index": _index,
    "openpgp-key": _key,
    "certificate": _certificate,
}
