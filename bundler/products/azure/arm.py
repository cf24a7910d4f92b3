"""Identifiers of Azure Resource Manager: GUIDs and ARM ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition.rules import Finding, Path

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
GUID_ALLOWED = "a GUID: 8-4-4-4-12 hexadecimal digits"
_GUID_SOURCE = "RFC 9562 section 4; azcmagent-connect.md (a subscription's name can fail to resolve: AZCM0068)"
PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
"""The nil GUID: stands in a starter file where a GUID was not given."""

_ARM_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/(?P<provider>[^/]+)/(?P<kind>[^/]+)/(?P<name>[\w.-]+)",
    re.IGNORECASE,
)


def guid_findings(path: Path, text: str) -> Iterator[Finding]:
    """What is wrong with ``text`` as a GUID in lower case."""
    if not GUID.fullmatch(text):
        yield Finding(path, f"{text!r} is not a valid GUID", GUID_ALLOWED, _GUID_SOURCE)
    elif text == PLACEHOLDER:
        yield Finding(path, "is still the placeholder of a starter file", GUID_ALLOWED, _GUID_SOURCE)


def arm_id_findings(path: Path, text: str, *, provider: str, kind: str, source: str) -> Iterator[Finding]:
    """What is wrong with ``text`` as the ARM id of a resource.

    Args:
        path: Where the definition has it.
        text: The id; nothing is wrong with an empty one.
        provider: The resource provider: ``Microsoft.HybridCompute``.
        kind: The resource's type below it: ``privateLinkScopes``.
        source: The document that the rule comes from.
    """
    if not text:
        return
    allowed = f"/subscriptions/GUID/resourceGroups/GROUP/providers/{provider}/{kind}/NAME"
    match = _ARM_ID.fullmatch(text)
    if not match or match["provider"].casefold() != provider.casefold():
        yield Finding(path, f"{text!r} is not a valid ARM id", allowed, source)
    elif match["kind"].casefold() != kind.casefold():
        yield Finding(path, f"is the ARM id of one of {match['kind']}, not of {kind}", allowed, source)
    elif not GUID.fullmatch(match["subscription"].lower()):
        message = f"the subscription in it, {match['subscription']!r}, is not a valid GUID"
        yield Finding(path, message, allowed, source)
