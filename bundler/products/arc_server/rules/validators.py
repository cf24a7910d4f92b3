"""Is a text a GUID, or an address?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from bundler.definition.rules import Finding, Path

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
GUID_ALLOWED = "a GUID: 8-4-4-4-12 hexadecimal digits"
_GUID_SOURCE = "RFC 9562 section 4; azcmagent-connect.md (a subscription's name can fail to resolve: AZCM0068)"
_NIL = "00000000-0000-0000-0000-000000000000"


def guid_findings(path: Path, text: str) -> Iterator[Finding]:
    """What is wrong with ``text`` as a GUID (in lower case, as :func:`..normal.normal` leaves it)."""
    if not GUID.fullmatch(text):
        yield Finding(path, f"{text!r} is no GUID", GUID_ALLOWED, _GUID_SOURCE)
    elif text == _NIL:
        yield Finding(path, "is still the placeholder of a starter file", GUID_ALLOWED, _GUID_SOURCE)


def https_findings(path: Path, url: str) -> Iterator[Finding]:
    """What is wrong with ``url`` as the base of addresses to fetch from."""
    parts = split(url)
    if "@" in url:  # first, and without showing it
        yield Finding(path, "holds a user: a definition never holds a secret", "https://host/folder")
    elif parts is None or parts.scheme != "https":
        yield Finding(path, f"{url!r} is no https address", "https://host/folder")
    elif parts.query or parts.fragment:
        yield Finding(path, "holds a query or a fragment", "https://host/folder")


def split(url: str) -> SplitResult | None:
    """The parts of an address with a host and no strange characters, otherwise None (RFC 3986 section 3)."""
    if not re.fullmatch(r"[!-~]+", url) or re.search(r"[\"'<>\\^`{|}]", url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is none, an IPv6 address that is none
        return None
    return parts if usable else None
