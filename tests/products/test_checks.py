"""What the preflight tries: names alone, each with the way it takes and the kind of address it must have."""

from __future__ import annotations

import pytest

from bundler.formats import json_codec
from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.checks import checks
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.parameters import from_definition
from bundler.products.arc_server.script_parameters import Attachments, EndpointCheck
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
PRIVATE = {"profile": "private-link", "private_link_scope": "/pls"}
GATEWAY = {"profile": "gateway", "gateway_id": "/gw"}
PROXY = {"url": "http://p:1"}


def definition(**more) -> Definition:
    return json_codec.from_tree(Definition, {**BASE, **more})


def found(*held, **more) -> dict[str, EndpointCheck]:
    given = tuple(HostRecord(host=host, address="10.0.0.4") for host in held)
    return {check.host: check for check in checks(definition(**more), given) if check.port == 443}


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"])
def test_nothing_is_tried_that_cannot_be(cloud):
    for region in azure.regions().names(cloud):
        for check in checks(definition(cloud=cloud, location=region)):
            assert not set("*{}") & set(check.host)
            assert check.host not in {"download.microsoft.com", "packages.microsoft.com"}


def test_required_ones_come_first_and_each_once():
    made = checks(definition())
    order = [check.required for check in made]
    assert order == sorted(order, reverse=True)
    assert len({(check.host, check.port) for check in made}) == len(made)


def test_management_is_needed_to_connect_only():
    assert [check.host for check in checks(definition()) if check.phase == "connect"] == ["management.azure.com"]


@pytest.mark.parametrize(
    ("network", "host", "expects", "way"),
    [
        ({}, "gbl.his.arc.azure.com", "public", "direct"),
        ({"profile": "microsoft-peering"}, "login.microsoftonline.com", "public", "direct"),
        ({"proxy": PROXY}, "login.microsoftonline.com", "any", "proxy"),
        ({"proxy": PROXY}, "gbl.his.arc.azure.com", "public", "proxy"),
        ({"proxy": {**PROXY, "bypass": ["AAD"]}}, "login.microsoftonline.com", "public", "direct"),
        (PRIVATE, "gbl.his.arc.azure.com", "private", "private-endpoint"),
        (PRIVATE, "agentserviceapi.guestconfiguration.azure.com", "private", "private-endpoint"),
        (PRIVATE, "login.microsoftonline.com", "public", "direct"),
        (PRIVATE, "management.azure.com", "any", "direct"),
        ({**PRIVATE, "proxy": PROXY}, "gbl.his.arc.azure.com", "any", "proxy"),
        ({**PRIVATE, "proxy": {**PROXY, "bypass": ["Arc"]}}, "je.his.arc.azure.com", "private", "private-endpoint"),
        ({**PRIVATE, "proxy": {**PROXY, "bypass": ["Arc"]}}, "pas.windows.net", "any", "proxy"),
        (GATEWAY, "pas.windows.net", "any", "gateway"),
        (GATEWAY, "gbl.his.arc.azure.com", "public", "direct"),
        ({**GATEWAY, "proxy": PROXY}, "gbl.his.arc.azure.com", "public", "proxy"),
    ],
)
def test_way_and_address_follow_the_profile(network, host, expects, way):
    check = found(network=network)[host]
    assert (check.expects, check.way) == (expects, way)


def test_a_wildcard_gives_way_to_the_names_that_are_known():
    assert not [
        host for host in found(location="japanwest") if host.endswith(".his.arc.azure.com") and host[:3] != "gbl"
    ]
    held = ("jw.his.arc.azure.com", "gbl.his.arc.azure.com", "japanwest.dp.kubernetesconfiguration.azure.com")
    told = found(*held, location="japanwest", network=PRIVATE)
    assert told["jw.his.arc.azure.com"].required
    assert "japanwest.dp.kubernetesconfiguration.azure.com" not in told


@pytest.mark.parametrize("network", [{}, GATEWAY, PRIVATE, {"profile": "microsoft-peering"}, {"proxy": PROXY}])
def test_the_sign_in_name_of_the_region_is_required_in_every_profile(network):
    assert found(network=network)["japaneast.login.microsoft.com"].required


def untested(location, *held, **network):
    records = [HostRecord(host=host, address="10.1.0.4") for host in held]
    wanted = definition(location=location, network={"profile": "public", **network})
    return [(one.host, one.why) for one in from_definition(wanted, Attachments(hosts_records=tuple(records))).untested]


def test_an_address_without_a_known_code_is_named_as_untested():
    why = "the code of japanwest in CODE.his.arc.azure.com is not known"
    assert untested("japanwest") == [("*.his.arc.azure.com", why)]
    assert untested("marseast")[0][1] == "the code of marseast in CODE.his.arc.azure.com is not known"
    assert untested("japaneast") == []
    assert untested("japanwest", region_code="jw") == []
    assert untested("japanwest", "jw.his.arc.azure.com", **PRIVATE) == []


def test_the_root_of_the_msi_is_looked_for_on_windows_alone():
    both, linux = (
        from_definition(definition()),
        from_definition(definition(targets=[{"os": "debian", "version": "12"}])),
    )
    assert {root.needed_for for root in both.roots} == {"azure-tls", "msi-signature"}
    assert {root.needed_for for root in linux.roots} == {"azure-tls"}
    assert any(root.required for root in linux.roots)
    assert "Baltimore CyberTrust Root" not in {root.name for root in both.roots}


def test_what_only_the_admin_can_know_is_tried_too():
    told = found(location="japanwest", network={**GATEWAY, "gateway_host": "x.gw.arc.azure.com", "region_code": "jw"})
    assert told["x.gw.arc.azure.com"].required
    assert told["x.gw.arc.azure.com"].way == "direct"
    assert told["jw.his.arc.azure.com"].required
