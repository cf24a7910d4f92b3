"""Reads the names and addresses of a private endpoint.

These documents have them, each as the Azure CLI, as PowerShell or as the REST interface writes it:

- the whole of ``az network private-endpoint show``, or its REST form (below ``properties``);
- its ``customDnsConfigs`` alone, entries of ``fqdn`` and ``ipAddresses`` (also renamed by ``--query``, as
  private-link-security.md shows it: ``FQDN``, ``IPAddresses``);
- its DNS zone group (``az network private-endpoint dns-zone-group show``): ``privateDnsZoneConfigs`` with
  ``recordSets``, which name the private zone (``gbl.privatelink.his.arc.azure.com``);
- its network interface (``az network nic show``, or what ``--query`` leaves of its ``ipConfigurations``), each with an
  address and ``privateLinkConnectionProperties.fqdns``;
- the zone's records (``az network private-dns record-set a list``).

Any of them may be a list, one object instead of a list, or below ``value``. Keys are compared without case, since
PowerShell and the CLI spell them differently.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from bundler.definition.rules import Finding, Path, warning
from bundler.formats import strict_json
from bundler.formats.parse_error import ParseError
from bundler.formats.strict_json import JsonError
from bundler.model.network_requirement import HostRecord
from bundler.products.azure import private_endpoint_text as texts

LARGEST = 1 << 20
"""Bytes: a private endpoint has a few dozen names at most."""
_MOST = 1000
"""Pairs of a name and an address: lists of both in one entry multiply."""

SHAPES = (
    "what `az network private-endpoint show`, `az network private-endpoint dns-zone-group show` "
    "or `az network nic show` of its network interface prints, with `--output json`"
)

# RFC 1123 section 2.1 and RFC 952: letters, digits and hyphens, a dot between labels, 253 characters in all.
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")

# RFC 1918, RFC 6598 and RFC 4193: what a virtual network's addresses are taken from.
_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_PRIVATE_6 = ipaddress.ip_network("fc00::/7")

_LISTS = ("value", "customDnsConfigs", "privateDnsZoneConfigs", "recordSets", "ipConfigurations")
"""Keys with entries of which each has names, or entries of its own."""
_ADDRESSES = ("ipAddresses", "ipAddress", "privateIPAddress", "ips", "ip", "addresses", "address")
"""Keys of addresses: the last ones are what people call them in ``--query``."""
_RECORDS = (("aRecords", "ipv4Address"), ("aaaaRecords", "ipv6Address"))
"""RFC 1035 and RFC 3596 records of a private DNS zone, as ``az network private-dns record-set list`` writes them."""


def read(document: bytes) -> tuple[HostRecord, ...]:
    """Every pair of a name and an address, in the document's order; a name twice is twice in it.

    UTF-8, or UTF-16 with a byte order mark, as ``>`` of Windows PowerShell writes it.
    Raises :class:`~bundler.formats.parse_error.ParseError` where the document is none of these.
    """
    if len(document) > LARGEST:
        raise ParseError(f"is larger than {LARGEST} bytes", reason="too-big")
    tree = _tree(document)
    endpoints = tree if isinstance(tree, list) else [tree]
    found = tuple(islice((record for one in endpoints for record in _records(_Object(one))), _MOST + 1))
    if len(found) > _MOST:
        raise ParseError(f"holds more than {_MOST} pairs of a name and an address", reason="too-big")
    if not found:
        raise ParseError(
            "holds no name: with a DNS zone group customDnsConfigs can be empty; give what "
            "`az network private-endpoint dns-zone-group show` prints, or `az network nic show` of the interface"
        )
    return found


def _tree(document: bytes) -> object:
    """The JSON of ``document``, or of the lines of PowerShell's ``Format-List`` in it."""
    try:
        text = document.decode(json.detect_encoding(document))
    except UnicodeDecodeError:
        raise ParseError(f"is not JSON; give {SHAPES}") from None
    try:
        return strict_json.read_text(text)
    except JsonError as error:
        if error.kind != "json_invalid":
            raise ParseError(f"cannot be read: {error}") from None
    listed = texts.listed(text)
    if listed is None:
        raise ParseError(f"{texts.fault(text)}; give {SHAPES}")
    return listed


def _records(found: _Object) -> Iterator[HostRecord]:
    """The records of one endpoint, one interface, one zone, or one entry of them."""
    known = False
    for key in _LISTS:
        if found.has(key):
            known = True
            for entry in found.list(key):
                yield from _records(_Object(entry))
    link = found.get("privateLinkConnectionProperties")
    names = _Object(link).list("fqdns") if link else found.list("fqdns")
    if link or found.has("fqdns"):
        known = True
        yield from _pairs(names, _addresses(found))
    if found.has("fqdn"):
        known = True
        if str(found.get("recordType") or "A").upper() in {"A", "AAAA"}:
            yield from _pairs([found.get("fqdn")], _addresses(found))
    if not known and not any(found.has(key) for key in _ADDRESSES):  # an interface's entry may serve nothing private
        raise ParseError(f"has none of fqdn, {', '.join(_LISTS[1:])}; expected is {SHAPES}")


def _addresses(found: _Object) -> list[object]:
    addresses = next((found.list(key) for key in _ADDRESSES if found.has(key)), [])
    for key, address in _RECORDS:
        addresses = [*addresses, *(_Object(one).get(address) for one in found.list(key))]
    return addresses


def _pairs(names: list[object], addresses: list[object]) -> Iterator[HostRecord]:
    for name in names:
        host = _name(name)
        if not addresses:
            raise ParseError(f"{host} has no address")
        for address in addresses:
            yield HostRecord(host=host, address=_address(host, address))


def _name(found: object) -> str:
    if not isinstance(found, str):
        raise ParseError("an entry has no name (fqdn)")
    host = found.removesuffix(".").lower()
    if not _NAME.fullmatch(host):
        raise ParseError(f"{found[:80]!r} is not a valid host name")
    return host


def _address(host: str, found: object) -> str:
    try:
        if isinstance(found, str) and "%" not in found:
            return str(ipaddress.ip_address(found))
    except ValueError:
        pass
    raise ParseError(f"{host} has the address {str(found)[:80]!r}, which is not an IP address")


class _Object:
    """A JSON object, its keys without case; REST keeps most of them below ``properties``."""

    def __init__(self, tree: object) -> None:
        if isinstance(tree, str) and texts.cut_off(tree):
            raise ParseError("was cut off by ConvertTo-Json; run it again with `ConvertTo-Json -Depth 10`")
        if not isinstance(tree, dict):
            raise ParseError(f"holds {type(tree).__name__} instead of an object; expected is {SHAPES}")
        self._keys: Mapping[str, object] = {str(key).casefold(): child for key, child in tree.items()}
        inner = self._keys.get("properties")
        if isinstance(inner, dict):
            self._keys = {**{str(key).casefold(): child for key, child in inner.items()}, **self._keys}

    def has(self, key: str) -> bool:
        return key.casefold() in self._keys

    def get(self, key: str) -> object:
        return self._keys.get(key.casefold())

    def list(self, key: str) -> list[object]:
        found = self.get(key)
        if found is None:
            return []
        if isinstance(found, str) and not texts.cut_off(found):
            # ConvertTo-Json unwraps a list of one, and joins a list below its depth.
            return list(found.replace(",", " ").split()) or [found]
        if isinstance(found, list):
            return found
        if isinstance(found, (dict, str)):  # one entry that is in no list, or what an entry was cut off to
            return [found]
        raise ParseError(f"{key} is not a list")


def findings(path: Path, records: Sequence[HostRecord], source: str) -> Iterator[Finding]:
    """What is wrong with the records of any private endpoint: public addresses, and names with several.

    Args:
        path: Where the definition names their file.
        records: As :func:`read` gives them.
        source: The document that the rules come from.
    """
    for record in records:
        if not is_private(record.address):
            message = f"{record.host} has the address {record.address}, which is not private"
            allowed = "an address of RFC 1918, 100.64.0.0/10 or fc00::/7"
            yield Finding(path, message, allowed, source)
    for host in dict.fromkeys(record.host for record in records):
        addresses = [record.address for record in records if record.host == host]
        if len(set(addresses)) > 1:
            message = f"{host} has {len(set(addresses))} addresses: {', '.join(dict.fromkeys(addresses))}"
            yield Finding(path, message, "one address for each name", source)
        elif len(addresses) > 1:
            yield warning(path, f"{host} is there {len(addresses)} times", "each name once", source)


def is_private(address: str) -> bool:
    """Whether ``address`` can be a private endpoint's."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return found in _PRIVATE_6
    return any(found in network for network in _PRIVATE)
