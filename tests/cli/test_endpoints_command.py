"""The command `endpoints`: records, an allow-list and routes, each format from the same values."""

from __future__ import annotations

import csv
import io
import ipaddress
import json

import pytest
import yaml

from bundler.cli.main import main

GUID = "22222222-2222-4222-8222-222222222222"
SCOPE = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.HybridCompute"
RECORDS = {
    "gbl.his.arc.azure.com": "10.0.0.4",
    "jw.his.arc.azure.com": "10.0.0.5",
    "agentserviceapi.guestconfiguration.azure.com": "10.0.0.6",
    "japanwest-gas.guestconfiguration.azure.com": "fd00::7",
}
PRIVATE = {
    "profile": "private-link",
    "private_link_scope": f"{SCOPE}/privateLinkScopes/pls",
    "private_link_records": "pe.json",
}
PROXY = {"url": "http://proxy.example.com:8080", "bypass": ["Arc"]}


@pytest.fixture
def ask(tmp_path, capsys, monkeypatch):
    """Ask for a form of the endpoints of a definition with ``network``: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    listed = {"customDnsConfigs": [{"fqdn": host, "ipAddresses": [at]} for host, at in RECORDS.items()]}
    (tmp_path / "pe.json").write_text(json.dumps(listed), encoding="utf-8")

    def asked(form: str, *, location: str = "japanwest", cloud: str = "AzureCloud", **network):
        definition = {
            "name": "arc",
            "cloud": cloud,
            "tenant": "11111111-1111-4111-8111-111111111111",
            "subscription": GUID,
            "resource_group": "rg",
            "location": location,
            "authentication": {"method": "device-code"},
            "targets": [{"os": "windows"}],
            "network": network,
        }
        (tmp_path / "bundle.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
        code = main(["endpoints", "--format", form])
        said = capsys.readouterr()
        return code, said.out, said.err

    return asked


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_hosts_lines_are_the_records_and_nothing_else_is_uncommented(ask):
    code, out, _ = ask("hosts", **PRIVATE)
    assert code == 0
    lines = [line.split() for line in out.splitlines() if not line.startswith("#")]
    assert {name: str(ipaddress.ip_address(address)) for address, name in lines} == RECORDS
    assert "# zone privatelink.his.arc.azure.com\n#   gbl 3600 IN A 10.0.0.4\n" in out
    assert "#   japanwest-gas 3600 IN AAAA fd00::7\n" in out


def test_without_records_there_is_nothing_to_write(ask):
    code, out, err = ask("hosts", profile="public")
    assert (code, out) == (2, "")
    assert "network.private_link_records" in err


def test_csv_has_each_address_with_its_reason_and_source(ask):
    code, out, _ = ask("csv", proxy=PROXY)
    assert code == 0
    found = {(row["host"], row["port"]): row for row in rows(out)}
    assert len(found) == len(rows(out))
    assert all(row["why"] and row["source"] and row["protocol"] == "TCP" for row in found.values())
    arc = found["gbl.his.arc.azure.com", "443"]
    assert (arc["way"], arc["required"], arc["service tag"]) == ("direct", "yes", "AzureArcInfrastructure")
    assert found["management.azure.com", "443"]["way"] == "proxy"
    assert found["management.azure.com", "443"]["phase"] == "connect"
    assert found["packages.microsoft.com", "443"]["from"] == "jump-host"


def test_wildcards_come_with_the_names_that_are_known(ask):
    def names(**network):
        return {row["host"]: row["names"] for row in rows(ask("csv", **network)[1]) if "*" in row["host"]}

    assert names(**PRIVATE)["*.his.arc.azure.com"] == "jw.his.arc.azure.com"
    assert names()["*.his.arc.azure.com"] == ""
    assert names()["*.login.microsoft.com"] == "japanwest.login.microsoft.com"


def test_peering_tells_the_routes_and_what_they_do_not_carry(ask):
    code, out, _ = ask("firewall", location="japaneast", profile="microsoft-peering")
    assert code == 0
    filter_, _, rest = out.partition("Route filter of Microsoft peering")[2].partition("Not carried by it")
    assert [line.split()[0] for line in filter_.splitlines() if line] == ["12076:5060", "12076:5070", "12076:51012"]
    known, _, unknown = rest.partition("No document states")
    assert "www.microsoft.com (optional)" in known
    assert "  agentserviceapi.guestconfiguration.azure.com\n" in unknown
    assert "login.microsoftonline.com" not in rest.partition("Not certain")[0]
    assert "Route filter" not in ask("firewall", profile="public")[1]


def test_the_firewalls_list_is_by_way(ask):
    out = ask("firewall", **PRIVATE, proxy=PROXY)[1]
    private = out.partition("to the private endpoint")[2].partition("\nFrom the")[0]
    assert "agentserviceapi.guestconfiguration.azure.com:443" in private
    assert "at      10.0.0.6" in private
    assert "login.microsoftonline.com" not in private
    assert "and from the proxy onwards (http://proxy.example.com:8080)" in out


def test_a_gateway_leaves_little_to_open(ask):
    sheet = json.loads(ask("json", profile="gateway", gateway_id=f"{SCOPE}/gateways/gw")[1])["endpoints"]
    opened = {row["host"] for row in sheet["allow"] if row["way"] == "direct" and row["required"]}
    assert "*.gw.arc.azure.com" in opened
    assert not {"pas.windows.net", "agentserviceapi.guestconfiguration.azure.com"} & opened


def test_uncertain_requirements_are_listed(ask):
    unknown = "The code of japanwest"
    assert unknown in ask("text")[1]
    assert unknown not in ask("text", **PRIVATE)[1]
    assert "records" in ask("text", profile="private-link", private_link_scope=PRIVATE["private_link_scope"])[1]
    assert "AzureFrontDoor.Frontend" in ask("text")[1]
    assert "community of swedencentral" in ask("text", location="swedencentral", profile="microsoft-peering")[1]
    government = ask("text", location="usgovvirginia", cloud="AzureUSGovernment")[1]
    assert "AzureArcInfrastructure tag too" in government


def test_every_form_names_the_same_addresses(ask):
    told = {row["host"] for row in json.loads(ask("json")[1])["endpoints"]["allow"]}
    assert told == {row["host"] for row in rows(ask("csv")[1])}
    for form in ("text", "firewall"):
        out = ask(form)[1]
        assert all(host in out for host in told)


def test_a_format_of_this_command_is_none_of_the_others(ask, capsys):
    assert main(["plan", "--format", "csv"]) == 2
