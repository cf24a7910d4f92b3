"""Range requests by RFC 9110: whether a download can be resumed, and whether a response continues it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII | re.IGNORECASE)
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]*"')
_DIGITS = re.compile(r"\d{1,18}", re.ASCII)


def http_date(text: str) -> datetime | None:
    """Parse an HTTP date (RFC 9110, 5.6.7), in UTC; None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def validator(headers: Mapping[str, str]) -> str:
    """The validator for ``If-Range`` of the representation with these headers; empty where none is strong.

    A strong entity tag (RFC 9110, 8.8.3), otherwise a ``Last-Modified`` at least a second before ``Date`` (8.8.2.2):
    a later one could belong to two versions of the file.
    """
    etag = headers.get("ETag", "").strip()
    if _STRONG_TAG.fullmatch(etag):
        return etag
    modified = headers.get("Last-Modified", "").strip()
    changed, now = http_date(modified), http_date(headers.get("Date", ""))
    if changed is None or now is None or now - changed < timedelta(seconds=1):
        return ""
    return modified


def content_length(headers: Mapping[str, str]) -> int | None:
    """Bytes of the body by ``Content-Length`` (RFC 9110, 8.6); None where it is missing or malformed."""
    text = headers.get("Content-Length", "").strip()
    return int(text) if _DIGITS.fullmatch(text) else None


def continues(headers: Mapping[str, str], *, offset: int, validator: str, size: int | None) -> bool:
    """Whether a 206 with these headers continues, at byte ``offset``, the representation that was begun.

    RFC 9110, 14.4 (``Content-Range``) and 15.3.7.3 (combine only under the same strong validator).

    Args:
        headers: of the 206.
        offset: the first byte that is missing.
        validator: that was sent in ``If-Range``.
        size: bytes of the whole file, where the first response had it.
    """
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if found is None:
        return False
    first, last = int(found[1]), int(found[2])
    whole = size if found[3] == "*" else int(found[3])
    name = "ETag" if validator.startswith('"') else "Last-Modified"
    return (
        first == offset
        and first <= last
        and (whole is None or last < whole)
        and (size is None or whole == size)
        and headers.get(name, "").strip() in ("", validator)
    )


def whole_size(headers: Mapping[str, str]) -> int | None:
    """Bytes of the whole file by a 206's ``Content-Range``; None where it does not have them."""
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    return int(found[3]) if found and found[3] != "*" else None
