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
        (b'{"customDnsConfigs": {"fqdn": "a.b"}}', "is not a list"),
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
        (b'{"ipConfigurations": [{"privateLinkConnectionProperties": {"fqdns": ["a.b"]}}]}', "not an IP address"),
    ],
)
def test_what_it_is_not_is_said(document, says):
    with pytest.raises(ParseError, match=says):
        private_endpoint.read(document)


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
    ]
)
_TREES = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4))


@settings(max_examples=300, deadline=None)
@given(_TREES.map(lambda tree: json.dumps(tree).encode()) | st.binary(max_size=200))
def test_whatever_it_is_nothing_but_its_own_error_is_raised(document):
    try:
        found = private_endpoint.read(document)
    except ParseError:
        return
    assert found
    assert all(" " not in record.host and "\n" not in record.host for record in found)
