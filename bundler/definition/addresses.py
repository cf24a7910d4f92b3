"""Checks of addresses in definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from bundler.definition.rules import Finding, Path


def https_findings(path: Path, url: str) -> Iterator[Finding]:
    """What is wrong with ``url`` as the base of addresses to fetch from."""
    parts = split(url)
    if "@" in url:  # first, and without showing it
        yield Finding(path, "contains a user name, but a definition must not contain a secret", "https://host/folder")
    elif parts is None or parts.scheme != "https":
        yield Finding(path, f"{url!r} is not an https address", "https://host/folder")
    elif parts.query or parts.fragment:
        yield Finding(path, "contains a query or a fragment", "https://host/folder")


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
