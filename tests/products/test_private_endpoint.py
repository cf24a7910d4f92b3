"""Three documents about one private endpoint say the same, however they were spelt and saved."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.formats.parse_error import ParseError
from bundler.products.azure import private_endpoint

PAIRS = [
    ("gbl.his.arc.azure.com", "10.0.0.4"),
    ("je.his.arc.azure.com", "10.0.0.5"),
    ("x.his.arc.azure.com", "fd00::6"),
]
CONFIGS = [{"fqdn": host, "ipAddresses": [address]} for host, address in PAIRS]
WHOLE = {"name": "pe", "customDnsConfigs": CONFIGS, "networkInterfaces": [{"id": "/x"}]}
NIC = {
    "name": "pe.nic",
    "ipConfigurations": [
        {"privateIPAddress": address, "privateLinkConnectionProperties": {"groupId": "hybridcompute", "fqdns": [host]}}
        for host, address in PAIRS
    ],
}
POWERSHELL = {
    "IpConfigurations": [
        {"PrivateIpAddress": address, "PrivateLinkConnectionProperties": {"Fqdns": [host]}} for host, address in PAIRS
    ]
}
REST = {"properties": {"customDnsConfigs": CONFIGS}}
REST_NIC = {"properties": {"ipConfigurations": [{"properties": one} for one in NIC["ipConfigurations"]]}}
SHAPES = {
    "az private-endpoint show": WHOLE,
    "its customDnsConfigs": CONFIGS,
    "renamed by --query": [{"FQDN": host, "IPAddresses": [address]} for host, address in PAIRS],
    "PowerShell's CustomDnsConfigs": {"CustomDnsConfigs": [{"Fqdn": h, "IpAddresses": [a]} for h, a in PAIRS]},
    "az nic show": NIC,
    "a list of interfaces": [NIC],
    "PowerShell's interface": POWERSHELL,
    "REST": REST,
    "REST's interface": REST_NIC,
    "az nic show, by the documented --query": [{"FQDNs": [host], "IPAddress": address} for host, address in PAIRS],
    "another --query": [{"ip": a, "member": "x", "fqdns": [h]} for h, a in PAIRS],
    "an entry of an interface that serves nothing": [
        *({"FQDNs": [host], "IPAddress": address} for host, address in PAIRS),
        {"FQDNs": None, "IPAddress": "10.0.0.9"},
        {"IPAddress": "10.0.0.10"},
    ],
    "az private-endpoint dns-zone-group show": {
        "name": "default",
        "privateDnsZoneConfigs": [
            {"name": f"zone{at}", "recordSets": [{"fqdn": h, "ipAddresses": [a], "recordType": "A", "ttl": 10}]}
            for at, (h, a) in enumerate(PAIRS)
        ],
    },
    "az private-endpoint dns-zone-group list": [{"privateDnsZoneConfigs": [{"recordSets": CONFIGS}]}],
    "REST's zone groups": {
        "value": [
            {
                "properties": {
                    "privateDnsZoneConfigs": [{"name": "his", "properties": {"recordSets": CONFIGS}}],
                }
            }
        ]
    },
    "az private-dns record-set list": [
        {"fqdn": "his.arc.azure.com.", "recordType": "SOA", "soaRecord": {"email": "x"}},
        *(
            {"fqdn": f"{h}.", "aRecords": [{"ipv4Address": a}] if ":" not in a else None}
            | ({"aaaaRecords": [{"ipv6Address": a}]} if ":" in a else {})
            for h, a in PAIRS
        ),
    ],
    "REST's list": {"value": [REST], "nextLink": None},
    "PowerShell 5.1's list": {"value": CONFIGS, "Count": 3},
    "PowerShell's list, cut off at an address": {"CustomDnsConfigs": [{"Fqdn": h, "IpAddresses": a} for h, a in PAIRS]},
    "one address not in a list": [{"fqdn": host, "ipAddresses": address} for host, address in PAIRS],
    "with a dot at the end, in capitals": [{"fqdn": h.upper() + ".", "ipAddresses": [a.upper()]} for h, a in PAIRS],
}


@pytest.mark.parametrize("tree", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_all_shapes_are_one(tree, encoding):
    found = private_endpoint.read(json.dumps(tree).encode(encoding))
    assert [(record.host, record.address) for record in found] == PAIRS


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "is not JSON"),
        (b"fqdn: x", "is not JSON"),
        (b"[" * 200_000, "nested more than 64 levels"),
        (b" " * (private_endpoint.LARGEST + 1), "larger"),
        (b'"x"', "holds str"),
        (b"null", "holds NoneType"),
        (b"{}", "has none of"),
        (b"[]", "holds no name"),
        (b'{"customDnsConfigs": []}', "az network nic show"),
        (b'{"customDnsConfigs": null}', "holds no name"),
        (b'{"customDnsConfigs": {"fqdn": "a.b"}}', "a.b has no address"),
        (b'{"customDnsConfigs": 7}', "is not a list"),
        (b'{"customDnsConfigs": "@{Fqdn=a.b; IpAddresses=}"}', "-Depth 10"),
        (b'["Microsoft.Azure.Commands.Network.Models.PSPrivateEndpoint"]', "-Depth 10"),
        (b'{"privateDnsZoneConfigs": [{"name": "his", "recordSets": null}]}', "dns-zone-group show"),
        (b"FQDN\n-----------\ngbl.his.arc.azure.com\n", "is a table.*--output json.*ConvertTo-Json"),
        (b"Name  Fqdn\n----  ----\npe    gbl.his.arc.azure.com\n", "is a table"),
        (b"Fqdn : a.b\nIpAddresses : {10.0.0.1...\n", "is not JSON"),
        (b"Fqdn : a.b\n", "is not JSON"),
        (b"Fqdn : a.b\nIpAddresses : {}\n", "not an IP address"),
        (b'{"customDnsConfigs": [7]}', "holds int"),
        (b'[{"fqdn": "a.b", "ipAddresses": []}]', "a.b has no address"),
        (b'[{"fqdn": "a.b"}]', "a.b has no address"),
        (b'[{"fqdn": null, "ipAddresses": ["10.0.0.1"]}]', "no name"),
        (b'[{"fqdn": "a.b c", "ipAddresses": ["10.0.0.1"]}]', "valid host name"),
        (b'[{"fqdn": "*.his.arc.azure.com", "ipAddresses": ["10.0.0.1"]}]', "valid host name"),
        (b'[{"fqdn": "a.b\\n10.0.0.9 evil.example", "ipAddresses": ["10.0.0.1"]}]', "valid host name"),
        (b'[{"fqdn": "a.b", "ipAddresses": ["10.0.0.300"]}]', "10.0.0.300"),
        (b'[{"fqdn": "a.b", "ipAddresses": [167772161]}]', "not an IP address"),
        (b'[{"fqdn": "a.b", "ipAddresses": ["fe80::1%eth0"]}]', "not an IP address"),
        (b'{"ipConfigurations": [{"privateLinkConnectionProperties": {"fqdns": ["a.b"]}}]}', "a.b has no address"),
    ],
)
def test_what_it_is_not_is_said(document, says):
    with pytest.raises(ParseError, match=says):
        private_endpoint.read(document)


def _listed(configs):
    """``Format-List`` of an endpoint: its configurations as JSON, set off from the left."""
    text = json.dumps([{"Fqdn": h, "IpAddresses": [a]} for h, a in configs], indent=2).replace("\n", "\n" + " " * 20)
    return f"\r\nName              : pe\r\nCustomDnsConfigs  : {text}\r\nLocation          : japaneast\r\n"


def _entries(configs):
    return "\r\n".join(f"\r\nFqdn        : {h}\r\nIpAddresses : {{{a}}}" for h, a in configs)


@pytest.mark.parametrize("form", [_listed, _entries])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_lists_that_powershell_prints_are_read(form, encoding):
    found = private_endpoint.read(form(PAIRS).encode(encoding))
    assert [(record.host, record.address) for record in found] == PAIRS


def test_one_entry_without_a_list_is_one():
    host, address = PAIRS[0]
    entry = {"fqdn": host, "ipAddresses": address}
    for tree in (entry, {"customDnsConfigs": entry}, {"value": entry}, {"properties": {"customDnsConfigs": entry}}):
        assert private_endpoint.read(json.dumps(tree).encode())[0].host == host


HOSTS = st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}", fullmatch=True)
ADDRESSES = st.ip_addresses().map(str)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(HOSTS, ADDRESSES), min_size=1, max_size=5), st.randoms())
def test_the_same_pairs_are_read_from_every_form(pairs, random):
    def spelt(tree):
        if isinstance(tree, dict):
            return {random.choice([str.upper, str.lower, str])(key): spelt(child) for key, child in tree.items()}
        return [spelt(child) for child in tree] if isinstance(tree, list) else tree

    configs = [{"fqdn": host, "ipAddresses": [address]} for host, address in pairs]
    interface = [
        {"privateIPAddress": address, "privateLinkConnectionProperties": {"fqdns": [host]}} for host, address in pairs
    ]
    forms = (
        configs,
        {"customDnsConfigs": configs},
        {"value": configs},
        {"privateDnsZoneConfigs": [{"recordSets": configs}]},
        {"ipConfigurations": interface},
        [{"FQDNs": [host], "IPAddress": address} for host, address in pairs],
    )
    for form in forms:
        found = private_endpoint.read(json.dumps(spelt(form)).encode())
        assert [(record.host, record.address) for record in found] == pairs
    for text in (_listed(pairs), _entries(pairs)):
        assert [(record.host, record.address) for record in private_endpoint.read(text.encode())] == pairs


@pytest.mark.parametrize("text", ["-" * 500_000 + "x", "Fqdn :" + " " * 500_000 + "x", "CustomDnsConfigs : [" * 20_000])
def test_a_long_text_is_refused_at_once(text):
    with pytest.raises(ParseError):
        private_endpoint.read(text.encode())


def test_names_and_addresses_of_one_entry_do_not_multiply_without_end():
    entry = {"fqdns": [f"h{number}.b" for number in range(9000)], "ipAddresses": ["10.0.0.1"] * 9000}
    with pytest.raises(ParseError, match="more than 1000 pairs"):
        private_endpoint.read(json.dumps(entry).encode())


def test_an_interface_that_serves_nothing_private_is_passed_over():
    plain = {"ipConfigurations": [{"privateIPAddress": "10.0.0.9"}, *NIC["ipConfigurations"]]}
    assert len(private_endpoint.read(json.dumps(plain).encode())) == len(PAIRS)


_LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["a.b", "10.0.0.1"])
_KEYS = st.sampled_from(
    [
        "fqdn",
        "ipAddresses",
        "customDnsConfigs",
        "ipConfigurations",
        "privateLinkConnectionProperties",
        "fqdns",
        "properties",
        "value",
        "recordSets",
        "privateDnsZoneConfigs",
        "recordType",
        "aRecords",
        "IPAddress",
    ]
)
_TREES = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4))


@settings(max_examples=300, deadline=None)
@given(
    _TREES.map(lambda tree: json.dumps(tree).encode()) | st.binary(max_size=200) | st.text(max_size=200).map(str.encode)
)
def test_whatever_it_is_nothing_but_its_own_error_is_raised(document):
    try:
        found = private_endpoint.read(document)
    except ParseError:
        return
    assert found
    assert all(" " not in record.host and "\n" not in record.host for record in found)
