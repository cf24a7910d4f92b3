"""Verifies the signature inside a Debian package.

debsigs puts a detached OpenPGP signature into the archive, as its member ``_gpgorigin``, over the bytes of
``debian-binary``, ``control.tar`` and ``data.tar``, one after the other (debsigs(1), debsig-verify(1)).
The members' own headers (dates, owners, modes) are not signed, and dpkg ignores them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from bundler.errors import VerificationError
from bundler.formats import ar, deb
from bundler.model.anchor import Anchors
from bundler.model.evidence import Evidence
from bundler.trust import openpgp, unsigned_bytes
from bundler.trust.advice import advising, as_verification_error

_WHAT = "the package"
_CHUNK = 1 << 20
_MAX_SIGNATURE = 1 << 18


def verify(file: BinaryIO, *, anchors: Anchors, at: datetime) -> Evidence:
    """Verify a Debian package by its own signature.

    The archive must hold exactly ``debian-binary``, ``control.tar``, ``data.tar`` and ``_gpgorigin``, in this order.

    Args:
        file: the package, seekable.
        anchors: the pinned OpenPGP keys.
        at: time of verification, with zone.

    Raises:
        VerificationError: reasons of :mod:`bundler.trust.openpgp`, :mod:`bundler.formats.ar` and
            :mod:`bundler.formats.deb`, ``unsigned`` and ``unexpected-member``.
    """
    with advising(anchors):
        return _verify(file, anchors, at)


def _verify(file: BinaryIO, anchors: Anchors, at: datetime) -> Evidence:
    with as_verification_error(_WHAT):
        layout = deb.layout(file)
    signature = _signature_member(layout)
    covered = (layout.version, layout.control, layout.data)
    file.seek(signature.offset)
    block = file.read(signature.size)
    size = sum(member.size for member in covered)
    data = _contents(file, covered)
    signed = openpgp.verify_detached(block, data, size=size, anchors=anchors, at=at, what=_WHAT, every=True)
    unsigned_bytes.require_no_archive(file, [(member.offset, member.size) for member in covered], _WHAT)
    with as_verification_error(_WHAT):
        deb.require_data(file, layout)
    return openpgp.evidence("debsigs", signed, anchors)


def _signature_member(layout: deb.Layout) -> ar.Member:
    names = [member.name for member in layout.others]
    if not names:
        raise VerificationError(
            "the package has no signature inside (no member _gpgorigin)",
            reason="unsigned",
            do="get it from its signed repository, which signs its digest",
        )
    last = layout.others[0]
    if names != [deb.SIGNATURE_MEMBER] or last.offset < layout.data.offset or last.size > _MAX_SIGNATURE:
        raise VerificationError(
            "the package holds members that its signature does not cover", reason="unexpected-member", details=names
        )
    return last


def _contents(file: BinaryIO, members: tuple[ar.Member, ...]) -> Iterator[bytes]:
    for member in members:
        file.seek(member.offset)
        left = member.size
        while left and (chunk := file.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk
