"""Checks that the signature header of an rpm package holds what rpm puts there, and nothing else.

No signature covers this header: a tag that rpm does not know, a gap between two tags, or the space that is reserved for
further signatures can carry any file. Source of the table: ``rpmvfytags`` in rpm's ``lib/rpmvs.c``, the tags in
``include/rpm/rpmtag.h``, and the "Signature" sections of ``format_v4.md`` and ``format_v6.md``.

Signatures of single files (274 to 277, of IMA and fs-verity) are not covered either, and packages of a publisher here
have none: they are refused with the unknown tags.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from bundler.formats.rpm_header import Entry, Header, RpmError, Type


class SignatureTag(IntEnum):
    """The tags of the signature header that may be there; names and numbers of rpm's ``rpmtag.h``."""

    REGION = 62
    DSA_HEADER = 267
    RSA_HEADER = 268
    SHA1_HEADER = 269
    LONG_SIZE = 270
    LONG_ARCHIVE_SIZE = 271
    SHA256_HEADER = 273
    OPENPGP = 278
    SHA3_256_HEADER = 279
    RESERVED = 999
    SIZE = 1000
    PGP = 1002
    MD5 = 1004
    GPG = 1005
    ARCHIVE_SIZE = 1007
    RESERVED_SPACE = 1008


@dataclass(frozen=True)
class _Form:
    type: Type
    sizes: range
    """Bytes of the data."""


_A_SIGNATURE: Final = _Form(Type.BIN, range(1, 1 << 14))
_SPACE: Final = _Form(Type.BIN, range(1, 1 << 16))
_FORMS: Final = {
    SignatureTag.REGION: _Form(Type.BIN, range(16, 17)),
    SignatureTag.DSA_HEADER: _A_SIGNATURE,
    SignatureTag.RSA_HEADER: _A_SIGNATURE,
    SignatureTag.SHA1_HEADER: _Form(Type.STRING, range(41, 42)),
    SignatureTag.LONG_SIZE: _Form(Type.INT64, range(8, 9)),
    SignatureTag.LONG_ARCHIVE_SIZE: _Form(Type.INT64, range(8, 9)),
    SignatureTag.SHA256_HEADER: _Form(Type.STRING, range(65, 66)),
    SignatureTag.OPENPGP: _Form(Type.STRING_ARRAY, range(1, 1 << 17)),
    SignatureTag.SHA3_256_HEADER: _Form(Type.STRING, range(65, 66)),
    SignatureTag.RESERVED: _SPACE,
    SignatureTag.SIZE: _Form(Type.INT32, range(4, 5)),
    SignatureTag.PGP: _A_SIGNATURE,
    SignatureTag.MD5: _Form(Type.BIN, range(16, 17)),
    SignatureTag.GPG: _A_SIGNATURE,
    SignatureTag.ARCHIVE_SIZE: _Form(Type.INT32, range(4, 5)),
    SignatureTag.RESERVED_SPACE: _SPACE,
}


def check(header: Header) -> None:
    """Require known tags of the right form, without a byte between or behind them, and empty space.

    Raises:
        RpmError: ``unknown-tag``, ``wrong-tag``, ``unexpected-data`` for space that is not empty, ``unowned-bytes``.
    """
    for entry in header.entries.values():
        form = _FORMS.get(entry.tag)  # type: ignore[call-overload]
        if form is None:
            raise RpmError(
                f"the signature header holds tag {entry.tag}, of {entry.size} bytes, which no signature covers",
                reason="unknown-tag",
            )
        if entry.type is not form.type or entry.size not in form.sizes:
            raise RpmError(f"tag {entry.tag} of the signature header has the wrong type or size", reason="wrong-tag")
    for tag in (SignatureTag.RESERVED, SignatureTag.RESERVED_SPACE):
        if any(header.binary(tag) or b""):
            raise RpmError("the space reserved for signatures is not empty", reason="unexpected-data")
    _check_gaps(header)


def _check_gaps(header: Header) -> None:
    """Require that the store is the tags' data, aligned with zeros, and last the end of the region."""
    region, *others = header.entries.values()
    end = 0
    for entry in [*others, region]:
        _check_gap(header, end, entry)
        end = entry.end
    if end != len(header.store):
        raise RpmError(f"{len(header.store) - end} bytes of the signature header are no tag's", reason="unowned-bytes")


def _check_gap(header: Header, end: int, entry: Entry) -> None:
    if entry.offset != end + -end % entry.alignment or any(header.store[end : entry.offset]):
        raise RpmError(f"bytes of the signature header before tag {entry.tag} are no tag's", reason="unowned-bytes")
