"""A definition in azcmagent's words: every value arrives, and the settings stand in the order it needs."""

from __future__ import annotations

import uuid

import pytest

from bundler.formats import json_codec
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.parameters import from_definition
from bundler.products.arc_server.script_parameters import ScriptParameters

BASE = {
    "name": "arc",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "rg",
    "location": "japaneast",
    "authentication": {"method": "device-code"},
    "targets": [{"os": "ubuntu", "version": "22.04"}],
}
GATEWAY = "/subscriptions/x/resourceGroups/g/providers/Microsoft.HybridCompute/gateways/gw"


def made(**more) -> ScriptParameters:
    return from_definition(json_codec.from_tree(Definition, {**BASE, **more}))


def settings(**more) -> list[tuple[str, str]]:
    return [(setting.key, setting.value) for setting in made(**more).settings]


def test_every_value_arrives():
    found = made(
        cloud="AzureUSGovernment",
        resource_name="web01",
        tags={"b": "2", "a": "1"},
        correlation_id="33333333-3333-4333-8333-333333333333",
        authentication={
            "method": "service-principal-certificate",
            "service_principal_id": "44444444-4444-4444-8444-444444444444",
            "certificate_file": "/etc/arc/sp.pem",
        },
        network={"profile": "private-link", "private_link_scope": "/pls", "proxy": {"url": "http://p:1"}},
    )
    assert found == ScriptParameters(
        cloud="AzureUSGovernment",
        tenant_id=BASE["tenant"],
        subscription_id=BASE["subscription"],
        resource_group="rg",
        location="japaneast",
        resource_name="web01",
        tags={"a": "1", "b": "2"},
        correlation_id="33333333-3333-4333-8333-333333333333",
        authentication="service-principal-certificate",
        service_principal_id="44444444-4444-4444-8444-444444444444",
        certificate_file="/etc/arc/sp.pem",
        profile="private-link",
        proxy_url="http://p:1",
        private_link_scope="/pls",
        settings=found.settings,
        checks=found.checks,
        untested=found.untested,
        roots=found.roots,
    )
    assert list(found.tags) == ["a", "b"]
    assert made(network={"profile": "gateway", "gateway_id": GATEWAY}).gateway_id == GATEWAY


def test_a_correlation_id_is_derived_and_does_not_change():
    one, two, other = made(), made(), made(resource_group="rg2")
    assert one.correlation_id == two.correlation_id != other.correlation_id
    assert uuid.UUID(one.correlation_id).version == 5


def test_only_the_mode_is_always_set():
    assert settings() == [("config.mode", "full")]


def test_all_settings_in_order():
    found = settings(
        network={"proxy": {"url": "http://p:1", "bypass": ["AAD", "Arc"]}},
        agent={
            "extensions": {"enabled": True, "allowlist": ["A/b", "C/d"], "blocklist": ["E/f"]},
            "guest_configuration": False,
            "incoming_connections": {"enabled": True, "ports": [22, 6516]},
        },
    )
    assert found == [
        ("proxy.url", "http://p:1"),
        ("proxy.bypass", "AAD,Arc"),
        ("config.mode", "full"),
        ("extensions.allowlist", "A/b,C/d"),
        ("extensions.blocklist", "E/f"),
        ("extensions.enabled", "true"),
        ("guestconfiguration.enabled", "false"),
        ("incomingconnections.ports", "22,6516"),
        ("incomingconnections.enabled", "true"),
    ]


def test_monitor_mode_starts_the_extension_service_so_stopping_it_follows():
    assert settings(agent={"mode": "monitor", "extensions": {"enabled": False}}) == [
        ("config.mode", "monitor"),
        ("extensions.enabled", "false"),
    ]


@pytest.mark.parametrize(
    ("wish", "own", "expected"),
    [("latest", "", False), ("1.51", "", False), ("1.50", "", True), ("latest", "1.49", True), ("1.49", "1.67", False)],
)
def test_the_gateway_is_switched_on_for_agents_that_do_not_do_it_themselves(wish, own, expected):
    found = settings(
        network={"profile": "gateway", "gateway_id": GATEWAY},
        agent={"version": wish},
        targets=[{"os": "ubuntu", "version": "22.04", "agent": own}],
    )
    assert (("connection.type", "gateway") in found) == expected
    assert ("connection.type", "gateway") not in settings(agent={"version": wish})
