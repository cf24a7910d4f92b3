"""Reads the names and addresses of a private endpoint.

Three documents have them, each as the Azure CLI, as PowerShell (``ConvertTo-Json``) or as the REST interface writes it:

- the whole of ``az network private-endpoint show``, or its REST form (below ``properties``);
- its ``customDnsConfigs`` alone, a list of ``fqdn`` and ``ipAddresses`` (also renamed by ``--query``, as
  private-link-security.md shows it: ``FQDN``, ``IPAddresses``);
- its network interface (``az network nic show``, or a list of them): ``ipConfigurations``, each with a
  ``privateIPAddress`` and ``privateLinkConnectionProperties.fqdns``.

Keys are compared without case, since PowerShell and the CLI spell them differently.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from bundler.definition.rules import Finding, Path, warning
from bundler.formats import strict_json
from bundler.formats.parse_error import ParseError
from bundler.formats.strict_json import JsonError
from bundler.model.network_requirement import HostRecord

LARGEST = 1 << 20
"""Bytes: a private endpoint has a few dozen names at most."""

SHAPES = (
    "what `az network private-endpoint show` prints, its customDnsConfigs, or what `az network nic show` prints "
    "of its network interface"
)

# RFC 1123 section 2.1 and RFC 952: letters, digits and hyphens, a dot between labels, 253 characters in all.
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")

# RFC 1918, RFC 6598 and RFC 4193: what a virtual network's addresses are taken from.
_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_PRIVATE_6 = ipaddress.ip_network("fc00::/7")


def read(document: bytes) -> tuple[HostRecord, ...]:
    """Every pair of a name and an address, in the document's order; a name twice is twice in it.

    UTF-8, or UTF-16 with a byte order mark, as ``>`` of Windows PowerShell writes it.
    Raises :class:`~bundler.formats.parse_error.ParseError` where the document is none of the three.
    """
    if len(document) > LARGEST:
        raise ParseError(f"is larger than {LARGEST} bytes", reason="too-big")
    try:
        tree = strict_json.read_text(document.decode(json.detect_encoding(document)))
    except JsonError as error:
        if error.kind == "json_invalid":
            raise ParseError(f"is not JSON; give {SHAPES}") from None
        raise ParseError(f"cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise ParseError(f"is not JSON; give {SHAPES}") from None
    endpoints = tree if isinstance(tree, list) else [tree]
    found = tuple(record for one in endpoints for record in _records(_Object(one)))
    if not found:
        raise ParseError(
            "holds no name: with a DNS zone group customDnsConfigs can be empty; "
            "give what `az network nic show` prints of the endpoint's network interface"
        )
    return found


def _records(found: _Object) -> Iterator[HostRecord]:
    """The records of one endpoint, one interface, or one entry of ``customDnsConfigs``."""
    if found.has("fqdn"):
        yield from _pairs([found.get("fqdn")], found.list("ipAddresses"))
    elif found.has("customDnsConfigs"):
        for entry in found.list("customDnsConfigs"):
            config = _Object(entry)
            yield from _pairs([config.get("fqdn")], config.list("ipAddresses"))
    elif found.has("ipConfigurations"):
        for entry in found.list("ipConfigurations"):
            config = _Object(entry)
            link = config.get("privateLinkConnectionProperties")
            names = _Object(link).list("fqdns") if link else []
            yield from _pairs(names, [config.get("privateIPAddress")])
    else:
        raise ParseError(f"has none of customDnsConfigs, fqdn and ipConfigurations; expected is {SHAPES}")


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
        if isinstance(found, str):  # ConvertTo-Json unwraps a list of one in some of its versions
            return [found]
        if not isinstance(found, list):
            raise ParseError(f"{key} is not a list")
        return found


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
