"""The records of a private endpoint as a definition reads them: public names, however they were asked for."""

from __future__ import annotations

import json

import pytest

from bundler.formats import json_codec
from bundler.products.arc_server import private_link
from bundler.products.arc_server.definition import Definition

PAIRS = [
    ("agentserviceapi.guestconfiguration.azure.com", "10.1.0.6"),
    ("gbl.his.arc.azure.com", "10.1.0.4"),
    ("japaneast-gas.guestconfiguration.azure.com", "10.1.0.7"),
    ("je.his.arc.azure.com", "10.1.0.5"),
]
ZONE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/"


def definition() -> Definition:
    tree = {
        "name": "arc",
        "tenant": "11111111-1111-4111-8111-111111111111",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "rg",
        "location": "japaneast",
        "authentication": {"method": "device-code"},
        "targets": [{"os": "ubuntu", "version": "22.04"}],
        "network": {"profile": "private-link", "private_link_scope": "/pls"},
    }
    return json_codec.from_tree(Definition, tree)


def private(host):
    first, zone = host.split(".", 1)
    return f"{first}.privatelink.{zone}"


def zone_group():
    """As ``az network private-endpoint dns-zone-group show`` has it: a configuration for each zone."""
    zones = {host.split(".", 1)[1] for host, _ in PAIRS}
    return {
        "name": "default",
        "provisioningState": "Succeeded",
        "privateDnsZoneConfigs": [
            {
                "name": zone,
                "privateDnsZoneId": f"{ZONE}privatelink.{zone}",
                "recordSets": [
                    {
                        "fqdn": private(host),
                        "ipAddresses": [address],
                        "recordSetName": host.split(".")[0],
                        "recordType": "A",
                        "ttl": 10,
                    }
                    for host, address in PAIRS
                    if host.endswith(zone)
                ],
            }
            for zone in sorted(zones)
        ],
    }


FORMS = {
    "zone group": zone_group(),
    "nic --query": [{"FQDNs": [host], "IPAddress": address} for host, address in PAIRS],
    "customDnsConfigs": [{"fqdn": host, "ipAddresses": [address]} for host, address in PAIRS],
}


@pytest.mark.parametrize("tree", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_public_names(tree):
    records, findings = private_link.read(definition(), json.dumps(tree).encode())
    assert [(record.host, record.address) for record in records] == PAIRS
    assert findings == ()


def test_a_table_is_refused_with_the_right_command():
    records, findings = private_link.read(definition(), b"FQDN\n---------\ngbl.his.arc.azure.com\n")
    assert records == ()
    assert "run the same command with `--output json`" in findings[0].message
