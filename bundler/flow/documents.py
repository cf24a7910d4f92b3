"""Judge what a repository is made of, and what judges are made of: releases, indexes, keys, certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from io import BytesIO
from typing import BinaryIO, Literal

from bundler.errors import NotBelieved
from bundler.formats import apt_release, compressed
from bundler.formats.malformed import Malformed
from bundler.model.anchor import Anchors
from bundler.trust import openpgp, pins

Kind = Literal["apt-release", "apt-index", "openpgp-key", "certificate"]

_MAX_KEY = 1 << 20
_MAX_DOCUMENT = 256 << 20  # bytes; an index of a large distribution has a tenth of it unpacked
_WHAT = "the release document"

Named = Mapping[str, str]
"""SHA-256 of every index that a believed release names, to the path it gives it."""


def named(release: BinaryIO, anchors: Anchors, at: datetime) -> Iterable[tuple[str, str]]:
    """The indexes that a clear-signed ``release`` vouches for: SHA-256 and path. Raises NotBelieved."""
    signed = openpgp.verify_clearsigned(release.read(_MAX_DOCUMENT), anchors=anchors, at=at, what=_WHAT)
    try:
        files = apt_release.parse(signed.content).files.values()
    except Malformed as error:
        raise NotBelieved(f"it is signed, but is no Release file: {error}", reason=error.reason) from error
    return [(index.sha256, index.path) for index in files]


def judge(file: BinaryIO, kind: Kind, *, anchors: Anchors, at: datetime, known: Named) -> str:
    """Why the document is believed, as a sentence. Raises NotBelieved.

    ``known`` are the indexes that believed releases name: an index carries no signature of its own.
    """
    return _JUDGES[kind](file, anchors, at, known)


def _release(file: BinaryIO, anchors: Anchors, at: datetime, _: Named) -> str:
    signed = openpgp.verify_clearsigned(file.read(_MAX_DOCUMENT), anchors=anchors, at=at, what=_WHAT)
    return f"signed by {signed.user_id} ({signed.key.fingerprint}) on {signed.signed_at:%Y-%m-%d}"


def _index(file: BinaryIO, _anchors: Anchors, _at: datetime, known: Named) -> str:
    content = file.read(_MAX_DOCUMENT)
    for digest in (hashlib.sha256(content).hexdigest(), _unpacked_digest(content)):
        if digest in known:
            return f"a believed InRelease names it as {known[digest]}"
    raise NotBelieved(
        "no believed InRelease among the files names this index",
        reason="not-named",
        details=["An index carries no signature of its own: its InRelease vouches for it."],
        do="give the InRelease of the same repository and moment along with it",
    )


def _unpacked_digest(content: bytes) -> str:
    digest = hashlib.sha256()
    try:
        for piece in compressed.pieces(BytesIO(content), "gz", limit=_MAX_DOCUMENT):
            digest.update(piece)
    except Malformed:
        return ""
    return digest.hexdigest()


def _key(file: BinaryIO, anchors: Anchors, _at: datetime, _known: Named) -> str:
    pinned = pins.key(file.read(_MAX_KEY), anchors)
    return f"the pinned key {pinned.name} ({pinned.fingerprint}); {pinned.source}"


def _certificate(file: BinaryIO, anchors: Anchors, _at: datetime, _known: Named) -> str:
    pinned = pins.root(file.read(_MAX_KEY), anchors)
    return f"the pinned root {pinned.name}, for {' and '.join(pinned.purposes)}; {pinned.source}"


_JUDGES: Mapping[Kind, Callable[[BinaryIO, Anchors, datetime, Named], str]] = {
    "apt-release": _release,
    "apt-index": _index,
    "openpgp-key": _key,
    "certificate": _certificate,
}
