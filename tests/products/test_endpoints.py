"""Which addresses, when, and by which way: as the network requirements and the definition have it."""

from __future__ import annotations

import pytest

from bundler.formats import json_codec
from bundler.products.arc_server import tables
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.endpoints import Endpoint, endpoints
from bundler.products.azure import tables as azure

BASE = {
    "name": "arc",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "rg",
    "location": "japaneast",
    "authentication": {"method": "device-code"},
    "targets": [{"os": "windows"}, {"os": "ubuntu", "version": "22.04"}],
}
PROXY = {"url": "http://p:1", "bypass": ["Arc"]}


def table(**more) -> tuple[Endpoint, ...]:
    return endpoints(json_codec.from_tree(Definition, {**BASE, **more}))


def ways(**more) -> dict[str, str]:
    return {endpoint.host: endpoint.path for endpoint in table(**more)}


def test_region_and_code_are_filled_in():
    hosts = [endpoint.host for endpoint in table()]
    assert {"je.his.arc.azure.com", "gbl.his.arc.azure.com", "japaneast-gas.guestconfiguration.azure.com"} <= set(hosts)
    assert not [text for e in table() for text in (e.host, e.note, e.resource) if "{" in text]


def test_an_unknown_code_is_a_wildcard_and_says_so():
    (code,) = [e for e in table(location="japanwest") if e.host == "*.his.arc.azure.com"]
    assert "is not known" in code.note
    assert "*.his.arc.azure.com" in ways(location="nowhere")


def test_what_azcmagent_checked_in_a_real_site_is_there():
    """The addresses that ``azcmagent check`` printed in East Asia (a site report of February 2024)."""
    checked = {
        "agentserviceapi.guestconfiguration.azure.com",
        "ea.his.arc.azure.com",
        "eastasia-gas.guestconfiguration.azure.com",
        "gbl.his.arc.azure.com",
        "login.microsoftonline.com",
        "login.windows.net",
        "management.azure.com",
        "pas.windows.net",
    }
    assert checked <= set(ways(location="eastasia"))


def test_installing_needs_the_jump_host_alone():
    install = [endpoint for endpoint in table() if endpoint.phase == "install"]
    assert {e.host for e in install} == {"download.microsoft.com", "packages.microsoft.com"}
    assert all(e.path == "jump-host" and "not needed on the server" in e.note for e in install)
    assert not [e for e in table() if e.path == "jump-host" and e.phase != "install"]


@pytest.mark.parametrize(
    ("network", "host", "way"),
    [
        ({"profile": "public"}, "gbl.his.arc.azure.com", "direct"),
        ({"profile": "public", "proxy": PROXY}, "login.microsoftonline.com", "proxy"),
        ({"profile": "public", "proxy": PROXY}, "gbl.his.arc.azure.com", "direct"),
        ({"profile": "private-link"}, "gbl.his.arc.azure.com", "private-endpoint"),
        ({"profile": "private-link"}, "agentserviceapi.guestconfiguration.azure.com", "private-endpoint"),
        ({"profile": "private-link"}, "login.microsoftonline.com", "direct"),
        ({"profile": "private-link", "proxy": PROXY}, "gbl.his.arc.azure.com", "private-endpoint"),
        ({"profile": "private-link", "proxy": PROXY}, "management.azure.com", "proxy"),
        ({"profile": "private-link", "proxy": {"url": "http://p:1"}}, "gbl.his.arc.azure.com", "proxy"),
        ({"profile": "gateway"}, "*.gw.arc.azure.com", "direct"),
        ({"profile": "gateway", "proxy": {"url": "http://p:1"}}, "*.gw.arc.azure.com", "proxy"),
        ({"profile": "gateway"}, "gbl.his.arc.azure.com", "direct"),
        ({"profile": "gateway"}, "agentserviceapi.guestconfiguration.azure.com", "gateway"),
        ({"profile": "gateway", "proxy": {"url": "http://p:1"}}, "guestnotificationservice.azure.com", "gateway"),
        ({"profile": "gateway", "proxy": {"url": "http://p:1"}}, "management.azure.com", "proxy"),
    ],
)
def test_the_way(network, host, way):
    assert ways(network=network)[host] == way


def test_a_gateway_leaves_the_documented_few_to_open():
    """arc-gateway.md: seven, of which two are for installing; the region's login host is under its wildcard."""
    opened = {e.host for e in table(network={"profile": "gateway"}) if e.path == "direct" and e.required}
    assert opened == {
        "*.gw.arc.azure.com",
        "management.azure.com",
        "login.microsoftonline.com",
        "*.login.microsoft.com",
        "gbl.his.arc.azure.com",
        "je.his.arc.azure.com",
    }


def test_microsoft_peering_is_told_what_it_does_not_carry():
    notes = {e.host: e.note for e in table(network={"profile": "microsoft-peering"})}
    assert "test with `azcmagent check`" in notes["guestnotificationservice.azure.com"]
    assert "not carried by Microsoft peering" in notes["www.microsoft.com"]
    assert "peering" not in notes["management.azure.com"]


def test_ssh_and_admin_center_are_listed_where_they_can_work():
    assert "*.waconazure.com" in ways()
    for refused in (
        {"network": {"profile": "private-link"}},
        {"agent": {"mode": "monitor"}},
        {"agent": {"incoming_connections": {"enabled": False}}},
    ):
        assert not {e.feature for e in table(**refused)} & {"ssh", "windows-admin-center"}


def test_windows_features_need_a_windows():
    assert "extended-security-updates" in {e.feature for e in table()}
    linux = table(targets=[{"os": "rhel", "version": "9"}])
    assert not {e.feature for e in linux} & {"extended-security-updates", "licensing", "windows-admin-center"}


def test_extension_storage_is_not_needed_over_private_link():
    gov = {"cloud": "AzureUSGovernment", "location": "usgovvirginia"}
    assert "*.blob.core.usgovcloudapi.net" in ways(**gov)
    assert "*.blob.core.usgovcloudapi.net" not in ways(**gov, network={"profile": "private-link"})


@pytest.mark.parametrize(
    ("cloud", "location", "suffixes"),
    [
        ("AzureUSGovernment", "usgovvirginia", (".azure.us", ".microsoftonline.us", ".usgovcloudapi.net")),
        ("AzureChinaCloud", "chinanorth3", (".azure.cn", ".chinacloudapi.cn")),
    ],
)
def test_a_sovereign_cloud_stays_in_its_own(cloud, location, suffixes):
    needed = [e.host for e in table(cloud=cloud, location=location) if e.required and e.phase != "install"]
    assert len(needed) > 5
    assert not [host for host in needed if not host.endswith(suffixes)]


def test_required_ones_come_first_and_each_has_its_source():
    found = table()
    assert [e.required for e in found] == sorted((e.required for e in found), reverse=True)
    assert all(e.source for e in found)
    assert len({(e.host, e.port) for e in found}) == len(found)


def test_the_table_is_written_as_json():
    text = json_codec.to_json(table())
    assert b'"host": "gbl.his.arc.azure.com"' in text
    assert text == json_codec.to_json(table())


def test_every_cloud_has_its_regions_and_its_core():
    for cloud in ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud"):
        assert len(azure.regions().names(cloud)) >= 3
        assert tables.clouds().of(cloud).windows.startswith("https://")
        assert {row.phase for row in tables.endpoints().endpoints if row.cloud == cloud} == {
            "install",
            "connect",
            "always",
        }
