"""Reads what a private endpoint's commands print where it is not JSON: PowerShell's ``Format-List``.

``Get-AzPrivateEndpoint | Format-List`` prints ``CustomDnsConfigs`` as JSON between the other lines;
``(Get-AzPrivateEndpoint …).CustomDnsConfigs | Format-List`` prints lines of ``Fqdn`` and ``IpAddresses``.
"""

from __future__ import annotations

import re

from bundler.formats import strict_json
from bundler.formats.strict_json import JsonError

# From the bracket to the next line that begins with a word.
_EMBEDDED = re.compile(
    r"^CustomDnsConfigs(?:Text)?[ \t]*:[ \t]*(\[.*?)(?=^\w|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_LINE = re.compile(r"(?im)^[ \t]*(Fqdn|IpAddresses)[ \t]*:(.*)$")
_RULE = re.compile(r"(?m)^[ \t]*---[ \t-]*$")
_TYPE = re.compile(r"(Microsoft|System)\.[\w.`]+(\[.*\])?|@\{.*\}")


def listed(text: str) -> list[object] | None:
    """The entries of ``Format-List``; None where ``text`` is none of its two forms."""
    embedded = _EMBEDDED.search(text)
    if embedded:
        try:
            found = strict_json.read_text(embedded[1])
        except JsonError:
            return None
        return found if isinstance(found, list) else None
    entries: list[object] = []
    lines = [(match[1].casefold(), match[2].strip()) for match in _LINE.finditer(text)]
    for (key, name), (following, addresses) in zip(lines[::2], lines[1::2], strict=False):
        if (key, following) != ("fqdn", "ipaddresses") or not re.fullmatch(r"\{[^{}]*\}", addresses):
            return None
        entries.append({"fqdn": name, "ipAddresses": re.split(r"[,\s]+", addresses[1:-1].strip())})
    return entries if entries and len(lines) % 2 == 0 else None


def fault(text: str) -> str:
    """Why ``text`` is not read: what a table is made by, or that it is no JSON."""
    if _RULE.search(text):
        return (
            "is a table, which leaves out what is in lists; run the same command with `--output json` "
            "(in PowerShell pipe it to `ConvertTo-Json -Depth 10`)"
        )
    return "is not JSON"


def cut_off(text: str) -> bool:
    """Whether ``text`` is a .NET type's name or a hash table, which ConvertTo-Json writes below its depth."""
    return bool(_TYPE.fullmatch(text))
